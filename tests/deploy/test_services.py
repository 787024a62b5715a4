"""Compose file, image and units: each command exists, and nothing has a default password."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from matinee.cli import app
from matinee.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = {name: one for name, one in COMPOSE["services"].items() if name != "postgres"}
KNOWN = {
    # as tests/flows/test_scheduled.py starts them
    ("prefect", "server", "start"),
    ("prefect", "worker", "start"),
    ("python", "-m", "flows.deploy"),
}


def commands():
    """Every command that a container or a unit starts, as words."""
    for one in OURS.values():
        if "command" in one:
            yield ("matinee", *one["command"])
        elif one["entrypoint"][0] == "sh":
            yield tuple(one["entrypoint"][2].split("|| ")[1].split())
        else:
            yield tuple(one["entrypoint"])
    for unit in UNITS:
        for line in re.findall(r"^Exec\w+=(.+)$", unit.read_text(), re.M):
            program, *words = line.split()
            yield (program.rpartition("/")[2], *words)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_command_exists_with_its_options(command):
    if command[0] != "matinee":
        assert command[:3] in KNOWN
        return
    options = [word for word in command if word.startswith("--")]
    done = CliRunner().invoke(app, [command[1], "--help"])
    assert done.exit_code == 0
    assert [one for one in options if one not in done.output] == []


def test_a_container_of_ours_is_read_only_without_rights_and_on_loopback_only():
    for name, one in OURS.items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", [])), name
    assert "USER matinee" in (DEPLOY / "Dockerfile").read_text()


def test_no_password_has_a_default_and_clients_have_that_of_the_server():
    text = (DEPLOY / "compose.yaml").read_text()
    names = set(re.findall(r"\$\{(\w+)", text))
    example = dict(
        line.split("=", 1)
        for line in (DEPLOY / "env.example").read_text().splitlines()
        if "=" in line
    )
    assert names == set(example)
    assert set(example.values()) == {""}
    assert all(f"{name}:?" in text for name in names)
    for name in ("worker", "deploy"):
        assert "PREFECT_API_AUTH_STRING" in OURS[name]["environment"]


def test_variables_of_ours_are_settings():
    texts = [path.read_text() for path in (DEPLOY / "Dockerfile", DEPLOY / "systemd/matinee.env")]
    names = {name.lower() for text in texts for name in re.findall(r"MATINEE_(\w+)=", text)}
    assert names
    assert names <= set(Settings.model_fields)
