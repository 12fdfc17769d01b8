"""Image files inside Parquet, as the Hugging Face Hub has them."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from podium.config.datasets import ImageParquetFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import Example, read, read_validated
from podium.datasets.formats.image_parquet import table
from podium.datasets.formats.image_parquet.detect import find
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CLASSES = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}


def png(number: int) -> bytes:
    content = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def structs(count: int, start: int = 0) -> pa.Array:
    return pa.array([{"bytes": png(start + n), "path": f"{n}.png"} for n in range(count)], STRUCT)


def labels(count: int) -> pa.Array:
    return pa.array([n % 2 for n in range(count)])


def parquet(columns: Mapping[str, pa.Array], features: object = None, rows: int = 7, **options: Any) -> bytes:
    content = io.BytesIO()
    made = pa.table(dict(columns))
    if features is not None:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(made, content, row_group_size=rows, **options)
    return content.getvalue()


def hub(count: int = 20, start: int = 0) -> bytes:
    return parquet({"image": structs(count, start), "label": labels(count)}, CLASSES)


def make(folder: Path, files: Mapping[str, bytes]) -> Path:
    raw = folder / "pets"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw


def look(folder: Path, files: Mapping[str, bytes]) -> list[Reading]:
    with Archive(make(folder, files)) as archive:
        return find(Contents.of(archive, archive.files(), []))


def layout_of(train: str | list[str] = "train.parquet", **others: str | list[str]) -> ImageParquetFormat:
    files = {"train": train, **others}
    return ImageParquetFormat(kind="image_parquet", files=files, image_column="image", label_column="label")


def read_one(folder: Path, data: bytes) -> list[Example]:
    return [*read(make(folder, {"train.parquet": data}), layout_of())]


# reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_bytes", [1, 500, 1 << 25])
@pytest.mark.parametrize("rows", [3, 100])
def test_a_row_is_an_image_file_with_the_name_of_its_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_bytes: int, rows: int
) -> None:
    monkeypatch.setattr(table, "BATCH_BYTES", batch_bytes)
    examples = read_one(tmp_path, parquet({"image": structs(20), "label": labels(20)}, CLASSES, rows))
    assert [(e.id, e.part, e.label) for e in examples] == [
        (f"train.parquet:{n}", "train", ["cat", "dog"][n % 2]) for n in range(20)
    ]
    assert [e.image for e in examples] == [png(n) for n in range(20)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (labels(4), "0101"),
        (labels(4).cast(pa.uint8()), "0101"),
        (pa.array(["a", " b ", "a", "b"]), "abab"),
        (pa.array(["a", "b", "a", "b"]).dictionary_encode(), "abab"),
        (pa.array([0, None, 1, 0]), ["0", "", "1", "0"]),
    ],
)
def test_labels_without_names_are_their_text(tmp_path: Path, column: pa.Array, expected: Sequence[str]) -> None:
    found = [e.label for e in read_one(tmp_path, parquet({"image": structs(4), "label": column}))]
    assert found == [*expected]


def test_plain_bytes_are_read_like_a_struct(tmp_path: Path) -> None:
    data = parquet({"image": pa.array([png(n) for n in range(9)]), "label": labels(9)})
    assert [e.image for e in read_one(tmp_path, data)] == [png(n) for n in range(9)]


def test_a_row_without_bytes_or_with_a_label_that_has_no_name_has_a_fault(tmp_path: Path) -> None:
    images = pa.array([{"bytes": png(0)}, {"bytes": None}, None, {"bytes": png(3)}, {"bytes": b"no image"}], STRUCT)
    data = parquet({"image": images, "label": pa.array([0, 1, 1, 2, 0])}, CLASSES)
    examples = read_one(tmp_path, data)
    assert [e.fault for e in examples] == [
        "",
        "there are no bytes in its row",
        "there are no bytes in its row",
        "its label is 2, and the file names 2 classes",
        "",
    ]
    manifest = build_manifest(iter(examples))
    assert manifest["fault"].notna().tolist() == [False, True, True, True, True]
    assert manifest["format"].tolist()[0] == "PNG"


def test_shards_are_read_in_the_order_of_their_names_and_other_files_are_not(tmp_path: Path) -> None:
    files = {f"data/train-0000{n}-of-00002.parquet": hub(5, 100 * n) for n in (1, 0)}
    raw = make(tmp_path, files | {"data/test-00000-of-00001.parquet": hub(5), "data/train-x/y.parquet": b""})
    ids = [e.id for e in read(raw, layout_of("data/train-*.parquet"))]
    assert ids == [f"data/train-0000{n}-of-00002.parquet:{row}" for n in (0, 1) for row in range(5)]
    assert ids == [e.id for e in read(raw, layout_of([f"data/train-0000{n}-of-00002.parquet" for n in (0, 1)]))]


def test_images_of_a_manifest_are_read_again_with_those_that_are_wanted(tmp_path: Path) -> None:
    raw = make(tmp_path, {"train.parquet": hub()})
    manifest = build_manifest(read(raw, layout_of()))
    wanted = [n % 3 == 0 for n in range(20)]
    again = [*read_validated(raw, layout_of(), manifest, wanted)]
    assert [(e.id, e.label) for e in again] == [*zip(manifest["id"], manifest["label"], strict=True)]
    assert [e.image for e in again] == [png(n) if n % 3 == 0 else None for n in range(20)]


def test_unlabelled_files_need_no_label(tmp_path: Path) -> None:
    raw = make(tmp_path, {"a.parquet": hub(), "b.parquet": parquet({"image": structs(3)})})
    layout = layout_of("a.parquet", unlabelled="b.parquet")
    assert [(e.part, e.label) for e in read(raw, layout)][-3:] == [("unlabelled", "")] * 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read as Parquet"),
        (b"PAR1" + bytes(90) + b"PAR1", "cannot be read as Parquet"),
        (hub()[:-300], "cannot be read as Parquet"),
        (parquet({"picture": structs(3), "label": labels(3)}), "no column 'image'.*format.image_column"),
        (parquet({"image": structs(3), "labels": labels(3)}), "no column 'label'. Did you mean 'labels'"),
        (parquet({"image": pa.array(["a.png"] * 3), "label": labels(3)}), "'image' is string; expected the bytes"),
        (parquet({"image": pa.array([[png(0)]] * 3), "label": labels(3)}), "'image' is list<"),
        (
            parquet({"image": structs(3), "label": pa.array([[1, 2]] * 3)}),
            "'label' is list<.*expected one whole number",
        ),
        (parquet({"image": structs(3), "label": pa.array([0.5] * 3)}), "'label' is double"),
        (parquet({"image": structs(0), "label": labels(0).cast(pa.int64())}), "has no rows"),
    ],
    ids=["empty", "zeros", "cut", "image", "label", "paths", "list", "labels", "fractions", "rows"],
)
def test_a_file_that_is_laid_out_otherwise_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_one(tmp_path, data)


def test_flipped_bytes_end_in_images_or_in_one_message(tmp_path: Path) -> None:
    data, random = hub(), np.random.default_rng(0)
    for number in range(60):
        flipped = bytearray(data)
        for place in random.integers(0, len(data), 3):
            flipped[place] = random.integers(256)
        (tmp_path / str(number)).mkdir()
        try:
            read_one(tmp_path / str(number), bytes(flipped))
        except PodiumError:
            continue


def test_a_file_that_grows_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_HARMLESS_BYTES", 1 << 16)
    images = pa.array([bytes(1 << 14) + png(0) for _ in range(64)])
    data = parquet({"image": images, "label": labels(64)}, rows=64, compression="zstd", use_dictionary=False)
    with pytest.raises(PodiumError, match=r"grows .* times when unpacked"):
        read_one(tmp_path, data)


def test_a_file_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"no file 'train\*\.parquet'.*'trian\.parquet'"):
        list(read(make(tmp_path, {"trian.parquet": hub()}), layout_of("train*.parquet")))


# finding ------------------------------------------------------------------------------------------------


def test_the_hubs_layout_is_found_with_its_shards_and_parts(tmp_path: Path) -> None:
    files = {f"data/train-0000{n}-of-00002.parquet": hub(20, 100 * n) for n in range(2)}
    files["data/validation-00000-of-00001.parquet"] = hub(6)
    bare = {"image": structs(5), "label": pa.array([-1] * 5)}
    files["data/test-00000-of-00001.parquet"] = parquet(bare, CLASSES)
    (reading,) = look(tmp_path, files | {"README.md": b""})
    assert reading.format == layout_of(
        "data/train-*-of-00002.parquet",
        validation="data/validation-00000-of-00001.parquet",
        unlabelled="data/test-00000-of-00001.parquet",
    )
    assert (reading.images, reading.strength, reading.doubts, reading.notes) == (51, WRITTEN_DOWN, [], [])
    assert len([*read(tmp_path / "pets", reading.format)]) == 51


@pytest.mark.parametrize(
    ("columns", "features", "expected"),
    [
        ({"image": structs(30), "label": labels(30)}, None, ("image", "label")),
        ({"img": pa.array([png(n) for n in range(30)]), "class": labels(30)}, None, ("img", "class")),
        ({"image": structs(30), "labels": pa.array(["a", "b", "c"] * 10)}, None, ("image", "labels")),
        (
            {"id": pa.array(range(30)), "image": structs(30), "animal": pa.array(["a", "b"] * 15)},
            None,
            ("image", "animal"),
        ),
        (
            {"image": structs(30), "animal": labels(30), "label": pa.array(range(30))},
            {"animal": CLASSES["label"]},
            ("image", "animal"),
        ),
        (
            {"image": structs(30), "label": labels(30), "objects": pa.array([[{"bbox": [1.0]}]] * 30)},
            None,
            ("image", "label"),
        ),
    ],
    ids=["struct", "bytes", "text", "id", "the Hub's classes", "objects beside a label"],
)
def test_columns_are_told_by_metadata_names_and_values(
    tmp_path: Path, columns: dict[str, pa.Array], features: object, expected: tuple[str, str]
) -> None:
    (reading,) = look(tmp_path, {"x.parquet": parquet(columns, features)})
    assert (reading.format.image_column, reading.format.label_column) == expected
    assert reading.doubts == []
    assert bool(reading.notes) == (len(columns) > 2)


def test_a_shard_that_is_missing_is_a_doubt(tmp_path: Path) -> None:
    (reading,) = look(tmp_path, {"data/train-00000-of-00003.parquet": hub()})
    assert reading.doubts == ["Of 3 files such as 'data/train-00000-of-00003.parquet', only 1 can be found."]


def test_parts_with_other_columns_are_refused(tmp_path: Path) -> None:
    other = parquet({"img": structs(9), "label": labels(9)})
    (reading,) = look(tmp_path, {"train.parquet": hub(), "test.parquet": other})
    assert reading.format is None
    assert "have other columns" in reading.doubts[0]


def test_two_columns_of_classes_are_a_reading_each_with_a_doubt(tmp_path: Path) -> None:
    names = {"fine_label": CLASSES["label"], "coarse_label": CLASSES["label"]}
    data = parquet({"img": structs(9), "fine_label": labels(9), "coarse_label": labels(9)}, names)
    found = look(tmp_path, {"cifar100/train-00000-of-00001.parquet": data})
    assert [reading.format.label_column for reading in found] == ["fine_label", "coarse_label"]
    assert "it could also be 'coarse_label'" in found[0].doubts[0]


def test_beside_as_many_image_files_it_is_the_lesser_evidence(tmp_path: Path) -> None:
    (reading,) = look(tmp_path, {"x.parquet": hub()} | {f"{n}.png": png(n) for n in range(20)})
    assert (reading.strength, reading.doubts) == (NAMES_SAY_SO, ["The archive also has 20 image files."])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (parquet({"image": structs(30), "objects": pa.array([[{"bbox": [1.0]}]] * 30)}), "several labels or objects"),
        (parquet({"image": structs(30), "labels": pa.array([[1, 2]] * 30)}), "several labels or objects"),
        (
            parquet({"image": structs(30), "text": pa.array([f"a cat {n}" for n in range(30)])}),
            "None of its columns is a label",
        ),
        (
            parquet({"images": pa.array([[{"bytes": png(1)}]] * 4, pa.list_(STRUCT)), "label": labels(4)}),
            "expected one image",
        ),
        (parquet({"a": pa.array([{"b": {"bytes": png(1)}}] * 4), "label": labels(4)}), "expected one image a row"),
        (
            parquet({"image": pa.array([{"bytes": None, "path": "a"}] * 9, STRUCT), "label": labels(9)}),
            "and not their bytes",
        ),
        (b"PAR1" + bytes(99) + b"PAR1", "cannot be read as Parquet"),
    ],
    ids=["objects", "labels", "captions", "list", "struct", "paths in structs", "damaged"],
)
def test_images_that_cannot_be_read_are_refused_with_the_cause(tmp_path: Path, data: bytes, words: str) -> None:
    (reading,) = look(tmp_path, {"x.parquet": data})
    assert reading.format is None
    assert words in reading.doubts[0]
    assert "x.parquet" in reading.doubts[0]


@pytest.mark.parametrize(
    "data",
    [
        parquet({"path": pa.array(["a.png"] * 9), "label": labels(9)}),
        parquet({"audio": pa.array([{"bytes": b"RIFF0000WAVE", "path": ""}] * 9, STRUCT), "label": labels(9)}),
        parquet({"a": labels(9)}),
    ],
    ids=["paths", "audio", "numbers"],
)
def test_other_tables_are_not_taken_for_images(tmp_path: Path, data: bytes) -> None:
    assert look(tmp_path, {"x.parquet": data}) == []
