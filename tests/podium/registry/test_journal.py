"""The journal: appended by one at a time, never changed, found again whatever is done to it."""

from contextlib import suppress
from threading import Barrier, Thread

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.registry.journal import MOST_WHY, Entry, Journal, make_entry
from tests.trained import DATASET, Unreliable


def entry(why: str = "so", **further: object) -> Entry:
    return make_entry(
        "recall",
        "1",
        why,
        champion_before=None,
        champion_after=None,
        previous_after=None,
        challenger_after=None,
        **further,
    )


def test_entries_come_back_in_order(client: MlflowClient) -> None:
    journal = Journal(client, DATASET)
    assert journal.read() == []
    assert client.get_experiment_by_name("digits-journal") is None  # to read makes nothing
    first, second = entry("ünïcode | `x`"), entry(sketch=tuple(f"{n:08x}" for n in range(256)), images="0" * 64)
    assert journal.append(first, 1)
    assert journal.append(second, 2)
    journal.mark_done(1)
    journal.mark_done(1)
    read = Journal(client, DATASET).read()
    assert [(one.number, one.entry, one.done) for one in read] == [(1, first, True), (2, second, False)]


def test_a_number_is_given_once(client: MlflowClient) -> None:
    first = entry()
    assert Journal(client, DATASET).append(first, 1)
    assert not Journal(client, DATASET).append(entry(), 1)
    assert Journal(client, DATASET).append(first, 1)  # the same again, as its answer may have been lost
    assert [one.entry for one in Journal(client, DATASET).read()] == [first]


def test_a_long_reason_fits_with_a_whole_sketch(client: MlflowClient) -> None:
    why = "ü" * 5000
    long = entry(why, sketch=tuple(f"{n:08x}" for n in range(256)), images="0" * 64, rules="0" * 64)
    assert len(long.why) == MOST_WHY
    Journal(client, DATASET).append(long, 1)
    assert Journal(client, DATASET).read()[0].entry == long


@pytest.mark.parametrize("deleted", ["run", "experiment"])
def test_a_journal_that_somebody_deleted_is_brought_back(client: MlflowClient, deleted: str) -> None:
    Journal(client, DATASET).append(entry(), 1)
    experiment = client.get_experiment_by_name("digits-journal")
    assert experiment is not None
    if deleted == "run":
        client.delete_run(client.search_runs([experiment.experiment_id])[0].info.run_id)
    else:
        client.delete_experiment(experiment.experiment_id)
    journal = Journal(client, DATASET)
    assert len(journal.read()) == 1
    assert journal.append(entry(), 2)


def test_an_experiment_of_the_same_name_is_no_journal(client: MlflowClient) -> None:
    client.create_experiment("digits-journal")
    with pytest.raises(PodiumError, match="digits-journal in MLflow has no journal in it"):
        Journal(client, DATASET).read()


def test_an_entry_of_another_podium_is_named(client: MlflowClient) -> None:
    journal = Journal(client, DATASET)
    journal.append(entry(), 1)
    run = client.search_runs([client.get_experiment_by_name("digits-journal").experiment_id])[0]
    client.log_param(run.info.run_id, "0002", '{"action": "sing"}')
    with pytest.raises(PodiumError, match="Entry 2 of the experiment digits-journal"):
        journal.read()


@pytest.mark.parametrize("failing", range(1, 8))
@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_journal_whose_making_breaks_is_made_by_the_next(client: MlflowClient, failing: int, *, after: bool) -> None:
    unreliable, first = Unreliable(client, failing, after=after), entry()
    with suppress(MlflowException):
        Journal(unreliable, DATASET).append(first, 1)  # type: ignore[arg-type]
    assert len(unreliable.calls) >= failing
    Journal(client, DATASET).append(first, 1)
    names = [one.name for one in client.search_experiments() if one.name.startswith("digits-")]
    assert names == ["digits-journal"]
    assert [one.entry for one in Journal(client, DATASET).read()] == [first]


def test_of_several_who_make_the_journal_one_does(client: MlflowClient) -> None:
    barrier, written = Barrier(4), []

    def write() -> None:
        journal = Journal(MlflowClient(client.tracking_uri), DATASET)
        barrier.wait()
        written.append(journal.append(entry(), 1))

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == [False, False, False, True]
    names = [one.name for one in client.search_experiments() if one.name.startswith("digits-")]
    assert names == ["digits-journal"]
    assert len(Journal(client, DATASET).read()) == 1
