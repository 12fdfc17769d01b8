import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo

from podium.config import Candidate, Dataset, load_params
from podium.config.datasets import (
    ArchiveDrawnSplit,
    ArchiveHashedSplit,
    ArchiveSource,
    ArchiveSplit,
    CsvIndexFormat,
    DigitStructFormat,
    HashedSplit,
    ImageFolderFormat,
    KaggleSource,
    StratifiedSplit,
)
from podium.datasets.masks import count_classes
from podium.datasets.splits import assign_splits
from podium.datasets.starter import choices
from podium.datasets.starter.page import SCHEDULE, Found, write_page
from podium.datasets.starter.problems import find_problems
from podium.datasets.starter.reference import name_dataset, read_reference
from podium.datasets.starter.seeds import choose_seed
from podium.datasets.validation.limits import infer_validation
from podium.datasets.validation.manifest import SEEN, as_seen
from podium.errors import PodiumError
from tests.makers import REPOSITORY, make_dataset

CLASSES_IN_FOLDERS = ImageFolderFormat(kind="image_folder", folders={"train": "."})
DIGITS = DigitStructFormat(
    kind="digit_struct", folders={"train": "."}, annotations={"train": "digitStruct.mat"}, digits="one"
)
USUAL: dict[str, Any] = {
    "format": "JPEG",
    "mode": "RGB",
    "height": 40,
    "width": 50,
    "channels": 3,
    "darkest": 0,
    "brightest": 255,
    "brightness": 100.0,
    "contrast": 50.0,
    "sharpness": 500.0,
    "notice": None,
    "fault": None,
}


