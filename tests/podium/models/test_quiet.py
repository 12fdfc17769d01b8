import os

import pytest

from podium.models.quiet import without_greetings


def test_greetings_are_held_back_and_all_else_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with without_greetings():
        os.write(2, b"I0000 oneDNN custom operations are on. You may see\n")
        os.write(2, b"E0000 something is wrong\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "E0000 something is wrong\nafterwards\n"


def test_what_was_said_before_an_exception_is_not_lost(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_greetings():
            os.write(2, b"the reason\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == "the reason\n"
