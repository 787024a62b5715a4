"""What a server and its tokens refuse before anything is served."""

import json
import shutil
import socket
from datetime import date

import pytest

from matinee.errors import ConfigError, IntegrityError, StorageError
from matinee.landing.api.log_files import LogFiles
from matinee.serving import server
from matinee.serving.access import tokens
from matinee.serving.live import Live
from matinee.settings import Settings


@pytest.mark.parametrize("scope", ["", "admin", "member:", "Service"])
def test_a_scope_that_does_not_exist_is_refused(tmp_path, scope):
    with pytest.raises(ConfigError, match=f"no scope '{scope}': it is member:ID, service or"):
        tokens.add(tmp_path, scope)
    assert tokens.read(tmp_path) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "a", "scope": "service", "sha256": "0"}, "has other values than `matinee tokens"),
        ({"id": "a", "scope": "root", "sha256": "0" * 64}, "no scope 'root'"),
        ({"id": "a"}, "missing 2 required"),
    ],
)
def test_a_damaged_list_of_tokens_opens_nothing(tmp_path, row, message):
    tokens.add(tmp_path, "service")
    (tmp_path / tokens.FILE).write_text(json.dumps({"tokens": [row]}))
    with pytest.raises(IntegrityError, match=message) as error:
        tokens.read(tmp_path)
    assert "remove it, then `matinee tokens add` new ones" in str(error.value)


def test_a_port_that_is_taken_is_named_before_a_release_is_opened(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port} cannot be bound \(Address"):
            server.serve(Settings(), host="127.0.0.1", port=port, workers=1)


def test_a_release_without_the_files_of_the_api_is_named(night_home, tmp_path):
    """As one is that an older matinee published."""
    home = tmp_path / "home"
    for name in ("releases", "keys"):
        shutil.copytree(night_home / name, home / name)
    live = Live(Settings(home=home))
    release = live.store.open("live")
    shutil.rmtree(release.path / "serving")
    with pytest.raises(StorageError, match=rf"{release.id} cannot be served: .*serving"):
        live.open(release.id)


def test_a_file_of_events_that_cannot_have_its_name_is_an_error(tmp_path):
    files = LogFiles(tmp_path, "w1")
    files.append({"plays": [b"{}"]}, date(2026, 1, 31))
    (file,) = (tmp_path / "landing/plays/dt=2026-01-31").iterdir()
    file.with_name(file.name.removeprefix(".")).touch()
    with pytest.raises(StorageError, match=rf"{file.name} cannot be renamed \(.* is there already"):
        files.close()
    assert not files.has_open
