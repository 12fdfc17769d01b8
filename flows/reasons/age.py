"""The champion is old."""

from datetime import UTC, datetime, timedelta

from flows.errors import naming_the_library
from flows.reasons.reason import Circumstances, Reason
from podium.registry.registry import CHAMPION
from podium.tracking import Ledger
from podium.tracking.names import ask_if_there


def find(circumstances: Circumstances) -> list[Reason]:
    """Look at when each champion was made. Whatever came of the last retraining, it counts as a look at all of them."""
    here = circumstances
    if not here.champion_days:
        return []
    now, most = datetime.now(UTC), timedelta(days=here.champion_days)
    if here.retrained is not None and now - here.retrained < most:
        return []
    found = []
    with naming_the_library(here.project):
        client = Ledger(here.clone, here.params).client
        for name in here.datasets:
            champion = ask_if_there(client.get_model_version_by_alias, name, CHAMPION)
            made = champion and datetime.fromtimestamp(champion.creation_timestamp / 1000, UTC)
            if champion and made and now - made >= most:
                age = f"{(now - made).days} days old, and may become {here.champion_days}"
                found.append(Reason("age", f"The champion {name}/{champion.version} is {age}."))
    return found
