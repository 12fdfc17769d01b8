"""What isolated clones give to each other: by the cache that they share, or by a remote where they share none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dvc.dvcfile import load_file
from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage.loader import StageLoader

from podium.errors import PodiumError, nearest
from podium.workspace.graph import PIPELINE


def require_remote(root: Path, remote: str) -> None:
    """Check that DVC's configuration has a remote of that name.

    Raises:
        PodiumError: it has none.
    """
    with Repo(str(root)) as repo:
        known = [*repo.config["remote"]]
    if remote not in known:
        hint = nearest(remote, known) if known else "Make one: `dvc remote add NAME s3://bucket/folder`."
        raise PodiumError(f"DVC has no remote '{remote}'. {hint}")


def bring_inputs(clone: Path, stages: Sequence[str], remote: str | None = None) -> None:
    """Check out what some stages read and other stages made, as the clone's lock has it.

    Args:
        clone: the clone's root.
        stages: the names of the stages that are to run there.
        remote: where to fetch what the cache lacks; None for nowhere.

    Raises:
        PodiumError: it is not to be had.
    """
    with _working(clone, remote) as repo:
        known = _stages(repo)
        mine = [known[name] for name in stages]
        needed = {dep.fs_path for one in mine for dep in one.deps} - {out.fs_path for one in mine for out in one.outs}
        made = [out for name in known.lockfile_data if name in known for out in known[name].outs]
        _bring(repo, [out for out in made if out.fs_path in needed], remote)


def bring_outputs(clone: Path, stages: Sequence[str], remote: str | None = None) -> None:
    """Check out what some stages made, as the clone's lock has it.

    Raises:
        PodiumError: it is not to be had.
    """
    with _working(clone, remote) as repo:
        known = _stages(repo)
        _bring(repo, [out for name in stages for out in known[name].outs], remote)


def send_outputs(clone: Path, stages: Sequence[str], remote: str) -> None:
    """Send what some stages made to a remote, with what DVC's run-cache knows of them.

    Raises:
        PodiumError: the remote does not take it.
    """
    with _working(clone, remote) as repo:
        repo.push(targets=_targets(clone, stages), remote=remote, run_cache=True)


def fetch_run_cache(root: Path, remote: str) -> None:
    """Fetch what a remote's run-cache knows: which outputs come of which inputs, not the outputs themselves.

    Raises:
        PodiumError: the remote does not give it.
    """
    with _working(root, remote) as repo:
        repo.stage_cache.pull(remote)


def _targets(folder: Path, stages: Sequence[str]) -> list[str]:
    """Name stages so that DVC finds them whatever the current folder is."""
    return [f"{folder / PIPELINE}:{name}" for name in stages]


def _stages(repo: Repo) -> StageLoader:
    """Give the stages by their names, each made as it is asked for; for its index DVC makes those of the whole page."""
    return load_file(repo, f"{repo.root_dir}/{PIPELINE}").stages


def _bring(repo: Repo, outputs: Sequence[Output], remote: str | None) -> None:
    """Check outputs out, one by one: `Repo.checkout` reads all of DVC's files again to find out what they are."""
    if remote and outputs:
        repo.fetch(targets=[out.fs_path for out in outputs], remote=remote)
    for out in outputs:
        out.checkout(force=True)


@contextmanager
def _working(folder: Path, remote: str | None) -> Iterator[Repo]:
    """Open DVC's repository; what goes wrong has one message, whichever library of the remote's it comes from."""
    try:
        with Repo(str(folder)) as repo:
            yield repo
    except Exception as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        if remote:
            raise PodiumError(
                f"DVC's remote '{remote}' does not do its part: {said}",
                hint=f"`dvc status --cloud --remote {remote}` says more; its credentials have to be on every machine.",
            ) from error
        if isinstance(error, DvcException | OSError):
            raise PodiumError(f"DVC's cache does not have what {folder} needs: {said}") from error
        raise
