from pathlib import Path

import pytest

from podium.config import Gate, load_params
from podium.errors import PodiumError
from tests.makers import REPOSITORY

DIGITS = (REPOSITORY / "recipes/digits.yaml").read_text(encoding="utf-8")
DENSE = "kind: dense\n      units:\n        - 64\n      dropout: 0.0\n"
PHASE = DIGITS[DIGITS.index("      - name: fit") : DIGITS.index("  augmented:")]
ZERO_TO_NINE = DIGITS[DIGITS.index("      '0': zero") : DIGITS.index("    image:")]


def load_changed(tmp_path: Path, old: str, new: str) -> None:
    page = tmp_path / "params.yaml"
    assert old in DIGITS
    page.write_text(DIGITS.replace(old, new, 1), encoding="utf-8")
    load_params(page)


@pytest.mark.parametrize(
    ("old", "new", "place", "key", "words"),
    [
        # an unknown key, with a missing one near it, and without
        ("batch_size: 32", "batchsize: 32", "batchsize", "schedules.quick.batchsize", "Did you mean 'batch_size'?"),
        ("batch_size: 32", "batchsize: 32", "  quick:", "schedules.quick lacks 'batch_size'", "recipes/digits.yaml"),
        ("batch_size: 32", "batch_size: 32\n    weather: 1", "weather", "schedules.quick.weather", "Take it out"),
        ("candidates:", "candidate:", "candidate:", "candidate", "Did you mean 'candidates'?"),
        ("candidates:", "5: x\ncandidates:", "5: x", "5 is not a key", "Take it out"),
        pytest.param(
            *("kind: sklearn\n      name: digits", "kind: archive\n      path: x\n      sha265: 'a'"),
            *("sha265", "datasets.digits.source.sha265", "Did you mean 'sha256'?"),
        ),
        # an unknown kind, and none
        ("kind: dense", "kind: dence", "model:", "model has the unknown kind 'dence'", "Did you mean 'dense'?"),
        ("kind: sklearn", "kind: sklern", "source:", "source has the unknown kind", "Did you mean 'sklearn'?"),
        ("kind: stratified", "kind: archve", "split:", "split has the unknown kind", "Did you mean 'archive'?"),
        ("kind: dense", "knd: dense", "model:", "candidates.digits-dense.model", "lacks its 'kind'"),
        # a missing key
        ("        epochs: 15\n", "", "- name:", "schedules.quick.phases[0] lacks 'epochs'", "Add it"),
        # a wrong type
        ("epochs: 15", "epochs: '15'", "epochs:", "schedules.quick.phases[0].epochs is '15'", "a valid integer"),
        ("epochs: 15", "epochs: 1.5", "epochs:", "phases[0].epochs is 1.5", "a valid integer"),
        ("epochs: 15", "epochs: true", "epochs:", "phases[0].epochs is True", "a valid integer"),
        (DENSE, "5\n", "model:", "candidates.digits-dense.model must be a mapping", "is 5"),
        ("augmentation: null", "augmentation: 5", "augmentation:", "augmentation must be a mapping", "is 5"),
        (PHASE, "", "phases:", "schedules.quick.phases is empty", "valid array"),
        # out of range
        ("epochs: 15", "epochs: 0", "epochs:", "phases[0].epochs is 0", "greater than or equal to 1"),
        ("learning_rate: 0.001", "learning_rate: -0.1", "learning_rate:", "learning_rate is -0.1", "greater than 0"),
        ("learning_rate: 0.001", "learning_rate: .nan", "learning_rate:", "learning_rate is nan", "finite number"),
        ("channels: 1", "channels: 2", "channels:", "datasets.digits.image.channels is 2", "There are: 1, 3."),
        ("optimizer: adam\n", "optimizer: adm\n", "optimizer:", "phases[0].optimizer is 'adm'", "Did you mean 'adam'?"),
        (ZERO_TO_NINE, "      '0': zero\n", "classes:", "datasets.digits.classes", "at least 2 items"),
        # names
        ("digits-cnn:", "digits_cnn:", "digits_cnn:", "candidates.digits_cnn", "lower-case letters and digits"),
        ("name: fit", "name: Fit", "- name:", "schedules.quick.phases[0].name is 'Fit'", "match pattern"),
        # references
        ("schedule: quick", "schedule: quik", "quik", "schedule is 'quik'", "Did you mean 'quick'?"),
        ("dataset: digits", "dataset: digit", "dataset: digit", "dataset is 'digit'", "Did you mean 'digits'?"),
        # what does not go together
        (
            *("kind: sklearn\n      name: digits", "kind: kaggle", "source:"),
            *("datasets.digits.source", "either a dataset (owner/slug) or a competition (slug)"),
        ),
        (
            *("kind: sklearn\n      name: digits", "kind: kaggle\n      competition: a\n      version: 1", "source:"),
            *("datasets.digits.source", "a competition has no versions"),
        ),
        (
            "kind: sklearn\n      name: digits",
            "kind: kaggle\n      dataset: a",
            "dataset: a",
            "source.dataset",
            "pattern",
        ),
        ("decay: constant", "decay: step", "- name:", "schedules.quick.phases[0]", "need both, others neither"),
        ("decay: constant", "decay: plateau", "- name:", "schedules.quick.phases[0]", "need both, others neither"),
        (
            "decay: constant",
            "decay: constant\n        warmup: 2",
            "- name:",
            "phases[0]",
            "warmup belongs to decay: cosine",
        ),
        ("decay: constant", "decay: cosine\n        warmup: 15", "- name:", "phases[0]", "leave some to train in"),
        ("decay: constant", "decay: constant\n        patience: 2", "- name:", "phases[0]", "patience needs keep_best"),
        (
            "decay: constant",
            "decay: constant\n        augmented_copies: 2",
            "- name:",
            "phases[0]",
            "belong to trainable: head",
        ),
        (
            "trainable: all",
            "trainable: head\n        augmented_copies: 2",
            "quick:",
            "schedules.quick",
            "augmentation is null",
        ),
        ("decay: constant", "decay: constant\n        momentum: 0.9", "- name:", "phases[0]", "optimizer: sgd"),
        ("decay: constant", "decay: constant\n        decay_every: 2", "- name:", "phases[0]", "need both"),
        ("trainable: all", "trainable: top", "- name:", "schedules.quick.phases[0]", "belongs to trainable: top"),
        ("trainable: all", "trainable: head\n        unfreeze: 3", "- name:", "phases[0]", "belongs to trainable: top"),
        *(
            (
                "trainable: all",
                f"trainable: top\n        unfreeze: {value}",
                "unfreeze:",
                "phases[0].unfreeze",
                "neither",
            )
            for value in ("0", "''", "1.5", "true", "[1]")
        ),
        (
            "box_weight: null",
            "box_weight: 0.2",
            "schedule: quick",
            "candidates.digits-dense.schedule",
            "box_weight: null",
        ),
        ("target: label", "target: label_and_box", "schedule: quick", "digits-dense.schedule", "a share of the loss"),
        # twice the same
        ("'1': one", "'1': Zero", "classes:", "datasets.digits.classes", "upper and lower case are one"),
        ("'1': one", "'1': zero", "classes:", "datasets.digits.classes", "two labels have the same class name"),
        (PHASE, PHASE * 2, "phases:", "schedules.quick.phases", "two phases have the same name"),
    ],
)
def test_a_mistake_is_answered_with_its_file_line_key_and_what_to_do(
    tmp_path: Path, old: str, new: str, place: str, key: str, words: str
) -> None:
    with pytest.raises(PodiumError) as raised:
        load_changed(tmp_path, old, new)
    page = tmp_path / "params.yaml"
    line = next(number for number, text in enumerate(page.read_text().splitlines(), 1) if place in text)
    found = [text for text in str(raised.value).splitlines() if text.startswith(f"{page}, line {line}: ")]
    assert any(key in text and words in text for text in found), raised.value


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("        decay: constant\n", "copies: 2", "augmented_copies"),
        ("        exact_duplicates: 0.0\n", "exact_leaks: 0.0", "exact_duplicates"),
        ("        exact_duplicates: 0.0\n", "near_leaks: 0.0", "near_duplicates"),
    ],
)
def test_an_old_key_is_answered_with_its_new_name(tmp_path: Path, place: str, old: str, new: str) -> None:
    assert place in DIGITS
    with pytest.raises(PodiumError) as raised:
        load_changed(tmp_path, place, f"        {old}\n{place}")
    (message,) = str(raised.value).splitlines()
    line = DIGITS[: DIGITS.index(place)].count("\n") + 1
    assert message.startswith(f"{tmp_path / 'params.yaml'}, line {line}: ")
    assert message.endswith(f".{old.split(':')[0]} is called {new} now. Rename it.")


