"""`podium init`: from an archive to a page that runs, and its guide, docs/your-own-dataset.md."""

import io
import json
import logging
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from podium.cli import main
from podium.config import Dataset, load_params
from podium.config.datasets import ArchiveSource, Format, KaggleSource
from podium.datasets import starter as draft
from podium.datasets.arrays import SPLITS, load_classes, open_split
from podium.datasets.formats import read
from podium.datasets.sources import kaggle, transfer
from podium.paths import DatasetPaths
from stages import download, preprocess, validate
from tests.kaggle_server import FAULTS, TOKEN, KaggleServer, serve_kaggle
from tests.makers import REPOSITORY, make_images, make_review, make_rows, make_table

GUIDE = (REPOSITORY / "docs/your-own-dataset.md").read_text(encoding="utf-8")
LABELS = ("apple", "pear")


def image(number: int, size: tuple[int, int] = (24, 20), mode: str = "RGB") -> bytes:
    """A PNG of noise; size is width and height."""
    content, shape = io.BytesIO(), (size[1], size[0], 3)
    pixels = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(content, "PNG")
    return content.getvalue()


def images(*names: str, **options: Any) -> dict[str, bytes]:
    return {name: image(number, **options) for number, name in enumerate(names)}


def in_folders(*folders: str, count: int = 12, **options: Any) -> dict[str, bytes]:
    return images(*(f"{folder}/{number}.png" for folder in folders for number in range(count)), **options)


def make_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def prepare(name: str) -> Dataset:
    """Take the dataset of the page through the stages that know no model; give it."""
    make_review(Path())
    for stage in (download, validate, preprocess):
        stage.main(name)
    return load_params().dataset(name)


@pytest.fixture
def fruit(tmp_path: Path) -> Path:
    return make_zip(tmp_path / "Fruit.zip", in_folders("train/apple", "train/pear", "test/apple", "test/pear", count=9))


# the page runs unedited ---------------------------------------------------------------------------------


def labelled_by_name() -> dict[str, bytes]:
    return images(*(f"all/{label} ({n}).png" for label in LABELS for n in range(12)), size=(90, 60))


def by_table() -> dict[str, bytes | str]:
    names = [f"id{n}" for n in range(24)]
    rows = "".join(f"{name},{LABELS[n % 2]}\n" for n, name in enumerate(names))
    return {"train.csv": f"id,label\n{rows}", **images(*(f"images/{name}.png" for name in names), mode="L")}


def by_pixels() -> dict[str, bytes | str]:
    return {"x_train.csv": make_table(make_rows(60)), "x_val.csv": make_table(make_rows(12, 1)), "notes.txt": "hello"}


def in_parts() -> dict[str, bytes]:
    files = in_folders("d/train/yes", "d/train/ no ", "d/val/yes", "d/val/ no ", "d/test/yes", "d/test/ no ", count=5)
    return files | images(
        *(f"d/train/{label}/tall{n}.png" for label in ("yes", " no ") for n in range(5)), size=(20, 90)
    )


def in_cells() -> dict[str, str]:
    words = ["Training"] * 36 + ["PublicTest"] * 12 + ["PrivateTest"] * 12
    rows = [f"{cells[0]},{' '.join(cells[1:])},{word}" for cells, word in zip(make_rows(60), words, strict=True)]
    return {"fer2013.csv": "\n".join(["emotion,pixels,Usage", *rows])}


def without_header() -> dict[str, str]:
    train, test = (make_table(make_rows(count, count)).partition("\n")[2] for count in (60, 24))
    bare = "\n".join(line.partition(",")[2] for line in test.splitlines()[:8])
    return {"a-train.csv": train, "a-test.csv": test, "other-unlabelled.csv": bare}


def in_idx() -> dict[str, bytes]:
    files = {}
    for part, count in (("train", 60), ("t10k", 24)):
        pixels, labels = make_images(count, count)
        for name, array in (("images-idx3", pixels[..., 0]), ("labels-idx1", labels.astype(np.uint8))):
            sizes = np.array(array.shape, ">u4").tobytes()
            files[f"{part}-{name}-ubyte"] = bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()
    return files


