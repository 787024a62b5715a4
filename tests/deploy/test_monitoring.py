"""The dashboard and the alert rules name metrics and labels that a night writes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from matinee.operations import metrics, nights
from matinee.pipeline import NightRun
from matinee.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def queries():
    """Every query of the dashboards and the rules."""
    for path in sorted(DEPLOY.glob("grafana/*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"])
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


@pytest.fixture(scope="module")
def exported(night_home, tmp_path_factory):
    """Metric -> its labels -> their values, after a night with a live release."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("metrics") / "home")
    run = NightRun(Settings(home=home))
    ended = {"ended_at": "2026-02-01T04:00:00Z", "exit_code": 0, "state": "live"}
    record = nights.first_record(run) | ended | {"steps": [{"step": "fit", "seconds": 1.0}]}
    metrics.write(home, record)
    found = {}
    for family in text_string_to_metric_families((home / metrics.PATH).read_text()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


@pytest.mark.parametrize("query", queries())
def test_a_query_names_metrics_and_labels_that_exist(query, exported):
    names = set(re.findall(r"\bmatinee_\w+", query))
    assert names
    assert names <= exported.keys()
    for metric, selector in re.findall(r"(matinee_\w+)\{([^}]*)\}", query):
        for label, operator, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', selector):
            values = exported[metric][label]
            match = re.fullmatch if operator == "=~" else str.__eq__
            assert [one for one in values if match(value, one)], (metric, label, value)


if shutil.which("promtool"):  # Debian's package prometheus has it

    def test_promtool_takes_every_query(tmp_path):
        rules = [{"record": f"panel:query_{n}", "expr": one} for n, one in enumerate(queries())]
        path = tmp_path / "rules.yml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        for file in (path, DEPLOY / "alerts.yml"):
            subprocess.run(["promtool", "check", "rules", file], check=True)