def test_the_old_name_of_a_backbone_is_answered_once_and_only_where_it_was_a_key(tmp_path: Path) -> None:
    page, recipe = tmp_path / "params.yaml", (REPOSITORY / "recipes/svhn.yaml").read_text(encoding="utf-8")
    page.write_text(recipe.replace("      backbone: ", "      base: ", 1), encoding="utf-8")
    with pytest.raises(PodiumError, match=r"^[^\n]+\.model\.base is called backbone now\. Rename it\.$"):
        load_params(page)
    with pytest.raises(PodiumError, match=r"model\.base is not a key that podium knows"):
        load_changed(tmp_path, DENSE, f"{DENSE}      base: vgg16\n")


@pytest.mark.parametrize("taken", ["validation", "compare"])
def test_a_candidate_cannot_have_the_name_of_a_folder_of_other_reports(tmp_path: Path, taken: str) -> None:
    with pytest.raises(PodiumError, match=rf"candidates\.{taken}: this name is taken"):
        load_changed(tmp_path, "digits-cnn:", f"{taken}:")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("digit: {error: 0.1}", r"gates\.digit: no dataset has that name\. Did you mean 'digits'\?"),
        ("digits: {metric: mean_iou}", "asks for a metric of boxes, but the target of 'digits' is label"),
        ("digits: {minimum: {joint_accuracy: 0.5}}", "asks for a metric of boxes"),
        ("digits: {metric: acuracy}", r"metric is 'acuracy'\. Did you mean 'accuracy'\?"),
        ("digits: {eror: 0.1}", r"eror is not a key that podium knows\. Did you mean 'error'\?"),
    ],
)
def test_a_gate_is_that_of_a_dataset_and_of_its_metrics(tmp_path: Path, gate: str, message: str) -> None:
    with pytest.raises(PodiumError, match=message):
        load_changed(tmp_path, "candidates:\n", f"gates:\n  {gate}\ncandidates:\n")


