"""What `podium verify` finds where one thing of a version is not what the records say."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from podium.cli import main
from podium.config import Gate
from podium.errors import PodiumError
from podium.registry.decision import Context, Measures
from podium.registry.gate import decide
from podium.registry.journal import now, who
from podium.registry.kept import KeptDecision
from podium.registry.proof import verify as module
from podium.registry.proof.verify import verify
from podium.serving.probe import Probe
from podium.workspace.lock import file_md5
from tests.makers import REPOSITORY
from tests.registered import NAME, commit_all, promote, register
from tests.trained import Trained

DATA = {
    "download@digits": ("data/raw/digits", "data/raw/digits.json"),
    "validate@digits": ("data/manifests/digits.parquet", "reports/digits/validation/summary.json"),
}

pytestmark = pytest.mark.slow


@pytest.fixture
def registered(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A project in git, with page and lock committed, and a champion; the probe starts no process."""
    (trained.root / ".gitignore").write_text("mlflow*\ndata\nmodels\nreports\n")
    shutil.copy(REPOSITORY / "dvc.yaml", trained.root)
    lock = yaml.safe_load((trained.root / "dvc.lock").read_text())
    for stage, places in DATA.items():
        for place in places:
            (trained.root / place).parent.mkdir(parents=True, exist_ok=True)
            (trained.root / place).write_text(f"{place}\n")
        lock["stages"][stage] = {"outs": [{"path": one, "md5": file_md5(trained.root / one)} for one in places]}
    (trained.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    commit_all(trained.root)
    monkeypatch.setattr(module, "probe", lambda _: Probe(1.0, 1.0, 0.0, "", "a machine"))
    register(trained)
    return trained


def artifacts(trained: Trained) -> Path:
    run = trained.client.get_run(trained.client.get_model_version("digits", "1").run_id)
    return Path(run.info.artifact_uri.removeprefix("file://"))


def model(trained: Trained) -> Path:
    model_id = trained.client.get_model_version("digits", "1").source.removeprefix("models:/")
    return Path(trained.client.get_logged_model(model_id).artifact_location.removeprefix("file://"))


def look(trained: Trained, name: str = "digits@champion") -> dict[str, tuple[bool | None, str]]:
    title, checks = verify(trained.root, name)
    assert title == "digits/1"
    assert len({one.what for one in checks}) == len(checks)
    return {one.what: (one.agrees, one.text) for one in checks}


def test_a_version_that_is_as_it_was_agrees(registered: Trained) -> None:
    found = look(registered)
    unknown = {what: text for what, (agrees, text) in found.items() if agrees is not True}
    # Of the made-up arrays the lock has no digest of DVC's, and there is no cache.
    assert unknown.keys() == {"data/processed/digits", "decision"}
    assert unknown["decision"] == "none is kept: it was registered without the gate"
    assert found.keys() - unknown == {
        "commit",
        "params.yaml",
        "dvc.lock",
        "digests of the run",
        "splits",
        "tags of the version",
        "data/raw/digits",
        "data/raw/digits.json",
        "data/manifests/digits.parquet",
        "reports",
        "validation",
        "model",
        "digests",
        "tag",
        "golden images",
        "journal",
        "recalled",
    }


def test_data_that_is_not_here_cannot_be_told(registered: Trained) -> None:
    (registered.root / "data/raw/digits").unlink()
    agrees, text = look(registered)["data/raw/digits"]
    assert agrees is None
    assert "`dvc pull` may bring it" in text


def change_report(trained: Trained) -> None:
    (artifacts(trained) / "reports/metrics.json").write_text("{}")


def lose_report(trained: Trained) -> None:
    (artifacts(trained) / "reports/metrics.json").unlink()


def change_model(trained: Trained) -> None:
    (model(trained) / "artifacts/model.keras").write_text("other weights")


def add_file(trained: Trained) -> None:
    (model(trained) / "artifacts/more.py").write_text("import os")


def lose_model(trained: Trained) -> None:
    shutil.rmtree(model(trained))


def change_lock(trained: Trained) -> None:
    path = artifacts(trained) / "lineage/dvc.lock"
    lock = yaml.safe_load(path.read_text())
    lock["stages"][f"train@{NAME}"]["outs"][0]["md5"] = "0" * 32
    path.write_text(yaml.safe_dump(lock))


def break_lock(trained: Trained) -> None:
    (artifacts(trained) / "lineage/dvc.lock").write_text("<html>")


def change_page(trained: Trained) -> None:
    path = artifacts(trained) / "lineage/params.yaml"
    path.write_text(path.read_text().replace("- 64", "- 32"))


def change_splits(trained: Trained) -> None:
    (artifacts(trained) / "lineage/split.csv").write_text("id,sha256,split\n")


def change_tag(trained: Trained) -> None:
    trained.client.set_model_version_tag("digits", "1", "podium.splits", "0" * 64)


def change_digest(trained: Trained) -> None:
    trained.client.set_model_version_tag("digits", "1", "podium.model_sha256", "0" * 64)


def recall(trained: Trained) -> None:
    trained.client.set_model_version_tag("digits", "1", "podium.withdrawn", "a wrong label")


@pytest.mark.parametrize(
    ("change", "wrong", "said"),
    [
        (change_report, {"reports"}, "other bytes: reports/metrics.json"),
        (lose_report, {"reports"}, "not there: reports/metrics.json"),
        (change_model, {"model", "digests", "tag"}, "not the bytes of md5"),
        (add_file, {"digests"}, "not named: artifacts/more.py"),
        (lose_model, {"model"}, "The files of digits/1 are gone"),
        (change_lock, {"digests of the run"}, "dvc.lock gives others: training_key"),
        (break_lock, {"digests of the run", "data", "reports", "model"}, "is no dvc.lock that podium can read"),
        (change_page, {"digests of the run"}, "dvc.lock gives others: training_key"),
        (change_splits, {"splits"}, "the list of images is not that of the run"),
        (change_tag, {"tags of the version"}, "not the run's: podium.splits"),
        (change_digest, {"tag"}, "podium.model_sha256 0000000000"),
        (recall, {"recalled"}, "yes: a wrong label"),
    ],
)
def test_what_is_not_as_it_was_is_named(
    registered: Trained, change: Callable[[Trained], None], wrong: set[str], said: str
) -> None:
    change(registered)
    found = look(registered)
    assert {what for what, (agrees, _) in found.items() if agrees is False} == wrong
    assert said in " ".join(text for _, text in found.values())


def test_a_champion_that_a_person_moved_is_told(registered: Trained) -> None:
    registered.client.delete_registered_model_alias("digits", "champion")
    registered.client.set_registered_model_alias("digits", "previous", "1")
    agrees, text = look(registered, "digits/1")["journal"]
    assert agrees is False
    assert "it is previous, but the journal has it otherwise: previous, champion was moved by hand" in text
    promote(registered, "1")
    assert look(registered)["journal"][0] is True


def test_page_and_lock_that_were_not_committed_cannot_be_told(trained: Trained, registered: Trained) -> None:
    registered.edit("- 64", "- 32")
    assert look(registered)["params.yaml"][0] is True  # the commit has it, whatever the workspace has
    path = artifacts(registered) / "lineage/params.yaml"
    path.write_text(path.read_text() + "# edited\n")
    found = look(registered)
    assert found["params.yaml"] == (None, "in no commit as the run keeps it: it was not committed")
    assert found["digests of the run"][0] is True


def test_a_commit_that_is_not_here_cannot_be_told(registered: Trained) -> None:
    source = artifacts(registered) / "lineage/source.json"
    source.write_text(json.dumps({"commit": "0" * 40, "edited": []}))
    assert look(registered)["commit"] == (None, "0000000000 is not in this clone; `git fetch --all` may bring it")
    source.write_text(json.dumps({"commit": None, "edited": []}))
    assert look(registered)["commit"] == (None, "it was made in no git repository")


def test_edited_code_is_named(registered: Trained) -> None:
    source = artifacts(registered) / "lineage/source.json"
    source.write_text(source.read_text().replace('"edited": []', '"edited": ["podium/a.py"]'))
    agrees, text = look(registered)["commit"]
    assert agrees is None
    assert "podium/a.py" in text


def keep_decision(trained: Trained, folder: Path) -> KeptDecision:
    """Keep the decision on a first champion with the version's run."""
    run_id = trained.client.get_model_version("digits", "1").run_id
    context = Context(NAME, None, Measures({"accuracy": 0.75}))
    decision = decide(None, Gate(), context)
    kept = KeptDecision("digits", 1, "1", run_id, None, None, Gate(), context, decision, who(), now())
    folder.mkdir()
    kept.save(folder)
    trained.client.log_artifacts(run_id, str(folder), "decisions/0001")
    for tag, text in {"card": "decisions/0001", "decision": "promote"}.items():
        trained.client.set_model_version_tag("digits", "1", f"podium.{tag}", text)
    return kept


def test_the_decision_is_taken_again(registered: Trained, tmp_path: Path) -> None:
    kept = keep_decision(registered, tmp_path / "decision")
    assert look(registered)["decision"] == (True, "promote, decisions/0001: decided again, it is the same")
    forged = replace(kept, decision=replace(kept.decision, verdict="keep"))
    forged.save(artifacts(registered) / "decisions/0001")
    agrees, text = look(registered)["decision"]
    assert agrees is False
    assert "decided again it is 'promote'" in text
    (artifacts(registered) / "decisions/0001/decision.json").write_text("{}")
    assert look(registered)["decision"][0] is False
    (artifacts(registered) / "decisions/0001/decision.json").unlink()
    assert look(registered)["decision"] == (False, "decisions/0001/decision.json is gone")


def test_a_version_that_says_another_verdict_than_its_decision(registered: Trained, tmp_path: Path) -> None:
    keep_decision(registered, tmp_path / "decision")
    registered.client.set_model_version_tag("digits", "1", "podium.decision", "keep")
    agrees, text = look(registered)["decision"]
    assert agrees is False
    assert "but the version says keep" in text


def test_a_model_that_answers_otherwise_is_told(registered: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "probe", lambda _: Probe(1.0, 1.0, 0.5, "It says 3 of 0.png.", "a machine"))
    assert look(registered)["golden images"] == (False, "It says 3 of 0.png")


def test_nothing_is_changed(registered: Trained) -> None:
    def state() -> list[object]:
        client = registered.client
        entries = client.get_experiment_by_name("digits-journal")
        runs = client.search_runs([entries.experiment_id])
        version = client.get_model_version("digits", "1")
        return [version.tags, version.description, version.aliases, [run.data.params for run in runs]]

    registered.client.set_registered_model_alias("digits", "challenger", "1")  # by hand: a promotion would note it
    before = state()
    look(registered)
    assert state() == before


def test_the_command_prints_a_table_and_a_sentence(
    registered: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(registered.root)
    monkeypatch.setenv("COLUMNS", "120")
    change_report(registered)
    assert main(["verify", "digits@champion"]) == 1
    output = capsys.readouterr().out
    assert "DOES NOT AGREE  other bytes: reports/metrics.json" in output
    assert output.splitlines()[-1].startswith("digits/1 does not agree in ")
    assert main(["verify", "digits/7"]) == 1
    assert "MLflow has no 'digits/7'" in capsys.readouterr().err
    assert main(["verify", "--public-key", "key.pem"]) == 1
    assert "--public-key is for one version" in capsys.readouterr().err


def test_a_project_in_no_repository_is_verified_as_far_as_it_goes(registered: Trained) -> None:
    shutil.rmtree(registered.root / ".git")
    found = look(registered)
    assert found["commit"][0] is None
    assert "this project is in no git repository" in found["commit"][1]
    assert found["reports"][0] is True


def test_a_version_that_is_not_there_is_one_message(registered: Trained) -> None:
    with pytest.raises(PodiumError, match="There are: digits/1, digits@champion"):
        verify(registered.root, "digits@previous")
