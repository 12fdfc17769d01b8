"""Reasons to retrain, and what is said in the end."""

import sqlite3
import sys
import threading
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.reasons import KINDS, REASONS, Reason, find_reasons
from flows.reasons import age as age_reason
from flows.reasons.reason import Circumstances
from flows.report import Retrained, find_last, judge, save_report, worst, write_report
from flows.workplace import workplace
from podium.cli import schedule as command
from podium.config import Params, load_params
from podium.errors import PodiumError
from podium.registry.decision import Decision
from podium.registry.outcome import Outcome
from podium.tracking.connection import store_path
from tests.flows.workspace import REPOSITORY, Workspace
from tests.podium.conftest import store, trained
from tests.podium.workspace.test_clone import git
from tests.registered import register
from tests.trained import DATASET, Trained

__all__ = ["store", "trained"]

KEPT = Outcome(False, "It is not better.", Decision("keep", "gain", "It is not better."), "3", "http://card")


@pytest.fixture(scope="module")
def shipped() -> Params:
    return load_params(REPOSITORY / "params.yaml")


def circumstances(root: Path, params: Params, **changes: object) -> Circumstances:
    return Circumstances(root, root, params, tuple(params.datasets), **changes)  # type: ignore[arg-type]


def test_a_reason_that_cannot_be_looked_for_is_said_and_the_others_are_looked_for(
    shipped: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_: Circumstances) -> list[Reason]:
        raise PodiumError("nobody answers")

    monkeypatch.setitem(REASONS, "source", break_off)
    monkeypatch.setitem(REASONS, "changed", lambda _: [Reason("changed", "it did")])
    found, faults = find_reasons(["source", "changed"], circumstances(tmp_path, shipped))
    assert (found, faults) == ([Reason("changed", "it did")], ["source: nobody answers"])


@pytest.mark.slow
def test_a_champion_grows_old_and_a_retraining_counts_as_a_look_at_it(trained: Trained) -> None:
    version = register(trained)
    now = datetime.now(UTC)
    assert age_reason.find(circumstances(trained.root, trained.page, champion_days=0)) == []
    assert age_reason.find(circumstances(trained.root, trained.page, champion_days=1)) == []
    old = int((now - timedelta(days=3)).timestamp() * 1000)
    make_older(trained, old)
    (reason,) = age_reason.find(circumstances(trained.root, trained.page, champion_days=2))
    assert reason.text == f"The champion {DATASET}/{version.version} is 3 days old, and may become 2."
    yesterday = now - timedelta(days=1)
    assert age_reason.find(circumstances(trained.root, trained.page, champion_days=2, retrained=yesterday)) == []


def make_older(trained: Trained, moment: int) -> None:
    place = store_path(trained.client.tracking_uri)
    assert place
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE model_versions SET creation_time = ?", (moment,))
    connection.close()


@pytest.mark.parametrize(
    ("outcome", "failure", "verdict", "next_command"),
    [
        (None, "train digits: out of memory", "failed", "podium run"),
        (None, "", "kept", ""),
        (KEPT, "", "kept", "podium history digits"),
        (Outcome(True, "Better.", Decision("promote", "gain", "Better."), "3"), "", "promoted", "podium serve"),
        (
            Outcome(False, "Who knows.", Decision("undecided", "gain", "Who knows."), "3"),
            "",
            "undecided",
            "podium promote digits/3",
        ),
        (
            Outcome(False, "It waits for a person.", Decision("promote", "gain", "Better."), "3"),
            "",
            "undecided",
            "podium promote digits/3",
        ),
    ],
)
def test_every_end_has_a_word_and_the_next_command(
    outcome: Outcome | None, failure: str, verdict: str, next_command: str
) -> None:
    told = judge("digits", outcome, failure)
    assert (told.verdict, told.command) == (verdict, next_command)