def test_a_dataset_without_a_gate_has_that_of_the_defaults(tmp_path: Path) -> None:
    page = tmp_path / "params.yaml"
    page.write_text(DIGITS + "gates:\n  digits: {error: 0.01}\n", encoding="utf-8")
    params = load_params(page)
    assert (params.gate("digits").error, params.gate("letters")) == (0.01, Gate())


def test_a_learning_curve_is_that_of_a_candidate_of_the_dataset(tmp_path: Path) -> None:
    asked = "reference: []\n    evaluation:\n      learning_curve:\n        - digits-cn"
    with pytest.raises(PodiumError, match=r"learning_curve\[0\] is 'digits-cn', .* Did you mean 'digits-cnn'\?"):
        load_changed(tmp_path, "reference: []", asked)
    load_changed(tmp_path, "reference: []", f"{asked}n\n      slices:\n        - mode")


def test_every_mistake_of_a_page_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(PodiumError) as raised:
        load_changed(tmp_path, DENSE + "    schedule: quick", "kind: dence\n    schedule: 5")
    assert [text.split(": ")[1].split(" ")[0] for text in str(raised.value).splitlines()] == [
        "candidates.digits-dense.model",
        "candidates.digits-dense.schedule",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: the page must be a mapping of keys to values, and is empty"),
        (b"5", "line 1: the page must be a mapping of keys to values, and is 5"),
        (b"- a\n", "line 1: the page must be a mapping of keys to values, and is ['a']"),
        (b"datasets: [\n", "is not valid YAML"),
        (b"a: 1\n---\nb: 2\n", "is not valid YAML"),
        (b"\xff\xfe", "is not valid YAML"),
        pytest.param(b"2020-01-01: x\n", "line 1"),
    ],
    ids=["empty", "number", "list", "open bracket", "two pages", "not text", "date as key"],
)
def test_what_is_no_page_is_refused_with_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    page = tmp_path / "params.yaml"
    page.write_bytes(content)
    with pytest.raises(PodiumError) as raised:
        load_params(page)
    assert str(page) in str(raised.value)
    assert words in str(raised.value)


def test_a_missing_page_is_answered_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"There is no .*params\.yaml\. Take a recipe: `podium use digits`"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("table", ["dataset", "schedule", "candidate"])
def test_asking_for_an_unknown_name_is_answered_with_the_nearest(table: str) -> None:
    page = load_params(REPOSITORY / "recipes/digits.yaml")
    name = {"dataset": "digits", "schedule": "augmented", "candidate": "digits-cnn"}[table]
    assert getattr(page, table)(name) == getattr(page, f"{table}s")[name]
    with pytest.raises(PodiumError, match=f"has no {table} '{name}x'. Did you mean '{name}'?"):
        getattr(page, table)(f"{name}x")


def test_labels_without_quotes_are_the_labels_of_the_archive(tmp_path: Path) -> None:
    page = tmp_path / "params.yaml"
    page.write_text(DIGITS.replace("'0': zero", "0: zero"), encoding="utf-8")
    assert load_params(page) == load_params(REPOSITORY / "recipes/digits.yaml")


@pytest.mark.parametrize(("old", "new"), [("'1': one", "'0': one"), ("digits-cnn:", "digits-dense:")])
def test_a_key_given_twice_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(PodiumError, match="twice"):
        load_changed(tmp_path, old, new)


