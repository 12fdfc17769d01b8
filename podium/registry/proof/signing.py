"""Signatures of versions, by the user's own key. It needs the extra `signing`: the package model-signing.

The signature covers every file of the logged model. It lies among the artifacts of the version's run, and is only as
good as the way in which the public key came here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from podium.errors import PodiumError
from podium.registry.proof.subject import fetch_model, find_subject
from podium.tracking.reaching import reaching

SIGNATURE = "signature/model.sig"
"""Among a run's artifacts."""
PASSWORD = "PODIUM_KEY_PASSWORD"  # noqa: S105 - a variable's name
"""The environment variable with the password of a private key that has one."""
MAKE_KEY = (
    "`openssl ecparam -name prime256v1 -genkey -noout -out key.pem` makes one, and "
    "`openssl ec -in key.pem -pubout -out public.pem` its public half."
)


def sign(root: Path, name: str, key: Path) -> str:
    """Sign the logged model of a version, and keep the signature with its run.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`.
        key: a private key on an elliptic curve (P-256, P-384, P-521), PEM.

    Returns:
        What was done, in a sentence.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no such version, the key is none, or model-signing is not installed.
    """
    signing = _load("signing")
    with _explained(key, "private key"):
        password = os.environ[PASSWORD].encode() if os.environ.get(PASSWORD) else None
        signer = signing.Config().use_elliptic_key_signer(private_key=key, password=password)
    with reaching(root, name) as client, TemporaryDirectory(prefix="podium-") as folder:
        subject = find_subject(client, name)
        model = fetch_model(client, subject.version, Path(folder) / "model")
        signature = Path(folder) / Path(SIGNATURE).name
        signer.sign(model, signature)
        client.log_artifact(subject.run.info.run_id, str(signature), str(Path(SIGNATURE).parent))
    return f"{subject.title} is signed. `podium verify {subject.title} --public-key FILE` checks it."


def check_signature(model: Path, signature: Path, public_key: Path) -> str:
    """Hold a logged model against its signature.

    Args:
        model: the folder of the logged model.
        signature: as `sign` keeps it.
        public_key: of whom it has to be, PEM.

    Returns:
        Why it does not agree; empty if it does.

    Raises:
        PodiumError: the key is none, or model-signing is not installed.
    """
    from cryptography.exceptions import InvalidSignature

    verifying = _load("verifying")
    with _explained(public_key, "public key"):
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    try:
        verifier.verify(model, signature)
    except InvalidSignature:
        return f"it was not signed with the key of {public_key}"
    except (ValueError, TypeError, KeyError, OSError, RecursionError) as error:
        return " ".join(str(error).split()) or "the signature cannot be read"
    return ""


def _load(module: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(f"model_signing.{module}")
    except ModuleNotFoundError as error:
        raise PodiumError(
            f"Signatures need the package '{error.name}', which is not installed. "
            "Type `pip install 'model-signing>=1.1' pyopenssl`."
        ) from None


@contextmanager
def _explained(key: Path, kind: str) -> Iterator[None]:
    """Say what is wrong with a key, which model-signing and cryptography say in many ways."""
    try:
        yield
    except OSError as error:
        raise PodiumError(f"The {kind} {key} cannot be read: {error.strerror}. {MAKE_KEY}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise PodiumError(
            f"{key} is no {kind} on an elliptic curve that podium can use: {error}. {MAKE_KEY} A password is taken "
            f"from the environment variable {PASSWORD}."
        ) from error
