"""What a run of a deployment needs and one at a terminal does not."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas import State
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from matinee.errors import ConfigError
from matinee.settings import Settings


def flow_run_id() -> str:
    """The id of the flow run that this is."""
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""


def require_absolute_home(settings: Settings) -> None:
    """Refuse a relative home in a deployment: it would depend on where the worker was started.

    Raises
    ------
    ConfigError
        If `MATINEE_HOME` is relative or not set.
    """
    context = FlowRunContext.get()
    deployed = context and context.flow_run and context.flow_run.deployment_id
    if deployed and not settings.home.is_absolute():
        raise ConfigError(
            f"MATINEE_HOME is {str(settings.home)!r} in a deployment: set it to an absolute path "
            f"and run `python -m flows.deploy`, which stores it in the deployments"
        )


def mark_crashed(dead: Iterable[dict[str, Any]]) -> None:
    """Set the flow runs of nights that died to Crashed; Prefect would show them as Running."""
    ids = [UUID(record["flow_run"]) for record in dead if record["flow_run"]]
    if not ids:
        return
    with get_client(sync_client=True) as client:
        for one in ids:
            try:
                if client.read_flow_run(one).state.is_final():  # type: ignore[union-attr]
                    continue
            except ObjectNotFound:  # of another server
                continue
            state: State[Any] = Crashed(
                message="The process is gone: a later night holds the home."
            )
            client.set_flow_run_state(one, state, force=True)
