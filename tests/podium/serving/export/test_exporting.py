"""An export as a whole: its folder, its table, and that nothing is left of one that fails."""

import csv
import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.errors import PodiumError, TransientError
from podium.files import file_digest
from podium.serving.export import exporting, keras_file, saved_model
from podium.serving.export.exporting import check, export
from podium.serving.export.source import Convertible
from podium.serving.export.target import Heads, MissingError, Runtime, Target, UnfitError
from podium.serving.export.targets import TARGETS
from tests.logged import THRESHOLD
from tests.makers import SIDE

pytestmark = pytest.mark.slow

KERAS = {"keras": keras_file.TARGET}


@pytest.fixture
def root(folder: Path, tmp_path: Path) -> Path:
    """A project with the arrays that the model was trained on, by the name that its folder has."""
    (tmp_path / "data/processed").mkdir(parents=True)
    (tmp_path / "data/processed/model").symlink_to(folder / "dots")
    return tmp_path


def make_form(
    target: Target, *, off: float = 0.0, write: Any = None, is_lossy: bool = False, error: Exception | None = None
) -> Target:
    """Give a target whose file is written otherwise, or whose runtime answers with something added."""
    (file,) = target.files

    @contextmanager
    def opened(path: Path) -> Iterator[Any]:
        if error:
            raise error
        with file.runtimes[0].open(path) as runner:

            class Off:
                def predict_on_batch(self, pixels: np.ndarray) -> Heads:
                    heads = {name: np.array(head) for name, head in runner.predict_on_batch(pixels).items()}
                    heads["label"][:, 0] += off
                    return heads

            yield Off()

    changed = replace(file, write=write or file.write, is_lossy=is_lossy, runtimes=(Runtime("Other", opened),))
    return replace(target, files=(changed,))


def left(root: Path) -> list[str]:
    """Name what an export left in a project."""
    return sorted(path.name for path in root.iterdir() if path.name != "data")


def test_an_export_says_what_it_is_and_keeps_the_other_targets_of_the_same_version(root: Path, folder: Path) -> None:
    model, out = str(folder / "model"), root / "out"
    targets = {name: TARGETS[name] for name in ("keras", "litert")}
    report, place = export(root, model, targets, out, "podium export …", may_skip=False)
    assert place == out
    assert [(row.target, row.runtime, row.verdict) for row in report.rows] == [
        ("", "Keras, predict", "reference"),
        ("keras", "Keras, reloaded", "same"),
        ("litert", "LiteRT", "same"),
        ("litert", "LiteRT float16", "agrees"),
        ("litert", "LiteRT int8", "agrees"),
    ]
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert files == [
        *("export.csv", "export.json", "export.md"),
        *("keras/README.md", "keras/about.json", "keras/classes.json", "keras/model.keras"),
        *("litert/README.md", "litert/about.json"),
        *("litert/model.tflite", "litert/model_float16.tflite", "litert/model_int8.tflite"),
    ]
    about = json.loads((out / "litert/about.json").read_text())
    assert (about["target"], about["classes"], about["threshold"]) == ("litert", ["left", "right", "both"], THRESHOLD)
    assert about["input"] == {
        "name": "image",
        "shape": [None, SIDE, SIDE, 1],
        "channels": "gray",
        "resize": "pad",
    }
    assert sorted(about["outputs"]) == ["box", "label"]
    assert about["files"]["model.tflite"] == file_digest(out / "litert/model.tflite")
    assert f"{SIDE} × {SIDE} pixels" in (out / "litert/README.md").read_text()
    rows = list(csv.DictReader((out / "export.csv").read_text().splitlines()))
    assert [row["runtime"] for row in rows] == [row.runtime for row in report.rows]
    assert all(row["images"] == "68" for row in rows), "48 of the validation split and 20 golden files"

    before = file_digest(out / "litert/model.tflite")
    again, _ = export(root, model, {"saved_model": saved_model.TARGET}, out, "podium export …", may_skip=False)
    assert [row.target for row in again.rows] == ["", "saved_model", "keras", "litert", "litert", "litert"]
    assert file_digest(out / "litert/model.tflite") == before
    assert (out / "saved_model/saved_model/saved_model.pb").is_file()
    assert left(root) == ["out"]


def test_a_version_that_fails_parity_leaves_nothing_and_the_step_is_named(root: Path, folder: Path) -> None:
    wrong = {"copy": make_form(keras_file.TARGET, off=0.2)}
    with pytest.raises(PodiumError) as caught:
        export(root, str(folder / "model"), KERAS | wrong, root / "out", "", may_skip=True)
    words = (
        "is not exported: Other does not answer as Keras does with copy/model.keras. First at scale: layer 'rescaling"
    )
    assert words in str(caught.value)
    assert left(root) == []


