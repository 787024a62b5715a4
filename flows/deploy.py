"""Deploys the flows and their automations: `python -m flows.deploy`. It may be run again.

The deployments get the absolute path of the home. The automations mark runs without a heartbeat as
Crashed, and notify the targets of `notify.yml` of what no run can report itself: that it crashed,
is late or does not end. The Prefect server sends these, so it stores the URLs, encrypted.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
from prefect.automations import (
    AutomationCore,
    ChangeFlowRunState,
    EventTrigger,
    Posture,
    ResourceSpecification,
)
from prefect.blocks.notifications import SlackWebhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import SendNotification
from prefect.exceptions import ObjectAlreadyExists, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from matinee import pipeline
from matinee.errors import ConfigError, MatineeError
from matinee.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
POOL = "local"
FLOWS = ["nightly", "refresh-features", "insights-weekly"]

HEARTBEAT_SECONDS = 30
"""Of each run; `prefect.yaml` sets it. Three that are missing are a dead process."""

STUCK = timedelta(hours=6)
"""After which a run that has not ended is reported."""

PREFIX = "matinee: "
"""Of the names of our automations; others are left alone."""

RUN = "prefect.flow-run"
ENDS = {f"{RUN}.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "Skipped")}


BODY = """{{ flow.name }} ({{ flow_run.name }}) is {{ flow_run.state.name }}:
{{ flow_run.state.message }}
next: `matinee nights` on the machine of the worker, and look whether the worker is up
{{ flow_run|ui_url }}"""
"""Of a notification, filled in by the Prefect server."""


def deploy() -> list[str]:
    """Create or update the work pool, the deployments and the automations; return their names.

    Raises
    ------
    ConfigError
        If no server is named, or Prefect refuses the deployments.
    """
    if PREFECT_API_URL.value() is None:
        raise ConfigError("PREFECT_API_URL is not set: name the server, as the guide shows")
    settings = Settings()
    home = settings.home.resolve()
    try:
        with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except httpx.ConnectError:
        raise ConfigError(
            f"no Prefect server answers at {PREFECT_API_URL.value()}: start it, or wait for it"
        ) from None
    except PrefectHTTPStatusError as error:
        if error.response.status_code == httpx.codes.UNAUTHORIZED:
            raise ConfigError(
                "the Prefect server wants a password: set PREFECT_API_AUTH_STRING to the value of "
                "its PREFECT_SERVER_API_AUTH_STRING"
            ) from None
        raise
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env=os.environ | {"MATINEE_HOME": str(home), "PWD": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(f"prefect deploy failed: {' '.join(done.stdout.split()[-60:])}")
    urls = pipeline.read_targets(home, tell=print_line).urls
    return create_automations(urls)


def create_automations(urls: Sequence[str]) -> list[str]:
    """Create our automations or bring them up to date, and remove those that are not wanted."""
    blocks: list[UUID] = [
        SlackWebhook(url=SecretStr(url)).save(f"matinee-{number}", overwrite=True)  # type: ignore[misc]
        for number, url in enumerate(urls, start=1)
        if not url.startswith("file:")  # of this machine, not of the server's
    ]
    wanted = {one.name: one for one in automations(blocks)}
    with get_client(sync_client=True) as client:
        existing = {one.name: one for one in client.read_automations()}
        for name, automation in wanted.items():
            if name in existing:
                client.update_automation(existing[name].id, automation)
            else:
                client.create_automation(automation)
        for name in existing.keys() - wanted.keys():
            if name.startswith(PREFIX):
                client.delete_automation(existing[name].id)
    return sorted(wanted)


def automations(blocks: Sequence[UUID]) -> list[AutomationCore]:
    """Our automations; those that notify need a block a target."""
    crashed = AutomationCore(
        name=f"{PREFIX}a run without a heartbeat is Crashed",
        description="A killed process reports nothing itself.",
        trigger=_trigger(
            {f"{RUN}.heartbeat", *ENDS},
            after={f"{RUN}.heartbeat"},
            within=timedelta(seconds=3 * HEARTBEAT_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                name=None,
                state=StateType.CRASHED,
                message="No heartbeat for 90 s: the process is gone.",
                force=False,
            )
        ],
    )
    triggers = {
        "crashed": _trigger({f"{RUN}.Crashed"}),
        "is late": _trigger({f"{RUN}.Late"}),
        "does not end": _trigger(ENDS, after={f"{RUN}.Running"}, within=STUCK),
    }
    notify = [
        AutomationCore(
            name=f"{PREFIX}notify that a run {title}",
            trigger=trigger,
            actions=[
                SendNotification(
                    block_document_id=block, subject=f"matinee: a run {title}", body=BODY
                )
                for block in blocks
            ],
        )
        for title, trigger in triggers.items()
    ]
    return [crashed, *(notify if blocks else [])]


def _trigger(
    expect: set[str], *, after: set[str] | None = None, within: timedelta = timedelta(0)
) -> EventTrigger:
    """Of one run of our flows: on an event, or when none comes `within` a time `after` another."""
    return EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": [f"{RUN}.*"]}),
        match_related=ResourceSpecification(
            {"prefect.resource.role": ["flow"], "prefect.resource.name": FLOWS}
        ),
        for_each={"prefect.resource.id"},
        after=after or set(),
        expect=expect,
        posture=Posture.Proactive if after else Posture.Reactive,
        threshold=1,
        within=within,
    )


def print_line(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    try:
        for name in deploy():
            print_line(name)
    except MatineeError as error:
        print_line(f"matinee: {error}")
        sys.exit(error.exit_code)
