"""What other programs read of a dataset is what podium knows: `mlcroissant` finds no fault, and loads the same rows."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import mlcroissant as mlc
import numpy as np
import pandas as pd
import pytest
from etils import epath
from PIL import Image

from podium.config.datasets import Dataset, DigitsFormat, ImageFolderFormat, KaggleSource, SklearnSource
from podium.datasets.croissant import save_croissant
from podium.datasets.croissant.terms import MEANINGS
from podium.datasets.formats import read
from podium.datasets.provenance import save_provenance
from podium.datasets.sources import fetch
from podium.datasets.splits import assign_splits
from podium.datasets.validation.manifest import COLUMNS, as_seen, save_manifest
from podium.datasets.validation.scan import build_manifest
from podium.paths import LICENCES, DatasetPaths
from tests.makers import make_archive, make_dataset, make_rows, make_table

pytestmark = [  # of mlcroissant 1.1.1 itself
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

PATHS = DatasetPaths("dots")
FOLDERS = make_dataset(format=ImageFolderFormat(kind="image_folder", folders={"train": "pets/train"}))
TABLES = make_dataset()
NESTED = make_dataset(format=ImageFolderFormat(kind="image_folder", folders={"train": "all of it.zip/train"}))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder, and one where `mlcroissant` unpacks archives; it knows them by their path alone."""
    internals = "mlcroissant._src.operation_graph.operations.extract.EXTRACT_PATH"
    monkeypatch.setattr(internals, epath.Path(tmp_path / "unpacked"))
    monkeypatch.chdir(tmp_path)


def make_images(prefix: str = "") -> bytes:
    """A zip with 12 images of three classes under `prefix`, in two kinds of file, and things that are no images."""
    content, random = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{prefix}read me.txt"), "hello")  # so dated it has the same bytes at any time
        for number in range(12):
            image = io.BytesIO()
            kind = ("PNG", "JPEG")[number // 6]
            Image.fromarray(random.integers(0, 255, (6, 5, 3), np.uint8)).save(image, kind)
            name = f"{prefix}train/{number % 3}/[{number}] ä.{kind.lower()}"
            archive.writestr(zipfile.ZipInfo(name), image.getvalue())
    return content.getvalue()


def save(dataset: Dataset) -> dict[str, Any]:
    """Do what the stages do to a dataset whose archive lies in its raw folder; give the metadata."""
    save_provenance(dataset.source, PATHS.raw, PATHS.lock)
    manifest = as_seen(build_manifest(read(PATHS.raw, dataset.format)))
    manifest.loc[manifest.index[-1], "left_out"] = "a person said so"
    assigned = assign_splits(manifest, dataset.split)
    manifest = manifest.assign(split=assigned["split"], reason=assigned["reason"])
    for path in (PATHS.manifest, PATHS.processed / "split.csv", PATHS.croissant):
        path.parent.mkdir(parents=True, exist_ok=True)
    save_manifest(manifest, PATHS.manifest)
    assigned.to_csv(PATHS.processed / "split.csv", index=False, lineterminator="\n")
    save_croissant("dots", dataset, manifest, assigned, PATHS.croissant)
    content: dict[str, Any] = json.loads(PATHS.croissant.read_text(encoding="utf-8"))
    return content


def make(kind: str, **changes: Any) -> dict[str, Any]:
    """Put a dataset's archive into its raw folder, and save its metadata."""
    PATHS.raw.mkdir(parents=True)
    match kind:
        case "folders":
            (PATHS.raw / "archive.zip").write_bytes(make_images("pets/"))
            dataset = FOLDERS
        case "nested":
            with zipfile.ZipFile(PATHS.raw / "archive.zip", "w") as archive:
                archive.writestr("all of it.zip", make_images())
            dataset = NESTED
        case "tables":
            make_archive(PATHS.raw, train=make_table(make_rows(12)))
            dataset = TABLES
        case _:
            source = SklearnSource(kind="sklearn", name="digits")
            fetch(source, PATHS.raw, PATHS.downloads)
            dataset = make_dataset(
                source=source,
                format=DigitsFormat(kind="digits"),
                classes={str(digit): str(digit) for digit in range(10)},
            )
    return save(make_dataset(**{key: getattr(dataset, key) for key in ("source", "format", "classes")} | changes))


def rows(record_set: str, **options: Any) -> pd.DataFrame:
    records = [
        {key.rpartition("/")[2]: value.decode() if isinstance(value, bytes) else value for key, value in record.items()}
        for record in mlc.Dataset(jsonld=PATHS.croissant, **options).records(record_set)
    ]
    return pd.DataFrame(records)


@pytest.mark.parametrize("kind", ["folders", "tables", "nested", "digits"])
def test_it_conforms_and_lacks_only_what_nobody_knows(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    make(kind)
    read_back = mlc.Dataset(jsonld=PATHS.croissant).metadata
    assert not read_back.ctx.issues.errors
    assert read_back.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    assert "not standard" not in caplog.text
    lacking = {line.split('"')[1].rpartition("/")[2] for line in read_back.ctx.issues.warnings}
    assert lacking == {"datePublished", "license", "version"} | ({"citeAs"} if kind != "digits" else set())


@pytest.mark.parametrize("kind", ["folders", "tables", "nested"])
def test_its_images_are_the_rows_of_the_manifest_with_their_splits(kind: str) -> None:
    make(kind)
    found, manifest = rows("images"), pd.read_parquet(PATHS.manifest)
    split = pd.read_csv(PATHS.processed / "split.csv")
    named = [name for name in COLUMNS if not name.startswith("box_")]
    assert {*found.columns} == {*named}
    for name in named:
        expected = manifest[name]
        assert found[name].isna().tolist() == expected.isna().tolist(), name
        assert found[name].dropna().tolist() == expected.dropna().tolist(), name
    assert found["split"].tolist() == split["split"].tolist()
    assert set(found["split"]) == {"train", "validation", "test", "quarantined"}


@pytest.mark.parametrize("kind", ["folders", "tables", "nested"])
def test_its_splits_and_classes_are_counted_and_in_the_order_of_the_model(kind: str) -> None:
    make(kind)
    images, splits, classes = rows("images"), rows("splits"), rows("classes")
    assert splits["name"].tolist() == ["train", "validation", "test", "quarantined"]
    assert splits["url"].fillna("").tolist() == ["cr:TrainingSplit", "cr:ValidationSplit", "cr:TestSplit", ""]
    assert dict(zip(splits["name"], splits["images"], strict=True)) == images["split"].value_counts().to_dict()
    assert classes["position"].tolist() == list(range(len(classes)))
    assert set(images["label"]) == set(classes["label"])


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # mlcroissant leaves the images open
def test_image_files_are_loaded_with_their_labels() -> None:
    make("folders")
    found, manifest = rows("files"), pd.read_parquet(PATHS.manifest)
    labels = dict(zip(manifest["id"], manifest["label"], strict=True))
    assert dict(zip(found["id"], found["label"], strict=True)) == labels
    with zipfile.ZipFile(PATHS.raw / "archive.zip") as archive:
        for name, image in zip(found["id"], found["image"], strict=True):
            expected = Image.open(io.BytesIO(archive.read(name)))
            np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))


