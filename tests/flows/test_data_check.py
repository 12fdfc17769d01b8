"""The data check as a pull request meets it: the very steps of its workflow, run in a clean clone."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from PIL import Image

from flows.data_check import main
from tests.flows.prefect_api import ask
from tests.flows.workspace import REPOSITORY, Workspace
from tests.makers import CLASSES, make_page, make_rows, make_table, save_page
from tests.servers import find_free_port
from tests.sharing import made_once

pytestmark = pytest.mark.slow

LONG = partial(pytest.param, marks=pytest.mark.soak)
WORKFLOW = ".github/workflows/data-validation.yml"
HOSTILE = ("![x](http:evil).png", "a|b` <img src=x onerror=alert(1)>.png", "*new* [www.evil.example](x) @all.png")
IMAGES = {"train": 10, "test": 5}
"""Of each class, in each part."""


# ---- GitHub, as far as this workflow asks for it


@dataclass
class Job:
    """One run of the workflow."""

    clone: Path
    environment: dict[str, str]
    context: dict[str, str]
    cache: Path | None
    status: int = 0
    output: str = ""
    used: list[str] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        return Path(self.environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")


def act(origin: Path, base: str, job: Job) -> Job:
    """Run the steps of the workflow's only job, in their order, as GitHub does."""
    workflow = yaml.safe_load((origin / WORKFLOW).read_text())
    (steps,) = (each["steps"] for each in workflow["jobs"].values())
    job.context |= {"github.event.pull_request.base.sha": base, "secrets.KAGGLE_API_TOKEN": ""}
    Path(job.environment["GITHUB_STEP_SUMMARY"]).touch()
    for step in steps:
        if job.status and step.get("if") != "always()":
            continue
        if "run" in step:
            assert "${{" not in step["run"], "what a stranger chooses would be part of the script"
            variables = {key: evaluate(value, job.context) for key, value in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", step["run"]],
                cwd=job.clone,
                env=job.environment | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            job.output += done.stdout
            job.status = job.status or done.returncode
        else:
            use(step, origin, job)
    return job


def evaluate(text: str, context: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: context[found[1]], text)


def use(step: dict[str, Any], origin: Path, job: Job) -> None:
    """Do what an action does, where it matters here."""
    action, given = step["uses"].partition("@")[0], step.get("with", {})
    job.used.append(action)
    match action:
        case "actions/checkout":
            assert given["fetch-depth"] == 0
            subprocess.run(["git", "clone", "-q", str(origin), str(job.clone)], check=True)
            link_environment(job.clone)
            lock = job.clone / "dvc.lock"
            job.context["hashFiles('dvc.lock')"] = (
                hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else ""
            )
        case "actions/cache":
            assert evaluate(given["key"], job.context).startswith(given["restore-keys"])
            if job.cache:
                shutil.copytree(job.cache, job.clone / given["path"])
        case "actions/upload-artifact":
            job.uploaded = [
                str(path.relative_to(job.clone)) for line in given["path"].split() for path in job.clone.glob(line)
            ]
        case "actions/setup-python":
            assert given["python-version"] == "3.12"
        case _:
            raise AssertionError(f"{action} is not known here")


def link_environment(clone: Path) -> None:
    """Give a clone the environment that runs now, so that `make env` finds it made."""
    (clone / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name not in ("ready", ".lock"):
            (clone / ".venv" / path.name).symlink_to(path)
    (clone / ".venv/ready").touch()


# ---- a project with a small dataset, published and accepted


def draw(folder: Path, part: str, label: str, names: list[str]) -> None:
    """Draw images that can be told apart, and are always the same for the same name."""
    place = folder / part / label
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = int(hashlib.sha256(f"{part}/{label}/{name}".encode()).hexdigest()[:8], 16)
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(place / name)


@dataclass
class Published:
    origin: Workspace
    cache: Path
    base: str


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A repository whose dataset is validated, accepted and committed, and the DVC cache that its workflow kept."""
    folder, base = made_once(tmp_path_factory, "published", publish)
    origin = Workspace.of(folder / "project")
    return Published(origin, origin.root / ".dvc/cache", base)


def publish(folder: Path) -> str:
    """Make that repository, and give its commit."""
    origin = Workspace(folder / "project")
    for part, count in IMAGES.items():
        for label in ("left", "right"):
            draw(origin.root / "delivery", part, label, [f"{number}.png" for number in range(count)])
    page = make_page(origin.root, train=make_table(make_rows(24)))
    shutil.rmtree(origin.root / "incoming")
    page["datasets"]["dots"] |= {
        "source": {"kind": "archive", "path": "delivery"},
        "format": {"kind": "image_folder", "folders": {"train": "train", "test": "test"}},
        "classes": {"left": "left", "right": "right"},
        "split": {"kind": "archive_drawn", "test_from": "test", "validation": 0.2, "stratify": True, "seed": 0},
    }
    page["datasets"]["dots"]["validation"]["critical"]["lost_per_class"] = 0.3
    save_page(origin.root, page)
    origin.run(sys.executable, "-m", "podium.cli", "validate", "dots", "--accept")
    origin.run("dvc", "repro", "validate@dots")  # against the accepted version, as the page says now
    origin.commit("dots")
    return origin.run("git", "rev-parse", "HEAD").strip()


@dataclass
class Branch:
    """A pull request in the making."""

    root: Path
    published: Published
    environment: dict[str, str]

    @property
    def delivery(self) -> Path:
        """A new delivery of the dataset: the folder that its source names now."""
        target = self.root / "delivery-2"
        if not target.exists():
            shutil.copytree(self.root / "delivery", target)
            self.edit(lambda page: page["datasets"]["dots"]["source"].update(path="delivery-2"))
        return target

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.root / "params.yaml"
        page = yaml.safe_load(path.read_text())
        change(page)
        path.write_text(yaml.safe_dump(page, sort_keys=False))

    def check(self, *, request: bool = True) -> Job:
        """Commit, and run the workflow: for a pull request, or by hand."""
        user = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
        subprocess.run(["git", "add", "--all"], cwd=self.root, check=True)
        subprocess.run(["git", *user, "commit", "--allow-empty", "-qm", "change"], cwd=self.root, check=True)
        job = Job(self.root.parent / "clone", self.environment, {}, self.published.cache)
        return act(self.root, self.published.base if request else "", job)


@pytest.fixture
def branch(published: Published, tmp_path: Path, prefect_server: str) -> Branch:
    root = tmp_path / "branch"
    subprocess.run(["git", "clone", "-q", str(published.origin.root), str(root)], check=True)
    kept = {key: value for key, value in published.origin.environment.items() if not key.startswith(("MAKE", "MFLAGS"))}
    folder = str(Path(sys.executable).parent)  # a runner has none of it on its path
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if part != folder)
    kept |= {"PREFECT_API_URL": prefect_server, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    return Branch(root, published, kept)


# ---- what can be wrong


def cut_an_image(branch: Branch) -> None:
    path = branch.delivery / "train/left/3.png"
    path.write_bytes(path.read_bytes()[:-60])


def use_an_unknown_label(branch: Branch) -> None:
    draw(branch.delivery, "train", "lfet", ["99.png"])


def leak_an_image(branch: Branch) -> None:
    shutil.copyfile(branch.delivery / "train/left/3.png", branch.delivery / "test/left/99.png")


def lose_images(branch: Branch) -> None:
    for number in range(4):
        (branch.delivery / f"train/right/{number}.png").unlink()


def add_a_table(branch: Branch, table: str) -> None:
    """Add a dataset to the page: a table of pixels."""
    (branch.root / "tables").mkdir()
    (branch.root / "tables/train.csv").write_text(table)

    def change(page: dict[str, Any]) -> None:
        page["datasets"]["table"] = page["datasets"]["dots"] | {
            "source": {"kind": "archive", "path": "tables"},
            "format": {"kind": "pixel_csv", "files": {"train": "train.csv"}, "label_column": "label"},
            "classes": CLASSES,
            "split": {"kind": "stratified", "validation": 0.25, "test": 0.25, "seed": 0},
            "validation": {**page["datasets"]["dots"]["validation"], "accepted": None},
        }

    branch.edit(change)


def write_a_wrong_pixel(branch: Branch) -> None:
    rows = make_rows(24)
    rows[4][7] = "256"
    add_a_table(branch, make_table(rows))


def deliver_a_web_page(branch: Branch) -> None:
    (branch.root / "delivery.zip").write_text("<!DOCTYPE html><title>Sign in</title>")
    branch.edit(lambda page: page["datasets"]["dots"]["source"].update(path="delivery.zip"))


@pytest.mark.parametrize(
    ("spoil", "dataset", "said"),
    [
        (cut_an_image, "dots", ["every image can be decoded in full (1)", "train/left/3.png"]),
        LONG(use_an_unknown_label, "dots", ["every label is one of", "train/lfet/99.png", "lfet"]),
        LONG(leak_an_image, "dots", ["is an exact duplicate of one used", "test/left/99.png"]),
        LONG(lose_images, "dots", ["no class lost more than 0.3 of its images", "right in train", "4 removed"]),
        LONG(write_a_wrong_pixel, "table", ["every image can be decoded in full (1)", "256", "## ✅ dots: passed"]),
        LONG(deliver_a_web_page, "dots", ["dots: not checked", "delivery.zip", "It is a web page"]),
    ],
)
def test_broken_data_fails_and_the_summary_names_the_reason(
    branch: Branch, spoil: Callable[[Branch], None], dataset: str, said: list[str], prefect_server: str
) -> None:
    spoil(branch)
    job = branch.check()
    assert job.status == 1, job.output
    assert f"## ❌ {dataset}: " in job.summary, job.output
    assert not [words for words in said if words not in job.summary], job.summary
    assert "Traceback" not in job.output
    assert "reports/data-check" in job.uploaded
    if "not checked" not in job.summary:
        artifacts = ask(prefect_server, "artifacts/filter", {"sort": "CREATED_DESC"})
        assert next(one["data"] for one in artifacts if one["key"] == f"{dataset}-validation") in job.summary
        assert f"reports/{dataset}/validation" in job.uploaded


def leave_to_itself(branch: Branch, database: Path) -> None:
    """Have the check start a Prefect server of its own, where every proxy is one that does not answer."""
    del branch.environment["PREFECT_API_URL"]
    home = branch.root.parent / "prefect"
    home.mkdir()
    shutil.copy(database, home)
    branch.environment["PREFECT_HOME"] = str(home)
    for name in ("NO_PROXY", "no_proxy"):
        branch.environment.pop(name, None)
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")
    branch.environment |= dict.fromkeys(proxies, f"http://127.0.0.1:{find_free_port()}")


@pytest.mark.soak  # what fails, and what a pull request changes, are told above and below
def test_good_data_passes(branch: Branch, prefect_database: Path) -> None:
    leave_to_itself(branch, prefect_database)
    job = branch.check(request=False)
    assert job.status == 0, job.output
    assert "## ✅ dots: passed" in job.summary
    assert "30 images in 2 classes, 0 left out." in job.summary
    assert "Nothing changed" in job.summary  # since HEAD, whose manifest the cache had
    assert job.used == [f"actions/{name}" for name in ("checkout", "setup-python", "cache", "upload-artifact")]
    assert job.uploaded == ["reports/dots/validation", "reports/data-check"]
    assert not (job.clone / "mlflow.db").exists()


def test_a_pull_request_is_told_what_it_changes_whatever_the_names_and_the_proxies(
    branch: Branch, prefect_database: Path
) -> None:
    leave_to_itself(branch, prefect_database)
    train = branch.delivery / "train"
    (train / "left/0.png").rename(train / "right/zero.png")
    draw(branch.delivery, "train", "left", list(HOSTILE))
    add_a_table(branch, make_table(make_rows(24)))
    job = branch.check()
    assert job.status == 0, job.output
    assert "**3 added, 0 removed, 1 relabelled, 0 moved to another part.**" in job.summary
    assert "- Relabelled: `train/right/zero.png` from left to right" in job.summary
    assert "| train | left | 10 | 12 |" in job.summary
    assert "The base has no manifest of table that could be had: nothing to compare with." in job.summary

    tokens = MarkdownIt("commonmark").enable("table").parse(job.summary)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    assert not [token for token in tokens if token.type == "html_block"]
    spans = [child.content for child in inline if child.type == "code_inline"]
    assert {f"train/left/{HOSTILE[0]}", r"train/left/a\x7cb\x60 <img src=x onerror=alert(1)>.png"} <= set(spans)
    assert not [child for child in inline if child.type == "text" and re.search(r"evil|@|www|<", child.content)]

    page = (job.clone / "reports/data-check/dots.html").read_text()
    assert page.count("data:image/webp;base64,") == 4
    assert "left → right" in page
    assert "<img src=x" not in page
    assert len(page) < 50_000


@pytest.mark.parametrize(
    ("arguments", "change", "said"),
    [
        (["--base", "nowhere"], "", "git has no revision 'nowhere'"),
        (["dost"], "", "no dataset 'dost'. Did you mean 'dots'?"),
        ([], "datasets: {a: b}\n", "params.yaml, line 1"),
    ],
)
def test_a_mistake_is_one_message_here_and_in_the_summary(
    branch: Branch,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    change: str,
    said: str,
) -> None:
    monkeypatch.chdir(branch.root)
    if change:
        Path("params.yaml").write_text(change)
    assert main([*arguments, "--summary", "summary.md"]) == 1
    assert said in capsys.readouterr().err
    assert said in Path("summary.md").read_text()


@pytest.mark.soak
def test_a_recipe_that_cannot_be_read_fails(branch: Branch) -> None:
    (branch.root / "recipes/digits.yaml").write_text("datasets: [\n")
    job = branch.check()
    assert job.status == 1
    assert "## ❌ `recipes/digits.yaml` cannot be read" in job.summary
    assert "## ✅ dots: passed" in job.summary


def test_the_workflow_lets_strangers_do_nothing() -> None:
    text = (REPOSITORY / WORKFLOW).read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in text
    assert {"params.yaml", "recipes/**", "dvc.lock", "data/**", "**/*.dvc"} <= set(
        workflow[True]["pull_request"]["paths"]
    )
