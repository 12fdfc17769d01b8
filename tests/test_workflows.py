"""The workflows: what strangers type is never code, who may write runs no code of theirs, and the comment is one."""

import json
import os
import re
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.makers import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
PAGES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORKFLOWS}
STEPS = [
    pytest.param(step, id=f"{name}-{job}-{number}")
    for name, page in PAGES.items()
    for job, content in page["jobs"].items()
    for number, step in enumerate(content["steps"])
    if "run" in step
]
MARK = PAGES["train"]["jobs"]["say"]["steps"][-1]["env"]["MARK"]


@pytest.mark.parametrize("step", STEPS)
def test_what_a_stranger_chooses_is_no_part_of_a_script(step: dict[str, Any]) -> None:
    assert "${{ " not in step["run"].replace("${{ matrix.", "")


@pytest.mark.parametrize("step", STEPS)
def test_scripts_are_as_shellcheck_wants_them(step: dict[str, Any]) -> None:
    if not (shellcheck := shutil.which("shellcheck")):
        pytest.skip("`shellcheck` is not installed")
    done = subprocess.run(
        [shellcheck, "--shell=bash", "-"], input=step["run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_workflow_gives_a_fork_a_secret_or_the_right_to_write() -> None:
    for path in WORKFLOWS:
        page = PAGES[path.stem]
        assert "pull_request_target" not in path.read_text(encoding="utf-8")
        assert page["permissions"] == {"contents": "read"}
        for job in page["jobs"].values():
            if "write" in job.get("permissions", {}).values():
                checked_out = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout")]
                assert not [step for step in checked_out if "ref" in step.get("with", {})], "it runs a stranger's code"
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout") and path.stem != "test":
                    assert step["with"]["persist-credentials"] is False
    train = PAGES["train"]["jobs"]
    assert "own == 'true'" in train["train"]["steps"][-2]["env"]["KAGGLE_API_TOKEN"]
    assert "own == 'true'" in train["say"]["if"]
    for job in (train["ask"], PAGES["promote"]["jobs"]["promote"]):
        assert "author_association" in job["if"]


@pytest.mark.parametrize(
    ("comment", "version"),
    [
        ("/promote digits/3", "digits/3"),
        ("/promote digits/3\r\n", "digits/3"),
        ("/promote digits/3; rm -rf /", None),
        ("/promote $(id)/3", None),
        ("/promote digits/3 --force", None),
        ("/promote --to=http://evil/3", None),
        ("/promote -x/3", None),
    ],
)
def test_promote_takes_a_version_and_nothing_else(comment: str, version: str | None, tmp_path: Path) -> None:
    step = next(step for step in PAGES["promote"]["jobs"]["promote"]["steps"] if step.get("id") == "read")
    (tmp_path / "output").touch()
    environment = {"PATH": os.environ["PATH"], "COMMENT": comment, "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, capture_output=True, check=False
    )
    assert (done.returncode == 0) == (version is not None)
    assert (tmp_path / "output").read_text() == (f"version={version}\n" if version else "")


# ---- GitHub, as far as the last job of `train` asks for it: the real `gh` speaks to it by a socket


class GitHub(socketserver.ThreadingUnixStreamServer):
    """Keeps comments and references, and what was asked."""

    def __init__(self, path: Path) -> None:
        self.comments = [
            {"id": 1, "body": f"{MARK} I am a person", "user": {"type": "User"}},
            {"id": 2, "body": "another bot", "user": {"type": "Bot"}},
        ]
        self.references: dict[str, str] = {}
        self.trees: list[Any] = []
        self.may_comment = True
        super().__init__(str(path), Handler)


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def address_string(self) -> str:
        return ""

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, content: Any, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def read(self) -> bytes:
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):  # in chunks
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_GET(self) -> None:
        self.answer(self.server.comments)

    def do_POST(self) -> None:
        given = json.loads(self.read())
        hub, what = self.server, self.path.partition("/repos/me/it/")[2]
        if what == "git/trees":
            hub.trees.append(given["tree"])
        if what.startswith("git/refs/"):
            name = what.removeprefix("git/")
            if name not in hub.references:
                self.answer({"message": "Reference does not exist"}, 422)
                return
            hub.references[name] = given["sha"]
        elif what == "git/refs":
            hub.references[given["ref"]] = given["sha"]
        elif "comments" in what and not hub.may_comment:
            self.answer({"message": "Resource not accessible by integration"}, 403)
            return
        elif what == "issues/7/comments":
            hub.comments.append({"id": 3, "body": given["body"], "user": {"type": "Bot"}})
        elif what.startswith("issues/comments/"):
            next(one for one in hub.comments if one["id"] == int(what.rpartition("/")[2]))["body"] = given["body"]
        self.answer({"sha": f"{what}-{len(hub.trees)}"}, 201)

    do_PATCH = do_POST  # noqa: N815 - the names are http.server's


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    with GitHub(tmp_path / "github.sock") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def say(folder: Path, review: str) -> str:
    """Run the last job's scripts, in a folder with what was downloaded; give the job's summary."""
    (folder / "gh").mkdir(exist_ok=True)
    (folder / "gh/config.yml").write_text(f"http_unix_socket: {folder / 'github.sock'}\n")
    job = folder / "job"
    (job / "reports/review").mkdir(parents=True, exist_ok=True)
    (job / "review.md").write_text(review)
    (job / "reports/review/digits.png").write_bytes(b"\x89PNG")
    (job / "reports/review/$(touch x);.png").write_bytes(b"\x89PNG")
    summary = folder / "summary.md"
    summary.touch()
    known = {
        "REPOSITORY": "me/it",
        "NUMBER": "7",
        "RUN": "https://github.com/me/it/actions/runs/1",
        "GH_TOKEN": "a-token",
    }
    for step in PAGES["train"]["jobs"]["say"]["steps"]:
        if "run" in step:
            own = {name: value for name, value in step["env"].items() if "${{" not in value}
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "GH_CONFIG_DIR": str(folder / "gh"),
                "GITHUB_STEP_SUMMARY": str(summary),
            }
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", step["run"]],
                cwd=job,
                env=environment | known | own,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout
    assert not (job / "x").exists()
    return summary.read_text()


needs_gh = pytest.mark.skipif(not (shutil.which("gh") and shutil.which("jq")), reason="`gh` and `jq` are not installed")


@needs_gh
def test_a_second_review_is_written_over_the_first(hub: GitHub, tmp_path: Path) -> None:
    assert say(tmp_path, "## digits: undecided `$(touch x)`\n") == ""
    assert say(tmp_path, "## digits: would be promoted\n") == ""
    person, bot, review = hub.comments
    assert re.fullmatch(rf"{MARK}\n## digits: would be promoted\n\n\n\[The run, .*\]\(http.*\)\n", review["body"])
    assert (person["id"], bot["body"]) == (1, "another bot")
    assert [image["path"] for image in hub.trees[1]] == ["$(touch x);.png", "digits.png"]
    assert hub.references == {"refs/heads/podium-review/7": "git/commits-2"}


@needs_gh
def test_without_the_right_to_comment_the_summary_says_so(hub: GitHub, tmp_path: Path) -> None:
    hub.may_comment = False
    assert "could not be written" in say(tmp_path, "## digits: undecided\n")
    assert len(hub.comments) == 2