def make_manifest(counts: Mapping[str, Mapping[str, int]], **changes: Sequence[object]) -> pd.DataFrame:
    """A manifest with so many images of each label in each part; changes replace columns."""
    rows = [(part, label) for part, labels in counts.items() for label, count in labels.items() for _ in range(count)]
    table = pd.DataFrame(rows, columns=["part", "label"]).assign(**USUAL)
    table["id"] = [f"p{row}" for row in range(len(table))]
    digits = np.random.default_rng(0).bytes(64 * len(table)).hex()
    for column, start in (("sha256", 0), ("hash", len(digits) // 2)):
        table[column] = [digits[start + 64 * row : start + 64 * (row + 1)] for row in range(len(table))]
    table = table.assign(**changes) if changes else table
    return table.reindex(columns=SEEN)


def sizes(*pairs: tuple[int, int], channels: int = 3) -> pd.DataFrame:
    heights, widths = zip(*pairs, strict=True)
    return make_manifest({"train": {"a": len(pairs)}}, height=heights, width=widths, channels=[channels] * len(pairs))


# what is asked for --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "keys", "name"),
    [
        ("kaggle:owner/Some_Slug", {"dataset": "owner/Some_Slug"}, "some-slug"),
        ("kaggle:dogs-vs-cats", {"competition": "dogs-vs-cats"}, "dogs-vs-cats"),
        ("https://www.kaggle.com/datasets/owner/slug", {"dataset": "owner/slug"}, "slug"),
        ("http://kaggle.com/datasets/owner/slug/data?select=x#y", {"dataset": "owner/slug"}, "slug"),
        ("www.kaggle.com/datasets/owner/slug/versions/3", {"dataset": "owner/slug", "version": 3}, "slug"),
        ("https://www.kaggle.com/competitions/slug/data", {"competition": "slug"}, "slug"),
        ("https://www.kaggle.com/c/slug", {"competition": "slug"}, "slug"),
    ],
)
def test_kaggle_is_named_by_a_short_word_or_by_an_address(
    tmp_path: Path, reference: str, keys: dict[str, Any], name: str
) -> None:
    source = read_reference(reference, tmp_path, tmp_path)
    assert source == KaggleSource(kind="kaggle", **keys)
    assert name_dataset(source) == name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("My Fruit_2.zip", "my-fruit-2"),
        ("señal é.TAR.GZ", "senal-e"),
        ("a.b.tgz", "a-b"),
        ("猫.zip", "dataset"),
        ("folder.v2", "folder-v2"),
    ],
)
def test_a_path_is_taken_from_where_one_is_and_written_as_the_project_sees_it(
    tmp_path: Path, file: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, here = tmp_path / "project", tmp_path / "project/data/sub"
    here.mkdir(parents=True)
    monkeypatch.chdir(root)
    for folder, path in ((here, f"data/sub/{file}"), (tmp_path, str(tmp_path / file))):
        (folder / file).touch()
        source = read_reference(file, root, folder)
        assert source == ArchiveSource(kind="archive", path=path)
        assert name_dataset(source) == name


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("kaggle:", "'kaggle:' names nothing on Kaggle. Expected kaggle:OWNER/SLUG"),
        ("kaggle:a/b/c", "names nothing on Kaggle"),
        ("kaggle:sp ace", "names nothing on Kaggle"),
        ("https://www.kaggle.com/models/x/y", "is no page of a dataset or of a competition. Expected"),
        ("https://www.kaggle.com/datasets", "is no page of a dataset or of a competition"),
        ("owner/slug", "For the dataset on Kaggle, type `podium init kaggle:owner/slug`"),
        ("fruit.zip", "There is no .*fruit.zip. Expected kaggle:OWNER/SLUG"),
    ],
)
def test_what_is_no_reference_is_answered_with_what_is_one(tmp_path: Path, reference: str, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_reference(reference, tmp_path, tmp_path)


# choices ------------------------------------------------------------------------------------------------


def test_classes_are_in_natural_order() -> None:
    labels = ["10", "2", "007", "b", "a10", "a2", "A1", "02-x", "1" * 5000, "", "a"]
    assert list(choices.choose_classes(labels, CLASSES_IN_FOLDERS)) == [
        *("", "2", "02-x", "007", "10", "1" * 5000, "a", "A1", "a2", "a10", "b")
    ]


def test_ten_is_the_digit_zero_where_digits_are_read() -> None:
    labels = [str(label) for label in range(1, 11)]
    assert choices.choose_classes(labels, DIGITS)["10"] == "0"
    assert choices.choose_classes(labels, CLASSES_IN_FOLDERS)["10"] == "10"


@pytest.mark.parametrize(
    "pair",
    [
        *(("Cat", "cat"), ("Stra\u00dfe", "STRASSE"), ("caf\u00e9", "cafe\u0301")),
        *(("cat", "cat "), ("big cat", "big  cat"), ("cat", "c\u0430t"), ("BEE", "\u0392EE")),
    ],
)
def test_labels_that_look_the_same_are_refused_by_name(pair: tuple[str, str]) -> None:
    with pytest.raises(PodiumError) as raised:
        choices.choose_classes([*pair, "dog"], CLASSES_IN_FOLDERS)
    assert all(f"'{label}'" in str(raised.value) for label in pair)


@pytest.mark.parametrize(("labels", "words"), [(["cat"], "only the label 'cat'"), ([], "no image that can be used")])
def test_less_than_two_classes_are_refused(labels: list[str], words: str) -> None:
    with pytest.raises(PodiumError, match=f"{words}.*; expected two classes at least"):
        choices.choose_classes(labels, CLASSES_IN_FOLDERS)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (sizes((28, 28), (28, 28), channels=1), (28, 28, 1, "stretch")),
        (sizes((256, 100), (256, 100)), (256, 100, 3, "stretch")),
        (sizes((257, 100), (257, 100)), (96, 96, 3, "stretch")),
        (sizes((500, 400), (300, 200), (100, 90)), (128, 128, 3, "stretch")),
        (sizes((127, 400), (127, 200)), (96, 96, 3, "stretch")),
        (sizes((64, 70), (64, 71)), (64, 64, 3, "stretch")),
        (sizes((5, 6), (6, 5)), (32, 32, 3, "stretch")),
        (sizes(*[(100, 300)] * 8, *[(300, 100)] * 2), (96, 96, 3, "pad")),
        (sizes(*[(100, 300)] * 99, *[(300, 100)]), (96, 96, 3, "stretch")),
    ],
)
def test_the_size_is_the_images_own_or_one_that_most_need_not_grow_to(
    images: pd.DataFrame, expected: tuple[int, int, int, str]
) -> None:
    image = choices.choose_image(images)
    assert (*image.shape, image.resize) == expected


def test_one_image_in_colour_makes_three_channels() -> None:
    assert choices.choose_image(make_manifest({"train": {"a": 3}}, channels=[1, 3, 1])).channels == 3


def drawn(test_from: str, *, stratify: bool = True) -> ArchiveDrawnSplit:
    return ArchiveDrawnSplit(kind="archive_drawn", test_from=test_from, validation=0.15, stratify=stratify, seed=0)


def stratified(share: float) -> StratifiedSplit:
    return StratifiedSplit(kind="stratified", validation=share, test=share, seed=0)


def hashed(share: float, seed: int = 0) -> HashedSplit:
    return HashedSplit(kind="hashed", validation=share, test=share, seed=seed)


