import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.datasets import preprocessing
from podium.datasets.arrays import SPLITS, load_classes, open_split
from podium.datasets.formats import Example
from podium.datasets.preprocessing import PROGRESS_FILE, write_arrays
from podium.datasets.splits import assign_splits
from podium.datasets.validation.manifest import as_seen
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from podium.images import parallel as workers
from tests.makers import STRATIFIED, make_dataset, make_images

BOXES = make_dataset(target="label_and_box", image=Image(height=8, width=16, channels=3, resize="stretch"))


def make_photographs(count: int) -> list[Example]:
    """Random JPEG files of many sizes, with boxes."""
    generator = np.random.default_rng(0)
    examples = []
    for row in range(count):
        height, width = (int(side) for side in generator.integers(5, 60, 2))
        content = io.BytesIO()
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).save(content, "JPEG")
        box = (width / 4, height / 2, width / 2, height / 4)
        examples.append(Example(f"{row}.jpg", "train", str(row % 3), content.getvalue(), box=box))
    return examples


def digest(folder: Path) -> dict[str, str]:
    """The bytes of every file of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write(folder: Path, examples: list[Example], stream: Iterator[Example] | None = None, **options: int) -> Path:
    manifest = as_seen(build_manifest(examples))
    write_arrays(stream or iter(examples), manifest, assign_splits(manifest, STRATIFIED), BOXES, folder, **options)
    return folder


def test_arrays_hold_each_image_in_its_split_in_the_archives_order(tmp_path: Path) -> None:
    images, labels = make_images(9)
    examples = [
        Example(f"image-{row}", "train", str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    places = ["train", "test", "validation", "train", "test", "train", "train", "validation", "train"]
    assigned = pd.DataFrame({"id": [e.id for e in examples], "sha256": "", "split": places, "reason": "told so"})
    dataset = make_dataset(classes={"2": "señal", "0": "猫", "1": "NA"})
    write_arrays(iter(examples), as_seen(build_manifest(examples)), assigned, dataset, tmp_path / "dots")
    for name in SPLITS:
        rows = [row for row, place in enumerate(places) if place == name]
        split = open_split(tmp_path / "dots" / name)
        assert split.ids.tolist() == [f"image-{row}" for row in rows]
        assert split.labels.tolist() == [["2", "0", "1"].index(str(labels[row])) for row in rows]
        np.testing.assert_array_equal(split.images, images[rows])
    assert load_classes(tmp_path / "dots") == ["señal", "猫", "NA"]
    assert pd.read_csv(tmp_path / "dots/split.csv")["split"].tolist() == places


def test_images_without_a_place_in_the_split_manifest_are_no_silent_loss(tmp_path: Path) -> None:
    images, _ = make_images(2)
    examples = [Example(name, "", "0", images[0]) for name in "ab"]
    assigned = pd.DataFrame({"id": ["a"], "sha256": [""], "split": ["train"], "reason": [""]})
    with pytest.raises(ValueError, match="zip"):
        write_arrays(examples, build_manifest(examples[:1]), assigned, make_dataset(), tmp_path / "dots")


def test_boxes_follow_their_images(tmp_path: Path) -> None:
    split = open_split(write(tmp_path / "dots", make_photographs(12)) / "test")
    assert split.boxes is not None
    np.testing.assert_allclose(split.boxes, [[4, 4, 8, 2]] * len(split))
    assert split.boxes.dtype == np.float32
    assert open_split(tmp_path / "dots/train").images.shape[1:] == (8, 16, 3)


def test_images_without_labels_are_in_no_array(tmp_path: Path) -> None:
    examples = [*make_photographs(12), Example("13.jpg", "unlabelled", "", make_photographs(1)[0].image)]
    folder = write(tmp_path / "dots", examples)
    assert sum(len(open_split(folder / name)) for name in SPLITS) == 12
    assert pd.read_csv(folder / "split.csv")["split"].tolist()[-1] == "unlabelled"


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    examples = make_photographs(150)
    one, two, many = (digest(write(tmp_path / str(workers), examples, workers=workers)) for workers in (1, 2, 7))
    assert one == two == many
    assert len(one) == 14


@pytest.mark.parametrize("last", [0, 1, 39, 40, 41, 119])
def test_a_killed_run_is_gone_on_with_and_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    monkeypatch.setattr(preprocessing, "IMAGES_BETWEEN_MARKS", 20)
    monkeypatch.setattr(workers, "CHUNK_ITEMS", 4)
    examples = make_photographs(120)
    whole = digest(write(tmp_path / "whole", examples))

    def dies() -> Iterator[Example]:
        yield from examples[:last]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "dots", examples, dies(), workers=1)
    decoded = []
    monkeypatch.setattr(preprocessing, "decode", lambda data, *how: decoded.append(data) or decode(data, *how))
    decode = preprocessing.decoding.decode
    assert digest(write(tmp_path / "dots", examples)) == whole
    assert PROGRESS_FILE not in whole
    assert len(decoded) <= 120 - (last - 20 - 4 * 4) // 20 * 20, "what is done is not done again"
    assert (len(decoded) < 120) == (last > 35)


def test_what_was_begun_with_other_images_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocessing, "IMAGES_BETWEEN_MARKS", 1)
    monkeypatch.setattr(workers, "CHUNK_ITEMS", 4)
    examples = make_photographs(60)
    whole = digest(write(tmp_path / "whole", examples))

    def dies() -> Iterator[Example]:
        yield from make_photographs(30)
        raise KeyboardInterrupt

    others = [Example(e.id, e.part, str(row % 2), e.image, box=e.box) for row, e in enumerate(examples)]
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "dots", others, dies(), workers=1)
    assert (tmp_path / "dots" / PROGRESS_FILE).exists()
    assert digest(write(tmp_path / "dots", examples)) == whole


def test_an_image_that_went_bad_since_validation_is_named(tmp_path: Path) -> None:
    good = make_photographs(12)
    bad = [*good[:7], Example("7.jpg", "train", "1", b"not an image", box=good[7].box), *good[8:]]
    with pytest.raises(PodiumError, match=r"7\.jpg: the file is text; it is no image.*dvc repro --force validate@NAME"):
        write(tmp_path / "dots", good, iter(bad))
