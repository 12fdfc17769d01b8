"""A dataset, or the files of a competition, from kaggle.com: the only module that imports Kaggle's client.

The client knows how to sign in and what to ask for. Its `download_file` is not used: it retries without a look at
the status (an error page is written into the file), never heeds Retry-After, and takes a full disk for a cut line.
"""

import io
import json
import logging
import shutil
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException, Response

from podium.config.datasets import KaggleSource
from podium.datasets.archive import ARCHIVE, check_zip
from podium.datasets.sources.transfer import Transport, ask_size, download, ensure_space, forget
from podium.errors import PodiumError
from podium.files import exclusive_lock, file_digest, remove
from podium.paths import LICENCES

logger = logging.getLogger(__name__)

_MAKE_ONE = (
    "Make a token at https://www.kaggle.com/settings/api ('Generate New Token') and put it into the environment "
    "variable KAGGLE_API_TOKEN or the file ~/.kaggle/access_token; or type `kaggle auth login`."
)


def fetch(source: KaggleSource, folder: Path, downloads: Path) -> str:
    """Download the archive to `folder`, or copy the one that lies in `downloads`. See `sources.fetch`."""
    by_hand, part, target = downloads / ARCHIVE, downloads / f"{ARCHIVE}.part", folder / ARCHIVE
    try:
        if by_hand.is_file():  # no network and no credential is needed
            arrived = _check(by_hand, source)
            ensure_space(target, by_hand.stat().st_size)
            shutil.copyfile(by_hand, target)
            return f"{by_hand} ({arrived})"
        downloads.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(part, f"{_title(source)} is being downloaded"):
            ask = _Asker(source)
            download(ask, part, _title(source))
            try:
                arrived = _check(part, source)
                shutil.move(part, target)
            except PodiumError:
                forget(part)
                raise
            forget(part)
        _keep_licences(ask.api, source, downloads)
        with suppress(OSError):  # something of the user's lies there, too
            downloads.rmdir()
        return f"{_title(source)} ({arrived})"
    except PodiumError as error:
        problem = error
    except RequestException as error:
        problem = PodiumError(_refusal(error, source, downloads.name))
    except OSError as error:
        problem = PodiumError(
            f"{error.filename or target} cannot be read or written: {error.strerror}. Expected a folder of yours with "
            "room in it. Mend that and type `dvc repro`; what arrived is kept."
        )
    remove(target)
    by_browser = f"Or download it in a browser from {_page(source)}, put the zip at {by_hand}, then type `dvc repro`."
    raise problem.with_hint(f"{problem.hint} {by_browser}".strip())


def look(source: KaggleSource, known: Mapping[str, Any], _root: Path, downloads: Path) -> str:
    """Ask Kaggle how large the archive is now, or look at the one that lies in `downloads`. See `sources.look`.

    Another archive of exactly as many bytes is not noticed; a page that names a version or a sha256 asks for no other.
    """
    by_hand, title = downloads / ARCHIVE, _title(source)
    if source.version or source.sha256:
        return ""
    if by_hand.is_file():
        is_same = by_hand.stat().st_size == known["bytes"] and file_digest(by_hand) == known["sha256"]
        return "" if is_same else f"{by_hand} is another archive than the one that arrived before."
    try:
        size = ask_size(_Asker(source), title)
    except RequestException as error:
        raise PodiumError(_refusal(error, source, downloads.name)) from None
    if size is None:
        raise PodiumError(f"{title}: the server does not say how large the archive is, so nothing can be compared.")
    return "" if size == known["bytes"] else f"{title} has {size:,} bytes now, {known['bytes']:,} before."


def _title(source: KaggleSource) -> str:
    if source.competition:
        return f"Kaggle's competition {source.competition}"
    return f"Kaggle's dataset {source.dataset}" + (f", version {source.version}" if source.version else "")


def _page(source: KaggleSource) -> str:
    if source.competition:
        return f"https://www.kaggle.com/competitions/{source.competition}/data"
    version = f"/versions/{source.version}" if source.version else ""
    return f"https://www.kaggle.com/datasets/{source.dataset}{version}"


def _check(path: Path, source: KaggleSource) -> str:
    """Make sure that a file is the archive that was asked for; say what it is."""
    count = check_zip(path)
    digest = file_digest(path)
    if source.sha256 not in (None, digest):
        raise PodiumError(
            f"{path} is not the archive that params.yaml asks for: its sha256 is {digest}, expected {source.sha256}. "
            "Ask for the version that you mean, or take the new digest over if the new archive is right."
        )
    return f"{count} files, {path.stat().st_size:,} bytes, sha256 {digest}"


class _Asker:
    """Asks Kaggle for the archive anew: each time it signs the address of a storage, for a while."""

    def __init__(self, source: KaggleSource) -> None:
        self.source = source
        self.transport = Transport()
        self.api: Any = None

    def __call__(self, headers: dict[str, str]) -> Response:
        try:
            self.api = self.api or _sign_in(self.transport)
            self.transport.headers = headers
            return _request(self.api, self.source)
        except RequestException:
            raise
        except (AttributeError, KeyError, TypeError, ValueError):
            raise PodiumError(
                f"Kaggle cannot be asked with {_credential()}: its file is damaged, or it holds characters that no "
                f"credential has, such as the end of a line. {_MAKE_ONE}"
            ) from None


