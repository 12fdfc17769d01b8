"""The log of requests: what it holds, what it never holds, and that nothing of it reaches whoever asked."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from podium.images.given import Given, read_given
from podium.tracking import request_log
from podium.tracking.classifier import Size
from podium.tracking.request_log import LINE, RequestLog
from tests.podium.tracking.test_classifier import gray, make, png

SIZE = Size(4, 6, 1, "stretch")
ANSWER = {"label": "light", "probability": 0.75, "unsure": False, "error": "", "probabilities": {"light": 0.75}}


def given(value: int = 200) -> Given:
    return read_given(gray(value, 8, 12), SIZE)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_a_line_holds_what_is_promised_and_nothing_else(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    log.note("digits/3", given(), ANSWER)
    log.note("digits/3", "the text 'my secret' is no base64", {"error": "the text 'my secret' is no base64"})
    log.flush()
    one, other = lines(tmp_path / "log")
    assert {*one} == {*LINE}
    assert (one["model"], one["label"], one["probability"], one["unsure"]) == ("digits/3", "light", 0.75, False)
    assert (one["width"], one["height"], one["brightness"], one["contrast"]) == (12, 8, 200, 0)
    assert abs(one["when"] - time.time()) < 60
    assert {key: value for key, value in other.items() if key != "when"} == {"model": "digits/3", "refused": True}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "log").iterdir()} == {0o600}
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700


def test_images_are_kept_only_where_asked_and_as_the_model_saw_them(tmp_path: Path) -> None:
    for images in (False, True):
        log = RequestLog(tmp_path / str(images), images=images)
        log.note("digits/3", given(), ANSWER)
        log.flush()
    assert not [*(tmp_path / "False").rglob("*.png")]
    (image,) = (tmp_path / "True").rglob("*.png")
    np.testing.assert_array_equal(cv2.imread(str(image), cv2.IMREAD_UNCHANGED), given().pixels[..., 0])
    (file,) = (tmp_path / "True").glob("*.jsonl")
    assert image.relative_to(tmp_path / "True") == Path(file.stem) / "0.png"


def test_it_is_bounded_and_the_oldest_go_with_their_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(request_log, "MAX_BYTES", 4000)
    log = RequestLog(tmp_path, images=True)
    for number in range(100):
        log.note(f"digits/{number}", given(number), ANSWER)
    log.flush()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert 2 <= len(files) <= 5
    assert {path.stem for path in tmp_path.iterdir() if path.is_dir()} == {path.stem for path in files}
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 5300
    assert lines(tmp_path)[-1]["model"] == "digits/99"


def test_many_threads_and_processes_write_to_one_folder(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)

    def ask(number: int) -> None:
        for count in range(50):
            log.note(f"digits/{number}", given(count), ANSWER)

    code = (
        "import sys; from pathlib import Path; from tests.podium.tracking.test_request_log import *\n"
        "log = RequestLog(Path(sys.argv[1]))\n"
        "for count in range(50): log.note('other/1', given(count), ANSWER)\n"  # what still waits is written at the end
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as process:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.flush()
    assert process.returncode == 0
    found = lines(tmp_path)
    names = ("digits/0", "digits/1", "digits/2", "digits/3", "other/1")
    assert Counter(one["model"] for one in found) == dict.fromkeys(names, 50)
    assert len([*tmp_path.glob("*.jsonl")]) == 2


def test_a_folder_that_cannot_be_written_is_said_once_and_breaks_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    log = RequestLog(tmp_path / "file/log")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            log.note("digits/3", given(), ANSWER)
            log.flush()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["Requests are no longer logged"]


def test_what_comes_faster_than_it_is_written_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "MAX_WAITING", 2)
    go_on, write = threading.Event(), RequestLog._write

    def write_slowly(self: RequestLog, note: Any) -> None:
        go_on.wait(10)
        write(self, note)

    monkeypatch.setattr(RequestLog, "_write", write_slowly)
    log = RequestLog(tmp_path)
    for _ in range(10):
        log.note("digits/3", given(), ANSWER)
    go_on.set()
    log.flush()
    found = lines(tmp_path)
    assert len(found) + sum(one.get("dropped", 0) for one in found) == 10
    assert 2 <= len(found) <= 3


def test_it_is_off_unless_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODIUM_REQUEST_LOG", raising=False)
    assert RequestLog.from_environment() is None
    monkeypatch.setenv("PODIUM_REQUEST_LOG", str(tmp_path))
    log = RequestLog.from_environment()
    assert log is not None
    assert (log.folder, log.images) == (tmp_path, False)
    monkeypatch.setenv("PODIUM_REQUEST_IMAGES", "1")
    log = RequestLog.from_environment()
    assert log is not None
    assert log.images
    assert not [*tmp_path.iterdir()]


def test_a_classifier_notes_what_it_is_asked_and_answers_the_same(tmp_path: Path) -> None:
    classifier, _ = make()
    images = {"image": [png(51), "no image", png(204)]}
    quiet = classifier.predict(images)
    classifier.name, classifier.log = "digits/3", RequestLog(tmp_path)
    assert classifier.predict(images) == quiet
    classifier.answer([given()])  # not what somebody asked
    classifier.log.flush()
    assert [one.get("label") for one in lines(tmp_path)] == ["dark", None, "light"]