def test_a_report_says_why_what_and_what_next_and_is_found_by_its_time(tmp_path: Path) -> None:
    told = [judge("digits", KEPT, "", "| accuracy |"), Retrained("svhn", "failed", "no disk", "podium run")]
    text = write_report("blue-fox", [Reason("source", "New data for digits.")], told, ["the commit"])
    for words in ("**source**: New data", "digits: kept", "](http://card)", "`podium history digits`", "svhn: failed"):
        assert words in text
    assert worst(told) == "failed"
    assert find_last(tmp_path) is None
    path = save_report(tmp_path, "blue-fox", text)
    (path.parent / "notes.md").write_text("a person's")
    last = find_last(tmp_path)
    assert last
    assert datetime.now(UTC) - last < timedelta(minutes=1)


def test_a_second_run_by_the_clock_says_for_whom_it_waits(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text("datasets: {}\ncandidates: {}\n")
    (tmp_path / ".gitignore").write_text(".dvc\n")
    git(tmp_path, "init", "-q")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    git(tmp_path, "add", "--force", ".dvc/config", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "dvc.yaml").write_text("edited: {}\n")
    said: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with workplace(tmp_path, said.append, isolated=True) as place:
            assert place.root != tmp_path
            inside.set()
            leave.wait(30)

    first = threading.Thread(target=work)
    first.start()
    assert inside.wait(30)
    second = threading.Thread(target=work)
    second.start()
    deadline = time.monotonic() + 30
    while not any("This run waits until it ends" in line for line in said):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    leave.set()
    first.join(30)
    second.join(30)
    assert [line for line in said if "dvc.yaml (changed, not committed)" in line]


def test_the_command_offers_the_flows_that_there_are_and_the_docs_know_every_reason() -> None:
    from flows.schedule import FLOWS

    assert tuple(FLOWS) == command.FLOWS
    docs = (REPOSITORY / "docs/schedule.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in docs] == []


@pytest.mark.slow
def test_new_data_at_the_source_is_fetched_once_and_waits_on_a_branch(quick: Workspace) -> None:
    def add_dots(page: dict[str, Any]) -> None:
        digits = page["datasets"]["digits"]
        format_ = {"kind": "pixel_csv", "files": {"train": "dots.csv"}, "label_column": "label"}
        source = {"kind": "archive", "path": "dots.zip"}
        image = {"height": 8, "width": 8, "channels": 1, "resize": "stretch"}
        limits = {"duplicate_distance": 0, "quarantine": 1.0, "critical": {"minimum_per_class": 1}, "warning": {}}
        own = {"source": source, "format": format_, "classes": {"0": "zero", "1": "one"}, "image": image}
        page["datasets"]["dots"] = digits | own | {"validation": limits}

    def write_dots(rows: int) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (rows, 64))
        header = ",".join(["label", *(f"p{n}" for n in range(64))])
        lines = [header, *(f"{n % 2},{','.join(map(str, row))}" for n, row in enumerate(pixels))]
        with zipfile.ZipFile(quick.root / "dots.zip", "w") as archive:
            archive.writestr("dots.csv", "\n".join(lines))

    def retrain() -> str:
        program = "from flows.retrain import retrain; print('ended as', retrain(['dots'], return_state=True))"
        return quick.run(sys.executable, "-c", program)

    write_dots(60)
    (quick.root / ".gitignore").write_text((quick.root / ".gitignore").read_text() + "/dots.zip\n")
    quick.edit(add_dots)
    quick.run("dvc", "repro", "-q", "preprocess@dots")
    quick.commit("dots")
    assert "ended as NoReason" in retrain()
    write_dots(80)
    first = retrain()
    assert "New data for dots" in first
    assert "dots: kept. There was nothing to promote." in first
    lock = quick.lock()
    (branch,) = quick.run("git", "branch", "--list", "podium/*", "--format=%(refname:short)").split()
    second = retrain()
    assert "ended as NoReason" in second
    assert f"It begins with dvc.lock of the branch {branch}" in second
    assert quick.lock() == lock
    quick.run("git", "merge", "-q", branch)
    quick.run("dvc", "checkout", "--allow-missing")
    assert "up to date" in quick.run("dvc", "status", "preprocess@dots", "validate@dots", "download@dots")
    assert quick.lock() != lock
