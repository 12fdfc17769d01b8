"""The table of an export, as it is written."""

import csv
import json
import math
from pathlib import Path

from podium.serving.export.table import Report, Row, save_report

ROWS = (
    Row("", "model.keras", "Keras, predict", "reference", "", 133_533, 0.7, 0.6, 0.8, images=379),
    Row("litert", "m.tflite", "LiteRT int8", "agrees", "lossy", 24_700, 0.01, 0.009, 0.02, 0.021, 0.99999, 379),
    Row(
        "onnx",
        "model.onnx",
        "ONNX Runtime",
        "DIFFERS",
        "first at decode: of a|b.png",
        9,
        greatest=math.inf,
        agreement=0.0,
    ),
    Row("tfjs", "model.json", "TensorFlow.js", "skipped", "there is no Chromium"),
)
REPORT = Report("digits/3", "0" * 64, "20 golden files", 2, "a machine", "podium export digits@champion --check", ROWS)


def test_it_is_written_for_people_for_sheets_and_for_programs(tmp_path: Path) -> None:
    save_report(REPORT, tmp_path)
    text = (tmp_path / "export.md").read_text()
    assert "| – | Keras, predict | 134 kB | 0.7 (0.6–0.8) | – | – | 379 | reference |" in text
    assert "| litert | LiteRT int8 | 24.7 kB | 0.01 (0.009–0.02) | 2.1e-02 | 99.9% | 379 | agrees: lossy |" in text
    assert r"DIFFERS: first at decode: of a\|b.png" in text
    assert "`podium export digits@champion --check`" in text
    rows = list(csv.DictReader((tmp_path / "export.csv").read_text().splitlines()))
    assert [row["runtime"] for row in rows] == [row.runtime for row in ROWS]
    known = json.loads((tmp_path / "export.json").read_text())
    assert known["made by"] == "podium export"
    assert Row(**known["rows"][1]) == ROWS[1]
    assert known["rows"][2]["greatest"] is None, "JSON knows no infinity"
