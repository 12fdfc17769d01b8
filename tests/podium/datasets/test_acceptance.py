"""What `podium validate --infer` and `--accept` write, in a real DVC repository whose manifest is made by hand."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from podium.config import load_params
from podium.datasets import acceptance
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.validation.manifest import as_seen, save_manifest
from podium.datasets.validation.places import of_its_version, read_accepted
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from podium.files import file_digest
from podium.paths import DatasetPaths
from tests.makers import make_images, make_page, make_table, save_page

pytestmark = pytest.mark.slow

PATHS = DatasetPaths("dots")
LEAKS = "id,split,twin_id,twin_split,distance,flipped,exact\n"
COMMENT = "# people look at this before they train"


def make_examples(count: int) -> list[Example]:
    """Draw as many images of each of three classes, in turns."""
    images, labels = make_images(3 * count)
    return [
        Example(f"train.csv:{row + 2}", "train", str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def save_validation(examples: list[Example], leaks: str = "") -> None:
    """Write what acceptance reads of a validation."""
    PATHS.manifest.parent.mkdir(parents=True, exist_ok=True)
    save_manifest(as_seen(build_manifest(iter(examples))), PATHS.manifest)
    PATHS.validation.mkdir(parents=True, exist_ok=True)
    (PATHS.validation / "leaks.csv").write_text(LEAKS + leaks)


@pytest.fixture(scope="module")
def dvc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that makes another one a repository of DVC's."""
    root = tmp_path_factory.mktemp("dvc")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=root, check=True)
    return root / ".dvc"


@pytest.fixture
def dots(project: Path, dvc: Path) -> Path:
    """A DVC repository with the dataset `dots`, validated, and a page with a comment."""
    (project / "dvc.yaml").unlink()
    shutil.copytree(dvc, project / ".dvc")
    make_page(project, make_table([]))
    page = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(page.replace("    validation:\n", f"    validation:  {COMMENT}\n", 1))
    save_validation(make_examples(10))
    return project


def read_page(project: Path) -> Any:
    return yaml.safe_load((project / "params.yaml").read_text())


def test_the_only_dataset_needs_no_name(dots: Path) -> None:
    assert acceptance.choose_dataset(None) == acceptance.choose_dataset("dots") == "dots"


def test_one_of_several_datasets_is_to_be_named(dots: Path) -> None:
    page = read_page(dots)
    page["datasets"]["spots"] = page["datasets"]["dots"]
    save_page(dots, page)
    assert acceptance.choose_dataset("spots") == "spots"
    with pytest.raises(PodiumError, match=r"params.yaml has 2 datasets\. Name one: dots, spots\."):
        acceptance.choose_dataset(None)


def test_a_misspelt_dataset_is_answered_with_the_nearest(dots: Path) -> None:
    with pytest.raises(PodiumError, match=r"Did you mean 'dots'\?"):
        acceptance.choose_dataset("dot")


def test_inferred_limits_replace_the_limits_and_nothing_else(dots: Path) -> None:
    before = read_page(dots)
    lines = acceptance.infer_limits("dots")
    page = read_page(dots)
    found = page["datasets"]["dots"]["validation"]
    assert found["critical"] == {"minimum_per_class": 5, "exact_duplicates": 0.0, "lost_per_class": 0.2}
    assert found["warning"].items() >= {"maximum_imbalance": 1.3, "near_duplicates": 0.0, "height": [4.0, 4.0]}.items()
    assert lines == [
        f"{level}: {key} {value}" for level in ("critical", "warning") for key, value in found[level].items()
    ]
    for level in ("critical", "warning"):
        found[level] = before["datasets"]["dots"]["validation"][level]
    assert page == before
    assert f"validation:  {COMMENT}\n" in (dots / "params.yaml").read_text()
    assert vars(load_params().dataset("dots").validation.critical)["lost_per_class"] == 0.2


def test_limits_are_inferred_from_images_that_can_be_used_and_have_a_label(dots: Path) -> None:
    image = make_images(1)[0][0]
    broken = [Example(f"b{row}", "train", "2", None, "it cannot be read") for row in range(9)]
    unlabelled = [Example(f"u{row}", UNLABELLED, "", image) for row in range(99)]
    kept = [example for example in make_examples(10) if example.label != "2" or int(example.id[10:]) < 20]
    save_validation([*kept, *broken, *unlabelled])
    smallest = sum(example.label == "2" for example in kept)
    assert f"critical: minimum_per_class {smallest // 2}" in acceptance.infer_limits("dots")


def test_images_that_are_left_out_do_not_count(dots: Path) -> None:
    manifest = as_seen(build_manifest(iter(make_examples(10))))
    manifest.loc[manifest["label"] == "1", "left_out"] = "reviewed"
    save_manifest(manifest, PATHS.manifest)
    assert "critical: minimum_per_class 1" in acceptance.infer_limits("dots")


