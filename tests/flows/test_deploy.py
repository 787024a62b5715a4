"""`python -m flows.deploy` without a server that answers, and what its automations ask for."""

from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import deploy
from matinee.errors import ConfigError


def test_a_server_that_is_not_named_or_does_not_answer_is_one_line(home):
    with pytest.raises(ConfigError, match="PREFECT_API_URL is not set"):
        deploy.deploy()
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:1/api"}
    with temporary_settings(nowhere), pytest.raises(ConfigError, match="no Prefect server answers"):
        deploy.deploy()


def test_without_targets_dead_runs_are_still_marked():
    (only,) = deploy.automations([])
    assert only.actions[0].state == "CRASHED"


def test_each_target_is_notified_of_runs_that_crash_are_late_or_do_not_end():
    blocks = [uuid4(), uuid4()]
    events = set()
    for one in deploy.automations(blocks)[1:]:
        assert [action.block_document_id for action in one.actions] == blocks
        events |= one.trigger.expect
    assert {"prefect.flow-run.Crashed", "prefect.flow-run.Late"} <= events