def in_parquet() -> dict[str, bytes]:
    files = {}
    for shard in range(3):
        rows = [{"bytes": image(100 * shard + n), "path": f"{n}.png"} for n in range(12)]
        content = io.BytesIO()
        pq.write_table(pa.table({"image": rows, "label": [LABELS[n % 2] for n in range(12)]}), content)
        files[f"data/{f'train-0000{shard}-of-00002' if shard < 2 else 'test-0'}.parquet"] = content.getvalue()
    return files


@pytest.mark.parametrize(
    ("files", "kind", "shape", "parts", "split"),
    [
        (lambda: in_folders("a/apple", "a/pear"), "image_folder", (20, 24, 3), {"train": "a"}, "hashed"),
        (
            in_parts,
            "image_folder",
            (32, 32, 3),
            {"train": "d/train", "validation": "d/val", "test": "d/test"},
            "archive",
        ),
        (labelled_by_name, "labelled_names", (60, 90, 3), {"train": "all"}, "hashed"),
        (by_table, "csv_index", (20, 24, 1), {"train": "train.csv"}, "hashed"),
        (
            by_pixels,
            "pixel_csv",
            (4, 4, 1),
            {"train": "x_train.csv", "validation": "x_val.csv"},
            "archive_hashed",
        ),
        (in_cells, "pixel_csv", (4, 4, 1), {"train": "fer2013.csv"}, "archive"),
        (
            without_header,
            "pixel_csv",
            (4, 4, 1),
            {"train": "a-train.csv", "test": "a-test.csv", "unlabelled": "other-unlabelled.csv"},
            "archive_hashed",
        ),
        (
            in_idx,
            "idx",
            (4, 4, 1),
            {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"},
            "archive_hashed",
        ),
        (
            in_parquet,
            "image_parquet",
            (20, 24, 3),
            {"train": "data/train-*-of-00002.parquet", "test": "data/test-0.parquet"},
            "archive_hashed",
        ),
    ],
    ids=["folders", "parts", "names", "table", "pixels", "cells", "no header", "idx", "parquet"],
)
def test_a_drafted_page_passes_validation_and_makes_arrays(
    project: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    files: Callable[[], dict[str, bytes | str]],
    kind: str,
    shape: tuple[int, ...],
    parts: dict[str, str],
    split: str,
) -> None:
    archive = make_zip(tmp_path / "My Fruit.zip", files())
    assert main(["init", str(archive)]) == 0
    dataset = prepare("my-fruit")
    layout = dataset.format
    assert layout.kind == kind
    assert (
        next(getattr(layout, key) for key in ("folders", "files", "tables", "images") if hasattr(layout, key)) == parts
    )
    assert (dataset.split.kind, dataset.source) == (split, ArchiveSource(kind="archive", path=str(archive)))
    arrays = [open_split(DatasetPaths("my-fruit").processed / name) for name in SPLITS]
    assert all(len(one) and one.images.shape[1:] == shape for one in arrays)
    assert load_classes(DatasetPaths("my-fruit").processed) == [*dataset.classes.values()]
    assert not [
        record for record in caplog.records if record.levelno == logging.WARNING and "imbalance" in record.message
    ]


KAGGLE = {
    "datasets/datamunge/sign-language-mnist.zip": (
        {"kind": "pixel_csv", "files": {"train": "sign_mnist_train.csv", "test": "sign_mnist_test.csv"}},
        (28, 28, 1),
        24,
        {"train": 27455, "test": 7172},
    ),
    "datasets/prajwalbhamere/car-damage-severity-dataset.zip": (
        {"kind": "image_folder", "folders": {"train": "data3a/training", "validation": "data3a/validation"}},
        (128, 128, 3),
        3,
        {"train": 843, "validation": 136},
    ),
    "competitions/dogs-vs-cats.zip": (
        {"kind": "labelled_names", "folders": {"train": "train.zip/train", "unlabelled": "test1.zip/test1"}},
        (128, 128, 3),
        2,
        {"train": 2002, "unlabelled": 60},
    ),
    "datasets/stanfordu/street-view-house-numbers.zip": (
        {
            "kind": "digit_struct",
            "folders": {"train": "train", "test": "test"},
            "annotations": {"train": "train/digitStruct.mat", "test": "test/digitStruct.mat"},
        },
        (32, 32, 3),
        10,
        {"train": 4000, "test": 802},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=Path(path).stem, marks=() if "dogs" in path else pytest.mark.soak) for path in KAGGLE],
)
def test_real_archives_get_a_page_that_passes_validation_and_makes_arrays(
    project: Path, shared_data: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, shape, classes, counts = KAGGLE[path]
    name = Path(path).stem
    assert main(["init", str(shared_data / "kaggle" / path)]) == 0
    told = capsys.readouterr().out
    assert f"  images    {', '.join(f'{part} {count:,}' for part, count in counts.items())}\n" in told
    assert "Problem" not in told
    dataset = prepare(name)
    assert {key: getattr(dataset.format, key) for key in keys} == keys
    assert (dataset.image.shape, len(dataset.classes)) == (shape, classes)
    assert dataset.target == ("label_and_box" if keys["kind"] == "digit_struct" else "label")
    arrays = [open_split(DatasetPaths(name).processed / split) for split in SPLITS]
    assert sum(len(one) for one in arrays) == sum(count for part, count in counts.items() if part != "unlabelled")
    assert all(one.images.shape[1:] == shape for one in arrays)
    summary = json.loads((DatasetPaths(name).validation / "summary.json").read_text())
    assert summary["failed_critical"] == 0


# where it comes from ------------------------------------------------------------------------------------


def test_what_was_found_and_what_comes_next_is_told(
    project: Path, fruit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(fruit)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "params.yaml is now a draft for this dataset:",
        "  format    image_folder",
        "  images    train 18, test 18",
        "  classes   2: apple, pear",
        "  size      20 × 24 × 3",
        "  files     36 images, 0 tables, 0 left aside",
        "Look at it: reports/fruit/init.html",
        "Next: look through params.yaml, then `dvc repro` or `podium run`.",
    ]
    page = load_params()
    assert [*page.datasets] == ["fruit"]
    assert [*page.candidates] == ["fruit-cnn"]
    assert tree(project / "data") == set()


def test_more_than_ten_classes_are_not_all_named_on_the_screen(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = make_zip(tmp_path / "x.zip", in_folders(*(f"c{n}" for n in range(12)), count=7))
    assert main(["init", str(archive)]) == 0
    assert "  classes   12: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, …\n" in capsys.readouterr().out
    assert len(load_params().dataset("x").classes) == 12


@pytest.mark.parametrize("place", ["folder", "tar"])
def test_a_folder_and_a_tar_do_as_well(project: Path, tmp_path: Path, fruit: Path, place: str) -> None:
    folder = tmp_path / "spread"
    shutil.unpack_archive(fruit, folder)
    path, prefix = folder, ""
    if place == "tar":
        path, prefix = tmp_path / "fruit.tar.gz", "fruit.tar.gz/"
        with tarfile.open(path, "w:gz") as tar:
            tar.add(folder / "train", "train")
            tar.add(folder / "test", "test")
    assert main(["init", str(path), "--name", "mine"]) == 0
    dataset = load_params().dataset("mine")
    assert dataset.source == ArchiveSource(kind="archive", path=str(path))
    assert getattr(dataset.format, "folders", {}) == {"train": f"{prefix}train", "test": f"{prefix}test"}
    download.main("mine")


def test_a_path_starts_where_one_stands_and_stays_relative_in_the_project(
    project: Path, fruit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data/incoming").mkdir(parents=True)
    shutil.copy(fruit, project / "data/incoming")
    monkeypatch.chdir(project / "data")
    assert main(["init", "incoming/Fruit.zip"]) == 0
    assert load_params().dataset("fruit").source == ArchiveSource(kind="archive", path="data/incoming/Fruit.zip")
    download.main("fruit")


def test_an_archive_of_kaggle_that_lies_there_is_taken_and_stays_for_the_download(
    project: Path, fruit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = DatasetPaths("slug").downloads / "archive.zip"
    kept.parent.mkdir(parents=True)
    shutil.copy(fruit, kept)
    assert main(["init", "kaggle:owner/slug"]) == 0
    assert f"  archive   {kept}, where `dvc repro` looks before it downloads\n" in capsys.readouterr().out
    assert kept.read_bytes() == fruit.read_bytes()
    assert tree(project / "data") == {"downloads/slug/archive.zip"}
    assert load_params().dataset("slug").source == KaggleSource(kind="kaggle", dataset="owner/slug")
    download.main("slug")
    assert (DatasetPaths("slug").raw / "archive.zip").read_bytes() == fruit.read_bytes()


@pytest.fixture
def server(project: Path, tmp_path: Path, fruit: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KaggleServer]:
    """Kaggle, which has the fruit as the competition `fruit-bowl`, and a credential that it accepts."""
    from kagglesdk import kaggle_env

    make_zip(tmp_path / "kaggle/competitions/fruit-bowl.zip", {})
    shutil.copy(fruit, tmp_path / "kaggle/competitions/fruit-bowl.zip")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setattr(kaggle._client(), "config", str(tmp_path / "kaggle.json"))
    monkeypatch.setattr(transfer, "FIRST_WAIT_SECONDS", 0.001)
    with serve_kaggle(tmp_path / "kaggle") as running:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, running.address)
        yield running


def test_kaggle_is_asked_once(server: KaggleServer, project: Path, fruit: Path) -> None:
    assert main(["init", "https://www.kaggle.com/competitions/fruit-bowl/data"]) == 0
    download.main("fruit-bowl")
    assert len(server.of("storage")) == 1
    assert tree(project / "data") >= {"downloads/fruit-bowl/archive.zip", "raw/fruit-bowl/archive.zip"}
    assert load_params().dataset("fruit-bowl").source == KaggleSource(kind="kaggle", competition="fruit-bowl")


def test_what_kaggle_sent_is_kept_even_if_no_format_fits(
    server: KaggleServer, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_zip(tmp_path / "kaggle/competitions/fruit-bowl.zip", {"a.txt": "x"})
    before = (project / "params.yaml").read_bytes()
    assert main(["init", "kaggle:fruit-bowl"]) == 1
    assert "laid out in no way that podium knows" in capsys.readouterr().err
    assert tree(project / "data") == {"downloads/fruit-bowl/archive.zip"}
    assert (project / "params.yaml").read_bytes() == before


def test_a_refusal_of_kaggle_names_this_command(
    server: KaggleServer, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.api_faults.append(FAULTS["403"])
    assert main(["init", "kaggle:fruit-bowl", "--name", "bowl"]) == 1
    told = capsys.readouterr().err
    assert "put the zip at data/downloads/bowl/archive.zip" in told
    assert told.endswith("Here, type `podium init kaggle:fruit-bowl --name bowl` where it says `dvc repro`.\n")


# what is kept -------------------------------------------------------------------------------------------


def test_a_page_with_changes_is_kept_unless_forced_before_anything_is_fetched(
    project: Path, fruit: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = project / "params.yaml"
    page.write_text(changed := page.read_text() + "# mine\n")
    with monkeypatch.context() as patch:
        patch.setattr(draft, "fetch", None)
        assert main(["init", str(fruit)]) == 1
    assert page.read_text() == changed
    told = capsys.readouterr().err
    assert told.startswith("podium: params.yaml has changes that are saved nowhere else.")
    assert f"`podium init {fruit} --force`" in told
    assert main(["init", str(fruit), "--force"]) == 0
    assert [*load_params().datasets] == ["fruit"]


def test_changes_made_meanwhile_are_kept_too(project: Path, fruit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = project / "params.yaml"

    def edit(*words: Any) -> Any:
        page.write_text(page.read_text() + "# mine\n")
        return build(*words)

    build = draft.build_manifest
    monkeypatch.setattr(draft, "build_manifest", edit)
    assert main(["init", str(fruit)]) == 1
    assert page.read_text().endswith("# mine\n")


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (MemoryError, None)])
def test_nothing_is_left_behind_by_a_run_that_ends_early(
    project: Path, fruit: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], status: int | None
) -> None:
    def stop(*_: object) -> None:
        assert len(tree(project / "data")) == 1
        raise error

    monkeypatch.setattr(draft, "build_manifest", stop)
    before = (project / "params.yaml").read_bytes()
    if status:
        assert main(["init", str(fruit)]) == status
    else:
        with pytest.raises(error):
            main(["init", str(fruit)])
    assert [*(project / "data").iterdir()] == []
    assert (project / "params.yaml").read_bytes() == before
    assert not [*project.glob(".*.part")]


def test_a_draft_that_is_no_valid_page_does_not_become_one(
    project: Path, fruit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(draft, "write_page", lambda *_: b"datasets: 5\n")
    before = (project / "params.yaml").read_bytes()
    assert main(["init", str(fruit)]) == 1
    assert "datasets must be a mapping" in capsys.readouterr().err
    assert (project / "params.yaml").read_bytes() == before


# what is refused, and what is told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (in_folders("train/Cat", "train/cat"), "The labels 'Cat' and 'cat' differ in upper and lower case only"),
        ({"cat/1.png": b"no", "dog/1.png": b"no"}, "no image that can be used and has a label"),
        ({"a.txt": b"x"}, "Found: 1 .txt; for example 'a.txt'."),
        ({"../a/1.png": b"x"}, "leads out of its folder"),
    ],
)
def test_an_archive_that_makes_no_page_is_refused_and_the_page_stays(
    project: Path, tmp_path: Path, files: dict[str, bytes], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "params.yaml").read_bytes()
    assert main(["init", str(make_zip(tmp_path / "x.zip", files))]) == 1
    assert words in capsys.readouterr().err
    assert (project / "params.yaml").read_bytes() == before
    assert [*(project / "data").iterdir()] == []


@pytest.mark.parametrize("name", ["Fruit", "a_b", "-a", "a b", "é"])
def test_a_name_that_no_dataset_can_have_is_refused(
    project: Path, fruit: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(fruit), f"--name={name}"]) == 1
    assert f"'{name}' cannot be a dataset's name. Expected lower-case" in capsys.readouterr().err


def test_images_that_cannot_be_used_are_told_and_the_page_is_written(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {f"train/apple/bad{n}.png": image(n)[:60] for n in range(7)}
    archive = make_zip(tmp_path / "x.zip", in_folders("train/apple", "train/pear") | bad)
    assert main(["init", str(archive)]) == 0
    told = capsys.readouterr().out
    assert "Problem: 7 images cannot be used, at which validation will stop:\n  train/apple/bad0.png: " in told
    assert told.count("train/apple/bad") == 5
    assert "`podium init FOLDER`" in told
    assert [*load_params().dataset("x").classes] == ["apple", "pear"]


def test_names_that_a_terminal_would_obey_are_shown_harmless(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = make_zip(tmp_path / "x.zip", in_folders("apple", "\x1b[31mpear", count=7))
    assert main(["init", str(archive)]) == 0
    assert "  classes   2: ?[31mpear, apple\n" in capsys.readouterr().out
    assert [*load_params().dataset("x").classes] == ["\x1b[31mpear", "apple"]


# the guide ----------------------------------------------------------------------------------------------

BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, flags=re.M | re.S)


def test_the_guide_has_a_page_and_every_format_of_an_archive() -> None:
    kinds = {
        *("image_folder", "labelled_names", "csv_index", "pixel_csv", "idx", "image_parquet", "digit_struct"),
        *("coco", "voc", "yolo"),
    }
    (page, *formats) = BLOCKS
    assert page.startswith("datasets:")
    assert {re.findall(r"kind: (\w+)", block)[0] for block in formats} == kinds


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: block.split()[2])
def test_the_guides_formats_are_formats(block: str) -> None:
    content = YAML(typ="safe", pure=True).load(block)
    assert [*content] == ["format"]
    TypeAdapter(Format).validate_json(json.dumps(content["format"]))


def test_the_guides_page_is_the_recipe_but_for_ten_lines(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(BLOCKS[0], encoding="utf-8")
    assert [*load_params(tmp_path / "params.yaml").candidates] == ["fruit-mobilenet"]
    recipe = (REPOSITORY / "recipes/car_damage.yaml").read_text(encoding="utf-8").splitlines()
    lines = [line for line in BLOCKS[0].splitlines() if line]
    assert [line for line in lines if "# yours" not in line and line not in recipe] == []
    assert sum("# yours" in line for line in lines) == 10


DRAWN = {
    "image_folder": {
        "fruit/train/apple/0001.jpg": "apple",
        "fruit/train/pear/green/0002.JPEG": "pear",
        "fruit/test/apple/7.png": "apple",
        "unknown/8.png": "",
    },
    "labelled_names": {
        "train.zip/train/cat.0.jpg": "cat",
        "train.zip/train/dog.0.jpg": "dog",
        "test1.zip/test1/1.jpg": "",
    },
    "csv_index": {"train_images/000c1434d8d7.png": "2"},
    "coco": {
        "train2017/000000000009.jpg": "apple",
        "train2017/000000000025.jpg": "pear",
        "val2017/000000000139.jpg": "pear",
        "test2017/000000000001.jpg": "",
    },
    "voc": {"VOC2012/JPEGImages/2007_000027.jpg": "apple", "VOC2012/JPEGImages/2007_000032.jpg": "pear"},
    "yolo": {"images/train/1.jpg": "apple", "images/train/2.jpg": "pear", "images/val/3.jpg": "pear"},
}


@pytest.mark.parametrize("kind", DRAWN)
def test_the_guides_drawings_are_read_as_it_says(tmp_path: Path, kind: str) -> None:
    section = GUIDE.partition(f"### {kind}\n")[2]
    drawing, block = (
        re.findall(rf"^```{language}\n(.*?)^```", section, flags=re.M | re.S)[0] for language in ("text", "yaml")
    )
    for name in DRAWN[kind]:
        assert all(part in drawing for part in re.split(r"(?<=\.zip)/", name))
    files: dict[str, bytes | str] = {name: image(0) for name in DRAWN[kind] if ".zip/" not in name}
    for inner in {name.split("/")[0] for name in DRAWN[kind]} - {name.split("/")[0] for name in files}:
        names = [name.removeprefix(f"{inner}/") for name in DRAWN[kind] if name.startswith(inner)]
        files[inner] = make_zip(tmp_path / inner, images(*names)).read_bytes()
    if kind == "csv_index":
        files["train.csv"] = "".join(f"{line}\n" for line in re.findall(r"\S+,\S+", drawing))
    if kind in ("coco", "voc", "yolo"):  # a file's content is drawn beside its name
        files |= dict(re.findall(r"^(\S+)  +(\S.*(?:\n +.*)*)", drawing, flags=re.M))
    make_zip(tmp_path / "fruit/archive.zip", files)
    content = YAML(typ="safe", pure=True).load(block)["format"]
    layout: Format = TypeAdapter(Format).validate_json(json.dumps(content))
    assert {example.id: example.label for example in read(tmp_path / "fruit", layout)} == DRAWN[kind]
