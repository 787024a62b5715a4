"""A scheduled night with a Prefect server and worker on loopback, up to a release."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
import yaml

from matinee import pipeline, releases
from matinee.privacy import Traces
from matinee.rights import control, member_search
from matinee.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
GUARD = ROOT / "tests/guards"
PREFECT = str(Path(sys.executable).with_name("prefect"))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def prefect(tmp_path, small_home, night_home):
    """A function that runs `prefect ...` against a test server, with a home of raw logs.

    The home also has the release of a night that died before it was promoted: at the latest
    moment its line is in the trail and no name has moved. Server, worker and flow refuse and log
    all connections out of the machine.
    """
    home = tmp_path / "home"
    shutil.copytree(small_home / "landing", home / "landing")
    for folder in ("releases", "keys", "privacy"):
        shutil.copytree(night_home / folder, home / folder)
    (home / "releases/aliases.json").unlink()
    (home / "keys/last_seen.json").unlink()
    port = free_port()
    environment = os.environ | {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "MATINEE_HOME": str(home),
        "PWD": str(ROOT),
        "PYTHONPATH": os.pathsep.join([str(GUARD), os.environ.get("PYTHONPATH", "")]),
        "ATTEMPTS": str(tmp_path / "attempts"),
        "COLUMNS": "200",
    }

    def run(*arguments: str, timeout: int = 240, program: str = PREFECT) -> str:
        done = subprocess.run(
            [program, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    log = (tmp_path / "server.log").open("w")
    server = subprocess.Popen(
        [PREFECT, "server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )

    def api(path: str, **body: object) -> Any:
        """The answer of the server to a request; commands of Prefect cost seconds each."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    try:
        wait_until_healthy(port)
        yield run, api
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_healthy(port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline, "the Prefect server did not come up"
            time.sleep(0.5)


@pytest.mark.slow
def test_a_deployed_night_publishes_the_same_release_through_a_worker(prefect, tmp_path, release):
    """The same logs in another folder, another process and another program: the same content, so
    nothing new, and the release whose night died is promoted."""
    from flows import deploy

    run, api = prefect
    (tmp_path / "home/notify.yml").write_text("urls: ['json://127.0.0.1:1']\n")
    for _ in range(2):  # nothing is there twice
        run("-m", "flows.deploy", program=sys.executable)
    names = [one["name"] for one in api("automations/filter")]
    assert sorted(names) == sorted(one.name for one in deploy.automations([uuid4()]))
    deployments = {one["name"]: one["id"] for one in api("deployments/filter")}
    assert deployments.keys() == {"nightly", "weekly", "hourly"}

    nightly = f"deployments/{deployments['nightly']}"
    flow_run = api(f"{nightly}/create_flow_run", state={"type": "SCHEDULED"})["id"]
    output = run("--no-prompt", "worker", "start", "--pool", "local", "--run-once", timeout=400)

    states = {one["id"]: one["state"] for one in api("flow_runs/filter")}
    assert states[flow_run]["type"] == "COMPLETED", output
    record = pipeline.record_of(Settings(home=tmp_path / "home"))
    assert (record["state"], record["flow_run"]) == ("live", flow_run)
    assert record["release_id"] in states[flow_run]["message"]
    for step in pipeline.STEPS:
        assert output.count(f" {step.title}: ") == 1, output
    store = releases.Store.of(tmp_path / "home")
    assert [one.id for one in store.list()] == [store.open("live").id] == [release.id]
    assert [entry.action for entry in store.trail().entries()] == ["promote", "void", "promote"]
    artifacts = {one["key"]: one["data"] for one in api("artifacts/filter")}
    assert artifacts.keys() >= {"validation-report", "evaluation-table", "release-card"}
    rules = json.loads(artifacts["gate-table"])
    expected = [rule["rule"] for rule in release.manifest["gate"]["rules"]]
    assert [rule["rule"] for rule in rules] == expected
    nodes = {one["node"]: one for one in json.loads(artifacts["dbt-nodes"])}
    assert nodes["member_tastes"]["rows"] > 0
    assert nodes["assert_tastes_are_shares"]["status"] == "pass"
    attempts = (tmp_path / "attempts").read_text().splitlines()
    assert len([line for line in attempts if "control.invalid" in line]) >= 3
    assert [line for line in attempts if "control.invalid" not in line] == []
    assert files_with_member_ids(tmp_path / "prefect", tmp_path / "home/received") == set()


def files_with_member_ids(folder: Path, received: Path) -> set[str]:
    """Files of Prefect that contain a member id, without the planted control files."""
    tables = [pq.read_table(path, columns=["member_id"]) for path in received.glob("members/*/*")]
    members = Traces.of(one for table in tables for one in table["member_id"].to_pylist())
    assert len(members.ids) > 200
    (folder / "control").mkdir()  # a control is planted in every folder
    with control.planted(folder, min(members.ids)) as planted:
        found = member_search.examine(folder, members).found
    assert planted
    assert set(planted) <= set(found)
    return set(found) - set(planted)


def test_every_deployment_names_a_flow_that_exists_and_is_watched():
    from flows import deploy

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert {one["name"] for one in deployments} == {"nightly", "weekly", "hourly"}
    names = set()
    for one in deployments:
        path, _, function = one["entrypoint"].partition(":")
        text = (ROOT / path).read_text()
        assert f"def {function}(" in text
        names |= set(re.findall(r'@flow\(name="([^"]+)"\)', text))
    assert names == set(deploy.FLOWS)
