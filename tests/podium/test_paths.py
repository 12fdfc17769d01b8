import subprocess
import sys
from pathlib import Path

import pytest

from podium.errors import PodiumError, TransientError
from podium.files import atomic_write, remove
from podium.paths import project_root


def fill(place: Path, kind: str, text: str) -> None:
    if kind == "folder":
        place.mkdir()
        place = place / "inside.txt"
    place.write_text(text)


def text_of(place: Path) -> str:
    return (place / "inside.txt" if place.is_dir() else place).read_text()


@pytest.fixture(params=["file", "folder"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_project_root_is_found_from_a_folder_deep_inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = project / "data" / "raw"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert project_root() == project


def test_outside_of_any_project_the_message_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PodiumError, match=f"{tmp_path} is in no podium project"):
        project_root()


def test_what_is_written_whole_appears_under_its_name_at_the_end(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "new" / "place"
    with atomic_write(place) as part:
        fill(part, kind, "new")
        assert not place.exists()
    assert text_of(place) == "new"
    assert [*place.parent.iterdir()] == [place]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("file", "file"),
        ("folder", "folder"),
        ("folder", "file"),
        pytest.param("file", "folder"),
    ],
)
def test_what_is_written_whole_replaces_what_stood_there(tmp_path: Path, before: str, after: str) -> None:
    place = tmp_path / "place"
    fill(place, before, "old")
    if before == "folder":
        (place / "more.txt").write_text("old")
    with atomic_write(place) as part:
        fill(part, after, "new")
    assert text_of(place) == "new"
    assert not (place / "more.txt").exists()
    assert [*tmp_path.iterdir()] == [place]


def test_an_exception_leaves_the_old_content_and_no_part(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    fill(place, kind, "old")

    def write_half() -> None:
        with atomic_write(place) as part:
            fill(part, kind, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert text_of(place) == "old"
    assert [*tmp_path.iterdir()] == [place]


def test_the_part_of_a_killed_writer_is_no_hindrance_and_leaves_no_trace(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with atomic_write(place) as part:
        fill(part, "folder", "old")
    fill(part, "folder", "half")
    (part / "more.txt").write_text("half")
    with atomic_write(place) as part:
        fill(part, "folder", "new")
    assert text_of(place) == "new"
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "inside.txt"]


def test_removing_a_link_to_a_folder_keeps_the_folder(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    fill(folder, "folder", "kept")
    link.symlink_to(folder)
    remove(link)
    assert not link.is_symlink()
    assert text_of(folder) == "kept"


def test_removing_what_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")
    assert [*tmp_path.iterdir()] == []


def test_what_is_gone_on_with_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from podium.files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1]), resume=True) as part:\n"
        "    part.write_text('theirs'); print('here', flush=True); time.sleep(60)"
    )
    path = tmp_path / "arrays"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(TransientError, match="arrays is being written by another process"),
            atomic_write(path, resume=True),
        ):
            pass
        other.kill()
    with atomic_write(path, resume=True) as part:
        assert part.read_text() == "theirs"
    assert [*tmp_path.iterdir()] == [path]
