"""Signatures by the user's own key. The package model-signing is an extra."""

import importlib.util
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from podium.errors import PodiumError
from podium.registry.proof import verify as module
from podium.registry.proof.signing import PASSWORD, SIGNATURE, sign
from podium.registry.proof.verify import verify
from podium.serving.probe import Probe
from tests.registered import register
from tests.trained import Trained

NO_PACKAGE = importlib.util.find_spec("model_signing") is None
needs_package = pytest.mark.skipif(NO_PACKAGE, reason="the extra `signing` is not installed: model-signing")


@pytest.fixture
def registered(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setattr(module, "probe", lambda _: Probe(1.0, 1.0, 0.0, "", "a machine"))
    register(trained)
    return trained


def make_keys(folder: Path, name: str = "key", password: bytes | None = None, kind: str = "ec") -> tuple[Path, Path]:
    """Write a private key and its public half."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private, public = folder / f"{name}.pem", folder / f"{name}-public.pem"
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, secret))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def look(trained: Trained, public: Path | None = None) -> tuple[bool | None, str] | None:
    _, checks = verify(trained.root, "digits/1", public)
    found = {one.what: (one.agrees, one.text) for one in checks}
    return found.get("signature")


def weights(trained: Trained) -> Path:
    model_id = trained.client.get_model_version("digits", "1").source.removeprefix("models:/")
    place = trained.client.get_logged_model(model_id).artifact_location
    return Path(place.removeprefix("file://")) / "artifacts/model.keras"


@needs_package
def test_a_signed_version_agrees_with_the_key_until_a_file_changes(registered: Trained, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path)
    assert look(registered) is None
    agrees, text = look(registered, public) or (None, "")
    assert (agrees, "it is not signed; `podium sign digits/1 --key FILE`" in text) == (False, True)
    assert sign(registered.root, "digits@champion", private).startswith("digits/1 is signed.")
    assert look(registered, public) == (True, f"of the key in {public}")
    assert look(registered) == (None, "it is signed; name the key that it has to be: --public-key FILE")
    weights(registered).write_text("other weights")
    agrees, text = look(registered, public) or (None, "")
    assert agrees is False
    assert "artifacts/model.keras" in text


@needs_package
def test_another_key_and_a_damaged_signature_do_not_agree(registered: Trained, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path)
    _, another = make_keys(tmp_path, "another")
    sign(registered.root, "digits/1", private)
    assert (look(registered, another) or (None,))[0] is False
    run = registered.client.get_run(registered.client.get_model_version("digits", "1").run_id)
    signature = Path(run.info.artifact_uri.removeprefix("file://")) / SIGNATURE
    for content in ("", "{}", "<html>", signature.read_text().replace("a", "b"), "[" * 100_000):
        signature.write_text(content)
        assert (look(registered, public) or (None,))[0] is False


@needs_package
def test_a_key_with_a_password_takes_it_from_the_environment(
    registered: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = make_keys(tmp_path, password=b"secret")
    with pytest.raises(PodiumError, match=PASSWORD):
        sign(registered.root, "digits/1", private)
    monkeypatch.setenv(PASSWORD, "secret")
    sign(registered.root, "digits/1", private)
    assert (look(registered, public) or (None,))[0] is True


@needs_package
@pytest.mark.parametrize("what", ["missing", "text", "rsa"])
def test_what_is_no_key_is_one_message(registered: Trained, tmp_path: Path, what: str) -> None:
    private, _ = make_keys(tmp_path, kind="rsa")
    if what == "text":
        private.write_text("no key")
    if what == "missing":
        private.unlink()
    with pytest.raises(PodiumError, match="openssl ecparam"):
        sign(registered.root, "digits/1", private)


@pytest.mark.skipif(not NO_PACKAGE, reason="model-signing is installed")
def test_without_the_package_it_is_named_with_what_to_type(registered: Trained, tmp_path: Path) -> None:
    private, _ = make_keys(tmp_path)
    with pytest.raises(PodiumError, match=r"model_signing.*pip install 'model-signing>=1\.1' pyopenssl"):
        sign(registered.root, "digits/1", private)