def archive_hashed(test_from: str, share: float = 0.15, seed: int = 0) -> ArchiveHashedSplit:
    return ArchiveHashedSplit(kind="archive_hashed", test_from=test_from, validation=share, seed=seed)


FIFTY = {"a": 50, "b": 50}


@pytest.mark.parametrize(
    ("counts", "split"),
    [
        ({"train": FIFTY, "validation": FIFTY, "test": FIFTY}, ArchiveSplit(kind="archive")),
        ({"train": FIFTY, "test": FIFTY}, archive_hashed("test")),
        ({"train": FIFTY, "validation": FIFTY}, archive_hashed("validation")),
        ({"train": FIFTY, "unlabelled": {"": 9}}, hashed(0.15)),
        ({"train": FIFTY | {"c": 2}, "test": FIFTY | {"c": 2}}, archive_hashed("test", 0.15, 12)),
        ({"train": FIFTY | {"c": 1}, "test": FIFTY | {"c": 1}}, drawn("test", stratify=False)),
        ({"train": dict.fromkeys("abcde", 5)}, hashed(0.25, 21)),
        ({"train": dict.fromkeys("abc", 3)}, hashed(0.3, 2)),
        ({"train": dict.fromkeys("abcdef", 3)}, stratified(0.3)),
        ({"train": {"a": 50, "b": 2}}, stratified(0.15)),
    ],
)
def test_the_split_is_the_archives_as_far_as_it_goes_and_can_be_made(
    counts: dict[str, dict[str, int]], split: object
) -> None:
    manifest = make_manifest(counts)
    assert choices.choose_split(manifest) == (split, "")
    assigned = assign_splits(as_seen(manifest), choices.choose_split(manifest)[0])
    assert set(assigned["split"]) >= {"train", "validation", "test"}
    if isinstance(split, HashedSplit | ArchiveHashedSplit):
        labelled = choices.labelled_rows(manifest)
        assert pd.crosstab(labelled["label"], assigned["split"]).to_numpy().all(), "every class is in every split"


def test_near_duplicates_count_once_where_a_class_has_to_be_in_every_split() -> None:
    manifest = make_manifest({"train": FIFTY | {"c": 3}})
    assert choices.choose_split(manifest)[0].kind == "hashed"
    manifest.loc[101:, "hash"] = manifest.loc[101, "hash"]  # two of the three images of c
    split, _ = choices.choose_split(manifest)
    assert split.kind == "stratified"


def test_images_that_no_split_takes_are_told() -> None:
    split, reason = choices.choose_split(make_manifest({"train": {"a": 1, "b": 50}}))
    assert split == stratified(0.15)
    assert reason.startswith("These images cannot be split: ")


def test_classes_of_many_images_need_no_search_for_a_seed() -> None:
    generator = np.random.default_rng(0)
    count = 100_000
    images = pd.DataFrame({"sha256": [generator.bytes(32).hex() for _ in range(count)], "label": "a"})
    images = images.assign(group=range(count))
    assert choose_seed(images, [(0.15, 0.15)]) == (0.15, 0.15, 0)


@pytest.mark.parametrize(
    ("counts", "minimum", "imbalance"),
    [
        ({"train": {"a": 100, "b": 60}, "test": {"a": 10, "b": 9}}, 4, 2.1),  # 1.25 * 100 / 60 = 2.083
        ({"train": {"a": 1, "b": 1}}, 1, 1.3),  # 1.25
        ({"train": {"a": 28, "b": 25}}, 12, 1.4),  # 1.25 * 1.12; a rounding error makes it more
        ({"train": {"a": 8, "b": 8}, "test": {"a": 8}}, 1, 10.0),
    ],
)
def test_thresholds_leave_room(counts: dict[str, dict[str, int]], minimum: int, imbalance: float) -> None:
    manifest = make_manifest(counts)
    inferred = infer_validation(manifest, count_classes(manifest["label"], manifest["part"], ["a", "b"]), leaking=False)
    assert inferred.critical.minimum_per_class == minimum
    assert inferred.warning.maximum_imbalance == imbalance
    assert inferred.warning.modes == ["RGB"]
    assert inferred.warning.height == [40, 40]


@pytest.mark.parametrize(
    ("side", "filters"),
    [
        *((2, [16, 32]), (16, [16, 32]), (17, [32, 64, 128]), (48, [32, 64, 128])),
        *((49, [32, 64, 128, 256]), (1, [16])),
    ],
)
def test_the_model_halves_images_as_often_as_they_bear(side: int, filters: list[int]) -> None:
    image = choices.choose_image(sizes((side, 60), (side, 60)))
    model = choices.choose_model(image)
    assert (model.kind, model.filters) == ("photo_cnn" if side > 48 else "cnn", filters)


