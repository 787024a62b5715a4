"""Messages about nights: one for each change of state, to files and to a server on loopback."""

import http.server
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from matinee.errors import BusyError, ConfigError, DataError, RefusedError, StorageError
from matinee.operations import notify
from matinee.settings import Settings

HEALTHY = {
    "state": "live",
    "started_at": "2026-02-01T03:15:00Z",
    "last_day": "2026-01-31",
    "host": "vm",
    "release_id": "20260201T031500Z-3f9ac01b2c4d",
    "error": None,
    "next": None,
    "failed_rules": [],
    "warned_rules": [],
    "set_aside": [],
    "warnings": [],
}
RULE = {"rule": "coverage", "text": "coverage@10  0.2  limit 0.4"}
REFUSED = HEALTHY | {"state": "refused", "error": "coverage@10  0.2", "failed_rules": [RULE]}
FILE = {"file": "plays/dt=2026-01-31/a.csv", "reason": "it ends in the middle of a line"}


@pytest.fixture
def sent(tmp_path):
    """A function that notifies of a night and returns the messages that this sent."""
    log = tmp_path / "alerts.jsonl"
    (tmp_path / "notify.yml").write_text(f"urls: ['file://{log}']\n")
    (tmp_path / "notify.yml").chmod(0o600)

    def night(record):
        before = len(log.read_text().splitlines()) if log.exists() else 0
        notify.night(tmp_path, record, tell=pytest.fail)
        lines = log.read_text().splitlines() if log.exists() else []
        return [json.loads(line) for line in lines[before:]]

    return night


@pytest.fixture
def server():
    """The bodies that a server on loopback got, and its address."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield got, f"127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_one_message_per_change_of_state_and_none_for_a_second_equal_refusal(sent):
    assert sent(HEALTHY) == []
    (first,) = sent(REFUSED)
    again = REFUSED | {"error": "coverage@10  0.1", "release_id": "20260202T031500Z-000000000000"}
    assert sent(again) == []
    (recovered,) = sent(HEALTHY)
    assert (first["kind"], recovered["kind"]) == ("failure", "success")
    assert sent(HEALTHY) == []


def test_a_message_has_cause_rule_file_and_next_command(sent):
    (message,) = sent(REFUSED | {"set_aside": [FILE], "next": "`matinee releases show candidate`"})
    for part in (*RULE.values(), *FILE.values(), "next: `matinee releases show candidate`", "vm"):
        assert part in message["body"]
    assert message["title"] == "matinee: night of 2026-01-31: refused"


def test_another_cause_of_the_same_state_is_another_message(sent):
    failed = HEALTHY | {"state": "failed", "error": "plays: 3 rows have no member_id"}
    assert len(sent(failed)) == 1
    assert sent(failed | {"error": "plays: 4 rows have no member_id"}) == []
    assert len(sent(failed | {"error": "titles: 4 rows have no title_id"})) == 1


@pytest.mark.parametrize("finding", [{"set_aside": [FILE]}, {"warned_rules": [RULE]}])
def test_a_live_night_with_a_file_set_aside_or_a_rule_that_warns_is_a_warning(sent, finding):
    (message,) = sent(HEALTHY | finding)
    assert message["kind"] == "warning"
    assert sent(HEALTHY | finding) == []


@pytest.mark.parametrize("state", ["interrupted", "not live"])
def test_what_an_operator_caused_is_no_message(sent, state):
    assert sent(HEALTHY | {"state": state, "error": "x"}) == []


def test_an_apprise_url_gets_the_message(tmp_path, server):
    got, address = server
    (tmp_path / "notify.yml").write_text(f"urls: ['json://{address}/hook']\n")
    notify.night(tmp_path, REFUSED, tell=lambda text: None)
    (message,) = got
    assert message["type"] == "failure"
    assert RULE["text"] in message["message"]


def test_a_target_that_fails_is_named_without_its_url_and_tried_again(tmp_path, server, caplog):
    got, address = server
    user = "ada-s3cret"
    unreachable = f"json://{user}:x@127.0.0.1:1/hook"
    (tmp_path / "notify.yml").write_text(f"urls: ['{unreachable}']\n")
    lines = []
    notify.night(tmp_path, REFUSED, tell=lines.append)
    assert lines[-1].startswith("target 1 (json) of notify.yml: it did not take the message")
    assert not any(user in text or "127.0.0.1" in text for text in [*lines, caplog.text])
    (tmp_path / "notify.yml").write_text(f"urls: ['{unreachable}', 'json://{address}']\n")
    notify.night(tmp_path, REFUSED, tell=lines.append)
    assert len(got) == 1
    notify.night(tmp_path, REFUSED, tell=lines.append)
    assert len(got) == 1


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path):
    path = tmp_path / "notify.yml"
    path.write_text("urls: []\n")
    path.chmod(0o644)
    lines = []
    notify.read_targets(tmp_path, lines.append)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "it is 600 from now on" in lines[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("urls: [x", "is not YAML"),
        ("url: ['json://secret']", "has url: it may have"),
        ("urls: json://secret", "urls must be a list"),
        ("urls: []\nlive_max_age_hours: -1", "live_max_age_hours must be a number above 0"),
    ],
)
def test_a_wrong_file_is_refused_without_its_content(tmp_path, text, message):
    (tmp_path / "notify.yml").write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        notify.read_targets(tmp_path)
    assert "secret" not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "notify.yml").mkdir()
    with pytest.raises(StorageError, match=r"notify.yml: Is a directory; nobody is notified"):
        notify.read_targets(tmp_path)


def test_a_live_release_that_is_too_old_is_reported_once_and_its_successor_too(night_home, sent):
    from matinee.releases import Store

    home = Settings(home=night_home)
    made = datetime.fromisoformat(Store.of(night_home).open("live").manifest["created_at"])
    notify.check_live_age(home, timedelta(hours=26), now=made + timedelta(hours=25))
    with pytest.raises(RefusedError, match=r"is 27\.0 h old, and at most 26\.0 h is allowed"):
        notify.check_live_age(home, timedelta(hours=26), now=made + timedelta(hours=27))


def test_no_live_release_at_all_is_too_old(tmp_path, sent):
    for _ in range(2):
        notify.live_age(Settings(home=tmp_path), now=datetime.now(UTC), tell=pytest.fail)
    (line,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert "no release is live" in json.loads(line)["body"]


def test_a_refresh_that_fails_is_reported_once_and_a_busy_one_is_not(tmp_path, sent):
    for error in (BusyError("busy"), DataError("no titles"), DataError("no titles")):
        with (
            pytest.raises(type(error)),
            notify.watched(Settings(home=tmp_path), "hourly refresh", tell=pytest.fail),
        ):
            raise error
    with notify.watched(Settings(home=tmp_path), "hourly refresh", tell=pytest.fail):
        pass
    kinds = [json.loads(one)["kind"] for one in (tmp_path / "alerts.jsonl").open()]
    assert kinds == ["failure", "success"]


def test_a_test_message_reports_each_target_by_number_and_scheme(tmp_path, sent):
    (tmp_path / "notify.yml").write_text(f"urls: ['file://{tmp_path}/a', 'nonsense://x']\n")
    results = [tuple(one.values()) for one in notify.send_test(Settings(home=tmp_path))]
    assert results == [
        ("1 (file)", "sent"),
        ("2 (nonsense)", "it is not a URL that Apprise knows"),
    ]