def test_a_lossy_file_below_the_limit_is_left_out(root: Path, folder: Path) -> None:
    lossy = {"keras": make_form(keras_file.TARGET, off=5.0, is_lossy=True)}
    report, out = export(root, str(folder / "model"), lossy, root / "out", "", may_skip=False)
    assert report.rows[1].verdict == "left out"
    assert "below 98%" in report.rows[1].note
    assert not (out / "keras/model.keras").exists()


def test_a_runtime_that_is_not_here_is_skipped_with_the_reason(root: Path, folder: Path) -> None:
    target = {"keras": make_form(keras_file.TARGET, error=MissingError("there is no Chromium"))}
    report, _ = export(root, str(folder / "model"), target, root / "out", "", may_skip=False)
    assert (report.rows[1].verdict, report.rows[1].note) == ("skipped", "there is no Chromium")


def refuse(source: Convertible, path: Path) -> None:
    raise UnfitError("it has no layer for 'mean' (Mean)")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (make_form(keras_file.TARGET, write=refuse), "it has no layer for 'mean' (Mean)"),
        (make_form(keras_file.TARGET, error=RuntimeError("No Op\nfound")), "Other does not run model.keras: No Op"),
    ],
    ids=["it is not written", "it does not run"],
)
def test_a_form_that_the_model_cannot_have_is_an_error_only_where_it_was_named(
    target: Target, reason: str, root: Path, folder: Path
) -> None:
    targets = KERAS | {"copy": target}
    report, out = export(root, str(folder / "model"), targets, root / "out", "", may_skip=True)
    assert (report.rows[2].verdict, report.rows[2].note) == ("not possible", reason)
    assert not (out / "copy").exists()
    with pytest.raises(PodiumError, match=re.escape(f"cannot be exported as copy: {reason}.")):
        export(root, str(folder / "model"), targets, root / "other", "", may_skip=False)
    assert left(root) == ["out"]


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), PodiumError, "No space left on device. Make room"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'a'")]), PodiumError, "device: 'a'. Make room"),
        (KeyboardInterrupt("stopped"), KeyboardInterrupt, "stopped"),
    ],
    ids=["the disk is full", "full for a folder", "somebody stops it"],
)
def test_an_export_that_breaks_off_leaves_what_was_there(
    error: BaseException, raised: type[BaseException], words: str, root: Path, folder: Path
) -> None:
    export(root, str(folder / "model"), KERAS, root / "out", "", may_skip=False)
    before = {path: file_digest(path) for path in (root / "out").rglob("*") if path.is_file()}

    def write(source: Convertible, path: Path) -> None:
        path.mkdir()
        (path / "half").write_text("")
        raise error

    with pytest.raises(raised, match=words):
        export(
            root,
            str(folder / "model"),
            {"copy": make_form(keras_file.TARGET, write=write)},
            root / "out",
            "",
            may_skip=True,
        )
    assert {path: file_digest(path) for path in (root / "out").rglob("*") if path.is_file()} == before
    assert left(root) == ["out"]


def test_a_folder_that_is_no_export_is_never_replaced(root: Path, folder: Path) -> None:
    (root / "out").mkdir()
    (root / "out/thesis.txt").write_text("years of work")
    with pytest.raises(PodiumError, match=r"out is there and is no export of podium's"):
        export(root, str(folder / "model"), KERAS, root / "out", "", may_skip=False)
    assert (root / "out/thesis.txt").read_text() == "years of work"


def test_what_a_killed_export_left_is_cleared_and_two_do_not_write_one_folder(root: Path, folder: Path) -> None:
    half = root / ".out.part"
    half.mkdir()
    (half / "half").write_text("")
    with exporting._alone(root / "out"), pytest.raises(TransientError, match="Another `podium export` writes"):
        export(root, str(folder / "model"), KERAS, root / "out", "", may_skip=False)
    export(root, str(folder / "model"), KERAS, root / "out", "", may_skip=False)
    assert left(root) == ["out"]


def test_a_logged_model_without_its_files_is_refused(root: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "model", tmp_path / "bare")
    (tmp_path / "bare/artifacts/classes.json").unlink()
    with pytest.raises(PodiumError, match=r"has no artifacts/classes.json"):
        export(root, str(tmp_path / "bare"), KERAS, root / "out", "", may_skip=False)
    assert not (root / "out").exists()


def test_a_check_asks_mlflow_too_and_leaves_the_table_alone(root: Path, folder: Path) -> None:
    wrong = {"copy": make_form(keras_file.TARGET, off=0.1)}
    report = check(root, str(folder / "model"), KERAS | wrong, root / "out", "podium export --check", rest=False)
    assert {row.runtime: row.verdict for row in report.rows} == {
        "Keras, predict": "reference",
        "MLflow, pyfunc": "same",
        "Keras, reloaded": "same",
        "Other": "DIFFERS",
    }
    assert sorted(path.name for path in (root / "out").iterdir()) == ["export.csv", "export.json", "export.md"]
    assert "Other | " in (root / "out/export.md").read_text()