def _keep_licences(api: Any, source: KaggleSource, downloads: Path) -> None:
    """Ask for a dataset's licences and keep them for `provenance`; an archive that is here is not lost by a failure."""
    from kagglesdk.datasets.types.dataset_api_service import (  # type: ignore[import-untyped]
        ApiGetDatasetMetadataRequest,
    )

    if source.competition:  # its rules are a page for people
        return
    request = ApiGetDatasetMetadataRequest()
    request.owner_slug, request.dataset_slug = str(source.dataset).split("/")
    try:
        with api.build_kaggle_client() as client:
            answer = client.datasets.dataset_api_client.get_dataset_metadata(request)
        licences = [str(licence.name) for licence in answer.info.licenses if licence.name] if answer.info else []
        if licences:
            (downloads / LICENCES).write_text(json.dumps({"dataset": source.dataset, "licences": licences}))
    except (RequestException, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        logger.warning("%s: its licence is not known (%s)", _title(source), type(error).__name__)


def _request(api: Any, source: KaggleSource) -> Response:
    from kagglesdk.competitions.types.competition_api_service import (  # type: ignore[import-untyped]
        ApiDownloadDataFilesRequest,
    )
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    answer: Response
    with api.build_kaggle_client() as client:
        if source.competition:
            files = ApiDownloadDataFilesRequest()
            files.competition_name = source.competition
            answer = client.competitions.competition_api_client.download_data_files(files)
        else:
            dataset = ApiDownloadDatasetRequest()
            dataset.owner_slug, dataset.dataset_slug = str(source.dataset).split("/")
            dataset.dataset_version_number = source.version
            answer = client.datasets.dataset_api_client.download_dataset(dataset)
    return answer


def _client() -> Any:
    """Give the client's class.

    `import kaggle` would sign in by itself: over the network, without a time-out, and telling nobody when it
    fails. So its package is put in place without being run; the module with the client needs no more of it.
    """
    if "kaggle" not in sys.modules and (spec := find_spec("kaggle")):
        sys.modules["kaggle"] = module_from_spec(spec)
    from kaggle.api.kaggle_api_extended import KaggleApi  # type: ignore[import-untyped]

    return KaggleApi


def _sign_in(transport: Transport) -> Any:
    """Find a credential by every way that the client knows, in its order; give the client."""
    api = _client()()
    api.args = [word for word in api.args if word != "--verbose"]  # with VERBOSE=1 it prints the credential
    api.already_printed_version_warning = True
    build_client = api.build_kaggle_client

    def build_client_with_time_outs() -> Any:
        client = build_client()
        client.__enter__()  # makes the session
        for scheme in ("https://", "http://"):
            client.http_client()._session.mount(scheme, transport)
        return client

    api.build_kaggle_client = build_client_with_time_outs
    try:
        with redirect_stdout(io.StringIO()):
            api.authenticate()
    except SystemExit:
        token = _token()
        if token:
            raise PodiumError(f"Kaggle does not accept {token}: it is old, or cut off. {_MAKE_ONE}") from None
        raise PodiumError(f"There is no credential for Kaggle on this machine. {_MAKE_ONE}") from None
    return api


def _token() -> str | None:
    """Say where the access token is that the client would send, if there is one."""
    from kagglesdk import get_access_token_from_env  # type: ignore[import-untyped]

    token, place = get_access_token_from_env()
    place = "~/.kaggle/access_token" if place == "access_token" else place
    return f"the access token of {place}" if token else None


def _credential() -> str:
    return _token() or "the credential of KAGGLE_USERNAME and KAGGLE_KEY, kaggle.json or ~/.kaggle/credentials.json"


def _refusal(error: RequestException, source: KaggleSource, name: str) -> str:
    """Say why a request was refused, and what to do."""
    answer = error.response
    if answer is None:
        return f"{_title(source)} could not be asked for ({type(error).__name__}). Is a proxy in HTTPS_PROXY misspelt?"
    key = f"datasets.{name}.source.{'competition' if source.competition else 'dataset'}"
    said = _said(answer)
    match answer.status_code:
        case status if answer.history:
            return (
                f"{urlsplit(answer.url).hostname}, where Kaggle keeps the archive, answered {status} "
                f"({answer.reason}). Expected the archive; something in between may not let it through."
            )
        case 401:
            return f"Kaggle does not accept {_credential()}{said}. It is old, or cut off. {_MAKE_ONE}"
        case 403 if source.competition:
            return (
                f"Kaggle refuses {_title(source)}{said}. Accept its rules, signed in to the account of the credential, "
                f"at https://www.kaggle.com/competitions/{source.competition}/rules, then `dvc repro`."
            )
        case 403:
            return (
                f"Kaggle refuses {_title(source)}{said}. It is private, or wants its terms accepted: look at "
                f"https://www.kaggle.com/datasets/{source.dataset}, signed in to the account of the credential; or it "
                f"is misspelt in params.yaml at {key}. Then `dvc repro`."
            )
        case 404:
            version = f" or datasets.{name}.source.version" if source.version else ""
            return (
                f"Kaggle has no such thing: {_title(source)}{said}. Correct {key}{version} in params.yaml; "
                "the page's address has the right name."
            )
        case status:
            return f"Kaggle refuses {_title(source)}: {status} ({answer.reason}){said}."


def _said(answer: Response) -> str:
    """Give Kaggle's own words, if it sent any."""
    with suppress(ValueError, AttributeError, RuntimeError):
        if "application/json" in answer.headers.get("Content-Type", "") and (words := answer.json().get("message")):
            return f" ('{' '.join(str(words).split())[:200]}')"
    return ""