def test_a_small_number_as_dvc_writes_it_is_a_number(tmp_path: Path) -> None:
    load_changed(tmp_path, "learning_rate: 0.001", "learning_rate: 1e-05")


@pytest.mark.parametrize(("written", "read"), [("4", 4), ("'4'", "4"), ("block_13", "block_13"), ("null", None)])
def test_a_part_of_a_backbone_is_a_text_or_a_number(tmp_path: Path, written: str, read: str | int | None) -> None:
    page = tmp_path / "params.yaml"
    trainable = "all" if read is None else "top"
    page.write_text(DIGITS.replace("trainable: all", f"trainable: {trainable}\n        unfreeze: {written}", 1))
    unfreeze = load_params(page).schedule("quick").phases[0].unfreeze
    assert (unfreeze, type(unfreeze)) == (read, type(read))


AUGMENTED = "      zoom: 0.1\n"
"""The last line of the augmentation of schedule `augmented`, which digits-cnn takes."""


def test_the_further_kinds_of_augmentation_may_be_left_out_and_then_do_nothing(tmp_path: Path) -> None:
    page = tmp_path / "params.yaml"
    page.write_text(DIGITS.replace(AUGMENTED, f"{AUGMENTED}      shear: null\n      flip: null\n"), encoding="utf-8")
    assert load_params(page) == load_params(REPOSITORY / "recipes/digits.yaml")
    kinds = {"shear": 5, "perspective": 0.1, "flip": "forced", "brightness": 0.2, "contrast": 0.3}
    kinds |= {"shrink": 0.3, "stretch": 0.2, "invert": 0.5, "colour": 0.1, "cutout": 0.25}
    page.write_text(DIGITS.replace(AUGMENTED, AUGMENTED + "".join(f"      {k}: {v}\n" for k, v in kinds.items())))
    augmentation = load_params(page).schedule("augmented").augmentation
    assert {name: getattr(augmentation, name) for name in kinds} == kinds


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("shear: 61", "shear is 61: it should be less than or equal to 60"),
        ("perspective: 0.25", "perspective is 0.25: it should be less than 0.25"),
        ("brightness: -0.1", "brightness is -0.1: it should be greater than or equal to 0"),
        ("contrast: 1.1", "contrast is 1.1: it should be less than or equal to 1"),
        ("shrink: 1", "shrink is 1: it should be less than 1"),
        ("stretch: -0.2", "stretch is -0.2: it should be greater than or equal to 0"),
        ("invert: 1.5", "invert is 1.5: it should be less than or equal to 1"),
        ("colour: 2", "colour is 2: it should be less than or equal to 1"),
        ("cutout: 1", "cutout is 1: it should be less than 1"),
        ("flip: horizontl", "flip is 'horizontl'. Did you mean 'horizontal'? There are: forced, horizontal."),
        ("flip: true", "flip is True. There are: forced, horizontal."),
        ("sheer: 5", "sheer is not a key that podium knows. Did you mean 'shear'?"),
        (
            "flip: horizontal",
            "flip is 'horizontal', but candidates train on 'digits' with it, and a flipped 'two' is no 'two'.",
        ),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(PodiumError) as raised:
        load_changed(tmp_path, AUGMENTED, f"{AUGMENTED}      {line}\n")
    number = next(number for number, text in enumerate(DIGITS.splitlines(), 1) if text == AUGMENTED.rstrip()) + 1
    (message,) = str(raised.value).splitlines()
    assert message.startswith(f"{tmp_path / 'params.yaml'}, line {number}: schedules.augmented.augmentation.{words}")


def test_a_refused_flip_is_said_once_and_how_to_force_it(tmp_path: Path) -> None:
    page, flipped = tmp_path / "params.yaml", f"{AUGMENTED}      flip: horizontal\n"
    again = DIGITS[DIGITS.index("  digits-cnn:") :].replace("digits-cnn:", "digits-again:")
    page.write_text(DIGITS.replace(AUGMENTED, flipped) + again, encoding="utf-8")
    with pytest.raises(PodiumError, match=r"^[^\n]+ set flip: forced if its flipped images keep their classes\.$"):
        load_params(page)
    page.write_text(page.read_text().replace("schedule: augmented", "schedule: quick"), encoding="utf-8")
    load_params(page)  # no candidate trains with it
    load_changed(tmp_path, AUGMENTED, flipped.replace("horizontal", "forced"))


def test_photographs_may_be_flipped() -> None:
    augmentation = load_params(REPOSITORY / "recipes/cats_vs_dogs.yaml").schedule("augmented").augmentation
    assert augmentation is not None
    assert augmentation.flip == "horizontal"
