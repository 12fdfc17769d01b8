"""Print how much of each room the tests reach, in Markdown; fail where one is below what is asked for.

    python -m tests.coverage_by_room coverage.json --least 85

The rooms are the packages and modules of `podium/`, the flows and the stages.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path, PurePosixPath


def rooms_of(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> dict[str, float]:
    """Give the share of covered statements of each room, 0–100, from coverage's JSON report."""
    statements, covered = Counter[str](), Counter[str]()
    for name, file in report["files"].items():
        parts = PurePosixPath(name).parts
        room = "/".join(parts[:2]).removesuffix(".py") if parts[0] == "podium" else parts[0]
        statements[room] += file["summary"]["num_statements"]
        covered[room] += file["summary"]["covered_lines"]
    return {room: 100 * covered[room] / count for room, count in sorted(statements.items()) if count}


def main() -> int:
    parser = argparse.ArgumentParser(description="Coverage by room, from coverage's JSON report.")
    parser.add_argument("report", type=Path)
    parser.add_argument("--least", type=float, default=85.0, help="per cent that every room is to reach")
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text(encoding="utf-8"))
    rooms = rooms_of(report)
    print("| room | covered |\n| --- | ---: |")
    for room, share in rooms.items():
        print(f"| {room} | {share:.1f} % |")
    print(f"| all | {report['totals']['percent_covered']:.1f} % |")
    low = [room for room, share in rooms.items() if share < arguments.least]
    if low:
        print(f"Below {arguments.least:g} %: {', '.join(low)}. Add tests of what they promise.", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
