"""Challenges on real MLflow servers: every request broken in turn, and processes that promote at once."""

from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.registry import judging, measures
from podium.registry.decision import Decision
from podium.registry.journal import Journal
from tests.challenges import Serving, make_result
from tests.podium.registry.test_promotion import aliases, challenge
from tests.servers import FaultyProxy
from tests.trained import DATASET

pytestmark = pytest.mark.slow
LONG = partial(pytest.param, marks=pytest.mark.soak)


@pytest.fixture(params=["mlflow_sqlite", "mlflow_postgres"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a server; what fails is not asked again by the client."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return str(request.getfixturevalue(request.param))


@pytest.mark.usefixtures("serving")
@pytest.mark.parametrize("server", ["mlflow_sqlite", LONG("mlflow_postgres")], indirect=True)
@pytest.mark.parametrize(("how", "step"), [("cut after", 13), LONG("cut after", 1), LONG("refuse", 1)])
def test_whichever_request_fails_the_next_try_finishes_the_job(
    server: str, monkeypatch: pytest.MonkeyPatch, how: Any, step: int
) -> None:
    monkeypatch.setattr(judging, "decide", lambda *_: Decision("promote", "better", "It is better.", spent=0.01))
    client = MlflowClient(server)
    client.create_experiment(DATASET)
    challenge(client, make_result(client, "digits-dense", 10))
    champion, failing, finished = 1, 1, False
    with FaultyProxy(server) as proxy:
        behind = MlflowClient(proxy.address)
        while not finished:  # each round breaks a later request; the last one has none left to break
            result = make_result(client, "digits-cnn", 10)
            proxy.fail_at(failing, how)
            try:
                challenge(behind, result)
                finished = proxy.count < failing
            except MlflowException:
                assert proxy.count >= failing
            proxy.reset()
            challenge(behind, result)
            champion, failing = champion + 1, failing + step
            entries = Journal(client, DATASET).read()
            assert [one.entry.version for one in entries] == [str(number) for number in range(1, champion + 1)]
            assert all(one.done for one in entries)
            assert aliases(client) == {"champion": str(champion), "previous": str(champion - 1)}, proxy.asked
    assert failing > 30


def promote_in_a_process(address: str, right: int) -> None:
    measures.serve = Serving()  # type: ignore[assignment]
    judging.write_card = lambda folder, *_: (folder / "index.html").write_text("a card\n")  # type: ignore[assignment]
    client = MlflowClient(address)
    challenge(client, make_result(client, "digits-cnn", right))


@pytest.mark.usefixtures("serving")
@pytest.mark.parametrize("server", [LONG("mlflow_sqlite"), "mlflow_postgres"], indirect=True)
@pytest.mark.parametrize("processes", [2, LONG(4)])
def test_of_several_processes_that_promote_at_once_each_number_has_one(server: str, processes: int) -> None:
    client = MlflowClient(server)
    client.create_experiment(DATASET)
    context = get_context("spawn")
    rights = (20, 50, 80, 110)[:processes]
    running = [context.Process(target=promote_in_a_process, args=(server, right)) for right in rights]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert [process.exitcode for process in running] == [0] * processes
    entries = Journal(client, DATASET).read()
    assert [one.number for one in entries] == [*range(1, processes + 1)]
    champion = None
    for one in entries:  # each has decided against the champion that the one before it left
        assert (one.done, one.entry.champion_before) == (True, champion)
        champion = one.entry.champion_after
    assert aliases(client)["champion"] == champion
    assert sorted(one.entry.version for one in entries) == [str(number) for number in range(1, processes + 1)]
    assert len([one for one in client.search_experiments() if one.name.startswith(f"{DATASET}-")]) == 1
