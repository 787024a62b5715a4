"""`python -m flows.deploy` without a server that answers, and what its automations ask for."""

from uuid import uuid4

import pytest

from matinee.errors import ConfigError


@pytest.fixture(name="deploy", scope="module")
def import_deploy():
    """Prefect takes a second to import."""
    from flows import deploy

    return deploy


@pytest.mark.usefixtures("home")
def test_a_server_that_is_not_named_or_does_not_answer_is_one_line(deploy):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with pytest.raises(ConfigError, match="PREFECT_API_URL is not set"):
        deploy.deploy()
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:1/api"}
    with temporary_settings(nowhere), pytest.raises(ConfigError, match="no Prefect server answers"):
        deploy.deploy()


def test_without_targets_dead_runs_are_still_marked(deploy):
    (only,) = deploy.automations([])
    assert only.actions[0].state == "CRASHED"


def test_each_target_is_notified_of_runs_that_crash_are_late_or_do_not_end(deploy):
    blocks = [uuid4(), uuid4()]
    events = set()
    for one in deploy.automations(blocks)[1:]:
        assert [action.block_document_id for action in one.actions] == blocks
        events |= one.trigger.expect
    assert {"prefect.flow-run.Crashed", "prefect.flow-run.Late"} <= events