@pytest.mark.parametrize(
    ("box", "target"),
    [
        ((0, 0, 50, 40), "label_and_box"),
        ((-1, -1, 3, 3), "label_and_box"),
        ((49, 39, 9, 9), "label_and_box"),
        ((50, 0, 9, 9), "label"),
        ((-9, 0, 9, 9), "label"),
        ((0, 0, 9, 0), "label"),
        ((0, 0, 0.5, 1), "label"),
        ((None, None, None, None), "label"),
    ],
)
def test_the_box_is_a_target_if_every_box_holds_a_pixel(box: tuple[float, ...], target: str) -> None:
    columns = {
        f"box_{edge}": pd.Series([1.0, value], dtype=float)
        for edge, value in zip(("left", "top", "width", "height"), box, strict=True)
    }
    manifest = make_manifest({"train": {"a": 1, "b": 1}}, **columns)
    found, notes = choices.choose_target(manifest)
    assert (found, len(notes)) == (target, int(target == "label"))


def test_without_boxes_the_label_is_the_target() -> None:
    assert choices.choose_target(make_manifest({"train": {"a": 1, "b": 1}})) == ("label", [])


# problems -----------------------------------------------------------------------------------------------


def test_sound_data_has_no_problem() -> None:
    manifest = make_manifest({"train": FIFTY, "unlabelled": {"": 9}})
    labelled = choices.labelled_rows(manifest)
    counts = count_classes(labelled["label"], labelled["part"], ["a", "b"])
    assert find_problems(manifest, counts, "") == []


def test_every_problem_is_told_with_what_to_do() -> None:
    manifest = make_manifest({"train": {"a": 10, "b": 9, "": 1}, "test": {"a": 2}})
    manifest.loc[:6, "fault"] = "it is broken"
    manifest.loc[9, "id"] = "p8"
    labelled = choices.labelled_rows(manifest)
    counts = count_classes(labelled["label"], labelled["part"], ["a", "b"])
    faults, bare, twice, lacking, split = find_problems(manifest, counts, "No split will do.")
    assert faults.startswith("7 images cannot be used, at which validation will stop:\n  p0: it is broken\n  p1: ")
    assert "p4: it is broken\n  …\n" in faults
    assert "p5" not in faults
    assert "unpack the archive, and `podium init FOLDER`" in faults
    assert bare.startswith("1 images have an empty label, at which validation will stop:\n  p19\n")
    assert twice.startswith("1 images are named more than once, at which validation will stop:\n  p8\n")
    assert lacking.startswith(
        "Not every part has every class, at which validation will stop:\n  test has none of 'b'\n"
    )
    assert split == "No split will do. The smallest class has 5 images in all."


# the page -----------------------------------------------------------------------------------------------

LABELS = [
    *(
        "0",
        "007",
        "1.0",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        "yes",
        "No",
        "on",
        "null",
        "~",
        "true",
        ".inf",
        "2020-01-01",
        "12:30",
    ),
    *(
        "01-minor",
        " leading",
        "trailing ",
        "a: b",
        "a #b",
        "#a",
        "- a",
        "-",
        "?",
        "? a",
        ":",
        "a:",
        "[a]",
        "{a}",
        "*a",
        "&a",
    ),
    *(
        "!a",
        "%a",
        "@a",
        "`a`",
        "|",
        ">",
        "it's",
        '"quoted"',
        "'",
        "a\\b",
        "a\nb",
        "\n",
        "a\tb",
        "\t",
        "a\r\nb",
        "\x07bell",
        "\x85",
    ),
    *(
        "\u2028",
        "\ufeffbom",
        "señal é 猫",
        "🐈",
        "\U0001f468\u200d\U0001f469",
        "ア" * 100,
        "x" * 300,
        "word " * 60 + "end",
        "=",
        "<<",
        "${x}",
        "a.b",
    ),
]


def write(dataset: Dataset, name: str = "fruit", notes: Sequence[str] = ()) -> bytes:
    manifest = make_manifest({"train": dict.fromkeys(dataset.classes, 2), "test": dict.fromkeys(dataset.classes, 1)})
    found = Found("a\nb", manifest, count_classes(manifest["label"], manifest["part"], dataset.classes), 7, [*notes])
    schedule = choices.choose_schedule(boxes=False)
    candidate = Candidate(dataset=name, model=choices.choose_model(dataset.image), schedule=SCHEDULE)
    return write_page(name, dataset, schedule, candidate, found)


