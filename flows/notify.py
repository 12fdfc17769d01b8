"""Notifications: Prefect's automations tell a webhook of what a person has to know, and of nothing else."""

from datetime import timedelta

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import EventTrigger, Posture

from flows.errors import naming_the_library
from flows.server import find_server
from podium.errors import PodiumError
from podium.paths import project_root

BLOCK = "podium-notify"
"""The name of the block with the address, which Prefect keeps encrypted."""

_FAILED = "podium: a run failed"
_DECIDED = "podium: a model was promoted, or waits for a person"
NAMES = (_FAILED, _DECIDED)
FLOWS = ("pipeline", "retrain", "compare", "data-check", "watch")
"""Whose failures are told: other people may use the same server."""

_RUN = (
    '{"text": {{ ("podium: " ~ flow.name ~ " " ~ flow_run.name ~ ": " ~ flow_run.state.name ~ ". " '
    '~ (flow_run.state.message or "")) | tojson }}, "event": {{ event.event | tojson }}, '
    '"flow": {{ flow.name | tojson }}, "run": {{ flow_run.name | tojson }}, "url": {{ flow_run | ui_url | tojson }}}'
)
_CHAMPION = (
    '{"text": {{ ("podium: " ~ event.payload.dataset ~ ": " ~ event.payload.text ~ " Next: " ~ event.payload.command) '
    '| tojson }}, "event": {{ event.event | tojson }}, "dataset": {{ event.payload.dataset | tojson }}, '
    '"card": {{ event.payload.card | tojson }}, "command": {{ event.payload.command | tojson }}}'
)
"""What is sent. `text` is what chat programs show; the rest is for programs."""


def notify(address: str) -> list[str]:
    """Set the notifications up, in place of earlier ones.

    Args:
        address: of the webhook.

    Returns:
        What was done, in lines for people.

    Raises:
        PodiumError: no Prefect server is configured.
    """
    with naming_the_library(project_root()):
        _require_server()
        block = Webhook(method="POST", url=address).save(BLOCK, overwrite=True)
        _remove()
        runs = EventTrigger(
            expect={f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=[
                {"prefect.resource.role": "flow", "prefect.resource.name": [*FLOWS]},
                {"prefect.resource.role": "deployment"},  # who types a command sees how it ends
            ],
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        )
        champions = EventTrigger(
            expect={"podium.promoted", "podium.undecided"},
            match={"prefect.resource.id": "podium.champion.*"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        )
        for name, trigger, payload in ((_FAILED, runs, _RUN), (_DECIDED, champions, _CHAMPION)):
            Automation(
                name=name, trigger=trigger, actions=[CallWebhook(block_document_id=block, payload=payload)]
            ).create()
    return [f"set up: {name}" for name in NAMES]


def stop_notifying() -> list[str]:
    """Take the notifications away; the block with the address, too.

    Raises:
        PodiumError: no Prefect server is configured.
    """
    with naming_the_library(project_root()):
        _require_server()
        gone = _remove()
        with get_client(sync_client=True) as client:
            for one in client.read_block_documents():
                if one.name == BLOCK:
                    client.delete_block_document(one.id)
    return [f"removed: {name}" for name in gone] or ["There were no notifications."]


def _require_server() -> None:
    if not find_server():
        raise PodiumError(
            "Notifications live in a Prefect server, and none is configured. In another terminal run "
            "`prefect server start`, then here `export PREFECT_API_URL=http://127.0.0.1:4200/api` and the same again."
        )


def _remove() -> list[str]:
    """Remove the automations by their names: Prefect would keep two of one name side by side."""
    with get_client(sync_client=True) as client:
        found = [one for name in NAMES for one in client.read_automations_by_name(name)]
        for one in found:
            client.delete_automation(one.id)
    return [one.name for one in found]
