from pathlib import Path

import pytest

from podium.tracking.connection import connect
from podium.tracking.sweeps import compare_view, search_text, sweep_view, tag_places


@pytest.mark.slow
def test_runs_know_their_places_and_are_found_by_the_sweep(tmp_path: Path) -> None:
    client = connect(tmp_path)
    experiment = client.create_experiment("digits")
    first, second, third = (client.create_run(experiment).info.run_id for _ in "123")
    views = tag_places(tmp_path, "digits", "0a1b2c3d", [[second, third], [first], [""]], [0.7, 0.2, 0.1])
    assert views.listed == views.compared == ""  # a store on this disk has no address
    found = client.search_runs([experiment], search_text("0a1b2c3d"), order_by=["tags.`podium.sweep.0a1b2c3d`"])
    places = {run.info.run_id: run.data.tags["podium.sweep.0a1b2c3d"] for run in found}
    assert places == {second: "1 of 3, best with 70%", third: "1 of 3, best with 70%", first: "2 of 3, best with 20%"}
    assert not client.search_runs([experiment], search_text("ffffffff"))


def test_addresses_open_the_view_for_training_and_hold_no_password() -> None:
    listed = sweep_view("http://me:secret@127.0.0.1:5000", "1", "0a1b2c3d")
    compared = compare_view("http://me:secret@127.0.0.1:5000", "1", ["a", "b"])
    assert listed.startswith("http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&searchFilter=")
    assert compared.startswith("http://127.0.0.1:5000/#/compare-runs?workflowType=machine_learning&runs=%5B%22a%22")
    assert "secret" not in listed + compared