def test_labels_and_places_of_any_letters_survive_the_page_and_dvc(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = {label: f"{number} {label}" for number, label in enumerate(LABELS)}
    for number, label in enumerate(LABELS):
        layout = CsvIndexFormat(
            kind="csv_index",
            tables={"train": label, "unlabelled": "u.csv"},
            path_column=label,
            label_column="label",
            folder=f"{label}/x",
            suffix="" if number % 2 else label,
        )
        dataset = make_dataset(
            format=layout,
            classes=classes if not number else {label: "a", "b": label + "b"},
            source=ArchiveSource(kind="archive", path=f"a/{label}.zip"),
        )
        (project / "params.yaml").write_bytes(write(dataset))
        page = load_params()
        assert page.datasets == {"fruit": dataset}
        assert [*page.dataset("fruit").classes] == [*dataset.classes]
        assert [*page.candidates] == ["fruit-cnn"]
        if number % 20 == 0:
            monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
            shutil.rmtree(project / ".dvc", ignore_errors=True)
            with Repo.init(str(project), no_scm=True) as repo:
                stages = {stage.addressing: stage for stage in repo.index.stages}
                values = stages["validate@fruit"].params[0].read_params()
            assert values["datasets.fruit.classes"] == dataset.classes
            assert values["datasets.fruit.format"]["path_column"] == label


def test_labels_are_text_for_older_readers_of_yaml_too() -> None:
    labels = [label for label in LABELS if label.isprintable()]
    content = yaml.safe_load(write(make_dataset(classes={label: f"{n} {label}" for n, label in enumerate(labels)})))
    assert [*content["datasets"]["fruit"]["classes"]] == labels


def test_the_page_is_in_block_style_and_looks_like_a_recipe() -> None:
    page = write(make_dataset(), notes=["Something odd was found."]).decode()
    lines = page.splitlines()
    assert max(map(len, lines)) <= 120
    assert not re.search(r"[&*]\w|: [\[{][^\]]", re.sub("#.*", "", page))
    recipe = (REPOSITORY / "recipes/digits.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^\w+:|^ +- \w+:", page, flags=re.M) == [
        "datasets:",
        "schedules:",
        "      - name:",
        "candidates:",
    ]
    for line in (
        "    box_weight: null",
        "    phases:",
        "      - name: fit",
        "        trainable: all",
        "    reference: []",
    ):
        assert line in lines
        assert line in recipe.splitlines()
    assert lines[:2] == ["# fruit: 9 images of 3 classes.", "# A draft by `podium init a?b`."]
    assert "    # Something odd was found." in lines
    assert "sha256" not in page  # what may be left out is


def test_a_long_place_stays_on_its_line() -> None:
    path = "some words " * 30 + "x.zip"
    page = write(make_dataset(source=ArchiveSource(kind="archive", path=path))).decode()
    assert f"      path: {path}" in page.splitlines()


def test_comments_say_what_was_found_beside_what_was_chosen() -> None:
    layout = ImageFolderFormat(kind="image_folder", folders={"train": "a", "test": "b", "unlabelled": "c"})
    dataset = make_dataset(format=layout, split=drawn("test"), image=choices.choose_image(sizes((9, 9), (300, 300))))
    page = write(dataset).decode()
    for line in (
        "        train: a # 6 images",
        "        unlabelled: c # 7 images",
        "      '0': left # 2 train, 1 test",
        "    # All images are 50 × 40 pixels.",
        "    # Bounds that the data keeps with room to spare: its smallest class has 1 images, in test.",
    ):
        assert line in page.splitlines()


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (ArchiveSplit(kind="archive"), "The archive's own parts: train 6, test 3."),
        (archive_hashed("test"), "Its test is test; of its train, a share is placed in validation by content."),
        (archive_hashed("test"), "stay where they are when the dataset grows"),
        (drawn("test"), "of its train, a share is drawn by class. A class is too small to be placed by content"),
        (drawn("test", stratify=False), "a share is drawn; some class is too small to draw by class."),
        (hashed(0.15), "images are placed in validation and test by content. They stay where they are"),
        (stratified(0.15), "validation and test are drawn by class. A class is too small to be placed by content"),
    ],
)
def test_a_comment_says_how_images_are_split_and_whether_they_stay(split: Any, words: str) -> None:
    page = write(make_dataset(split=split)).decode()
    assert words in " ".join(line.strip().removeprefix("# ") for line in page.splitlines())