def test_exact_leaks_that_are_there_can_only_be_warned_of(dots: Path) -> None:
    save_validation(make_examples(10), "train.csv:2,test,train.csv:5,train,0,False,True\n")
    lines = acceptance.infer_limits("dots")
    assert "warning: exact_duplicates 0.0" in lines
    assert not any(line.startswith("critical: exact_duplicates") for line in lines)


def test_a_dataset_that_is_not_validated_has_no_limits_to_infer(dots: Path) -> None:
    PATHS.manifest.unlink()
    page = (dots / "params.yaml").read_bytes()
    for act in (acceptance.infer_limits, acceptance.accept):
        with pytest.raises(PodiumError, match=r"the dataset is not validated\. Run `dvc repro`"):
            act("dots")
    assert (dots / "params.yaml").read_bytes() == page


def test_an_accepted_version_is_kept_by_dvc_and_named_by_the_page(dots: Path) -> None:
    before = read_page(dots)
    pointer = acceptance.accept("dots")
    assert pointer == Path("data/accepted/dots.parquet.dvc")
    (kept,) = yaml.safe_load(pointer.read_text())["outs"]
    content = PATHS.manifest.read_bytes()
    assert kept["path"] == "dots.parquet"
    assert kept["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert PATHS.accepted.read_bytes() == content
    page = read_page(dots)
    assert page["datasets"]["dots"]["validation"].pop("accepted") == file_digest(PATHS.manifest)
    assert page == before
    assert COMMENT in (dots / "params.yaml").read_text()
    PATHS.accepted.unlink()
    subprocess.run([sys.executable, "-m", "dvc", "checkout", "--quiet", str(pointer)], check=True)
    assert PATHS.accepted.read_bytes() == content


def test_the_next_version_takes_the_place_of_the_accepted_one(dots: Path) -> None:
    pointer = acceptance.accept("dots")
    first = pointer.read_text()
    assert acceptance.accept("dots").read_text() == first
    save_validation(make_examples(11))
    assert acceptance.accept("dots").read_text() != first
    assert load_params().dataset("dots").validation.accepted == file_digest(PATHS.manifest)


def make_sticky(dots: Path) -> None:
    page = read_page(dots)
    page["datasets"]["dots"]["split"] = {"kind": "hashed", "validation": 0.2, "test": 0.2, "seed": 0}
    save_page(dots, page)


def test_with_a_sticky_split_images_that_are_gone_keep_their_places(dots: Path) -> None:
    make_sticky(dots)
    acceptance.accept("dots")
    assert PATHS.accepted.read_bytes() == PATHS.manifest.read_bytes()
    save_validation(make_examples(9))
    acceptance.accept("dots")
    accepted = read_accepted(PATHS.accepted)
    assert len(of_its_version(accepted)) == 27
    assert accepted["id"].tolist()[27:] == [f"train.csv:{row + 2}" for row in (27, 28, 29)]
    assert load_params().dataset("dots").validation.accepted == file_digest(PATHS.accepted)
    acceptance.accept("dots")
    assert read_accepted(PATHS.accepted).equals(accepted)


def test_with_a_sticky_split_the_accepted_version_is_needed_to_accept_the_next(dots: Path) -> None:
    make_sticky(dots)
    acceptance.accept("dots")
    PATHS.accepted.unlink()
    page = (dots / "params.yaml").read_bytes()
    with pytest.raises(PodiumError, match=r"Restore it: `dvc checkout data/accepted/dots\.parquet\.dvc`"):
        acceptance.accept("dots")
    assert (dots / "params.yaml").read_bytes() == page


def test_a_page_that_is_not_valid_stays_as_it_is(dots: Path) -> None:
    page = (dots / "params.yaml").read_text().replace("seed: 0", "sed: 0")
    (dots / "params.yaml").write_text(page)
    with pytest.raises(PodiumError, match=r"Did you mean 'seed'\?"):
        acceptance.accept("dots")
    assert (dots / "params.yaml").read_text() == page


def test_what_dvc_cannot_do_is_one_message_below_its_own(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_page(project, make_table([]))
    save_validation(make_examples(10))
    page = (project / "params.yaml").read_bytes()
    with pytest.raises(PodiumError, match=r"`dvc add data/accepted/dots.parquet` failed; what it said is above"):
        acceptance.accept("dots")
    assert "you are not inside of a DVC repository" in capfd.readouterr().err
    assert (project / "params.yaml").read_bytes() == page


def test_a_validation_is_brought_up_to_date_by_dvc_with_this_python(dots: Path) -> None:
    program = "import sys; open('python', 'w').write(sys.executable)"
    stage = {"cmd": f'python -c "{program}"', "outs": ["python"]}
    (dots / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"validate": {"foreach": ["dots"], "do": stage}}}))
    acceptance.validate("dots")
    assert Path((dots / "python").read_text()).parent == Path(sys.executable).parent
    with pytest.raises(PodiumError, match="`dvc repro validate@spots` failed"):
        acceptance.validate("spots")