def test_each_file_is_named_where_it_lies() -> None:
    content = {each["@id"]: each for each in make("nested")["distribution"]}
    assert [*content] == ["archive", "archive/all%20of%20it.zip", "image-files/all%20of%20it.zip", "manifest", "split"]
    assert content["archive/all%20of%20it.zip"]["containedIn"] == {"@id": "archive"}
    files = content["image-files/all%20of%20it.zip"]
    assert files["containedIn"] == {"@id": "archive/all%20of%20it.zip"}
    assert files["includes"] == ["train/**/*.jpeg", "train/**/*.png"]
    for key in ("archive", "manifest", "split"):
        assert (PATHS.croissant.parent / content[key]["contentUrl"]).stat().st_size == int(
            content[key]["contentSize"].removesuffix(" B")
        )


def test_a_file_that_is_another_now_is_refused_by_its_digest() -> None:
    make("tables")
    pd.read_parquet(PATHS.manifest).iloc[1:].to_parquet(PATHS.manifest)
    with pytest.raises(mlc.GenerationError, match=r"Download\(manifest\)"):
        rows("images")


@pytest.mark.parametrize(
    ("source", "url", "content_url", "version"),
    [
        ({"dataset": "owner/dots"}, "datasets/owner/dots", "datasets/download/owner/dots", None),
        (
            {"dataset": "owner/dots", "version": 3},
            "datasets/owner/dots",
            "datasets/download/owner/dots?datasetVersionNumber=3",
            "3.0.0",
        ),
        ({"competition": "dots"}, "competitions/dots", "competitions/data/download-all/dots", None),
    ],
)
def test_kaggle_is_named_with_address_version_and_licences(
    source: dict[str, Any], url: str, content_url: str, version: str | None
) -> None:
    PATHS.downloads.mkdir(parents=True)
    (PATHS.downloads / LICENCES).write_text('{"dataset": "owner/dots", "licences": ["CC0-1.0", "DbCL-1.0"]}')
    content = make("tables", source=KaggleSource(kind="kaggle", **source))
    assert content["url"] == f"https://www.kaggle.com/{url}"
    assert content["distribution"][0]["contentUrl"] == f"https://www.kaggle.com/api/v1/{content_url}"
    assert content.get("version") == version
    assert content.get("license") == (["CC0-1.0", "DbCL-1.0"] if "dataset" in source else None)
    here = {"archive": PATHS.raw / "archive.zip"}  # an archive that is here already need not be downloaded
    assert mlc.Dataset(jsonld=PATHS.croissant, mapping=here).metadata.version == version


def test_the_same_dataset_gives_the_same_bytes_wherever_its_archive_was(tmp_path: Path) -> None:
    contents = []
    for place in ("/home/anna/dots.zip", "incoming"):
        make("folders", source=FOLDERS.source.__class__(kind="archive", path=place))
        contents.append(PATHS.croissant.read_bytes())
        shutil.rmtree(tmp_path / "data")
    assert contents[0] == contents[1]
    assert b"anna" not in contents[0]


def test_every_column_says_what_it_means() -> None:
    assert [name for name in COLUMNS if name not in MEANINGS] == []
