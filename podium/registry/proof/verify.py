"""`podium verify`: whether a version is what the records say, and whether the records are what they were."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient

from podium.errors import PodiumError, TransientError
from podium.registry.proof.check import Check
from podium.registry.proof.check_files import check_data, check_model, check_reports
from podium.registry.proof.check_records import check_code, check_decision, check_journal, check_lock, check_withdrawn
from podium.registry.proof.pin import PINS, Pin, read_pins
from podium.registry.proof.signing import SIGNATURE, check_signature
from podium.registry.proof.subject import Subject, digest_files, fetch_lineage, fetch_model, find_subject
from podium.serving.probe import probe
from podium.tracking.connection import shown_uri
from podium.tracking.names import WITHDRAWN, find_version
from podium.tracking.published import download_files
from podium.tracking.reaching import reaching


def verify(
    root: Path, name: str, public_key: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[str, list[Check]]:
    """Check a version against everything that is known of it. Nothing is changed.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`.
        public_key: whose signature it has to bear; by default a signature is not looked at.
        say: takes a line for what takes long.

    Returns:
        The version's name for people, and what was found.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no such version.
    """
    with reaching(root, name) as client, TemporaryDirectory(prefix="podium-") as folder:
        subject = find_subject(client, name)
        return subject.title, list(_check(root, client, subject, Path(folder), public_key, say))


def _check(
    root: Path,
    client: MlflowClient,
    subject: Subject,
    folder: Path,
    public_key: Path | None,
    say: Callable[[str], None],
) -> Iterator[Check]:
    lineage = fetch_lineage(client, subject, folder / "lineage")
    yield from _safely("commit", lambda: check_code(root, subject, lineage))
    yield from _safely("digests of the run", lambda: check_lock(subject, lineage))
    yield from _safely("data", lambda: check_data(root, subject, lineage))
    yield from _safely("reports", lambda: check_reports(client, subject, lineage, folder / "reports"))
    try:
        model = fetch_model(client, subject.version, folder / "model")
    except (OSError, PodiumError) as error:
        yield Check("model", False, str(error).rstrip("."))
    else:
        yield from _safely("model", lambda: check_model(subject, lineage, model))
        say("asking the model about its golden images, in a clean process")
        yield _check_golden(model)
        yield from _safely("signature", lambda: _check_signature(client, subject, model, public_key, folder))
    yield from _safely("decision", lambda: check_decision(client, subject, folder / "decision"))
    yield from _safely("journal", lambda: check_journal(client, subject))
    yield check_withdrawn(client, subject)


def verify_pins(root: Path) -> list[tuple[str, list[Check]]]:
    """Check every version that `models.lock` pins: its files, and whether it was recalled since.

    Returns:
        For each, its name for people and what was found.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no `models.lock`, or it cannot be read.
    """
    pins = read_pins(root / PINS)
    checked = []
    for pin in pins.values():
        with reaching(root, pin.title) as client, TemporaryDirectory(prefix="podium-") as folder:
            checked.append((pin.title, list(_check_pin(client, pin, Path(folder)))))
    return checked


def _check_pin(client: MlflowClient, pin: Pin, folder: Path) -> Iterator[Check]:
    here = shown_uri(client.tracking_uri)
    if here != pin.where:
        yield Check("address", None, f"it was pinned at {pin.where}, and this is {here}")
    try:
        version = find_version(client, pin.title)
        found = digest_files(fetch_model(client, version, folder))
    except TransientError:
        raise
    except (OSError, PodiumError) as error:
        yield Check("files", False, str(error).rstrip("."))
        return
    changed = sorted({*found.items()} ^ {*pin.files.items()})
    names = ", ".join(dict.fromkeys(name for name, _ in changed))
    yield Check("files", not changed, f"not as pinned: {names}" if changed else f"{len(found)} files are as pinned")
    why = version.tags.get(WITHDRAWN)
    yield Check("recalled", why is None, "no" if why is None else f"yes: {why}")


def _safely(what: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Give the checks; where what they look at is damaged, that is what they found."""
    try:
        yield from look()
    except TransientError:
        raise
    except PodiumError as error:
        yield Check(what, False, str(error).rstrip("."))


def _check_golden(model: Path) -> Check:
    found = probe(model)
    if found.fault:
        return Check("golden images", False, found.fault.rstrip("."))
    return Check("golden images", True, f"it answers as it was evaluated, to {found.worst_difference:.1g}")


def _check_signature(
    client: MlflowClient, subject: Subject, model: Path, public_key: Path | None, folder: Path
) -> Iterator[Check]:
    kept = download_files(client, subject.run.info.run_id, [SIGNATURE], folder / "signature").get(SIGNATURE)
    if public_key is None:
        if kept is not None:
            yield Check("signature", None, "it is signed; name the key that it has to be: --public-key FILE")
        return
    if kept is None:
        yield Check("signature", False, f"it is not signed; `podium sign {subject.title} --key FILE` signs it")
        return
    wrong = check_signature(model, kept, public_key)
    yield Check("signature", not wrong, wrong or f"of the key in {public_key}")
