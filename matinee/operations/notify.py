"""Messages about nights to the targets of `notify.yml`: one for each change of state.

`notify.yml` lies in the home and only its owner may read it, because the URLs hold passwords. They
are Apprise URLs; a `file:` URL gets a line of JSON a message. No URL is ever printed: messages name
targets by number and scheme.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import yaml

from matinee import durable, provenance, releases
from matinee.errors import BusyError, ConfigError, MatineeError, RefusedError, StorageError
from matinee.settings import Settings

NAME = "notify.yml"
STATE = "reports/notified.json"
"""The state that the last message of each kind was about."""

FIELDS = {"urls", "live_max_age_hours"}
LIVE_MAX_AGE_HOURS = 26
"""The default: a day, and two hours for the night itself."""

HEALTHY = ""
"""The state of a night that nobody has to look at."""

QUIET = {"interrupted", "not live"}
"""States that an operator caused: a Ctrl-C, or a night of an older day."""

MOST_LINES = 5
"""Files or warnings in one message; `matinee nights show` has all of them."""

Tell = Callable[[str], None]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One message."""

    kind: Literal["failure", "warning", "success", "info"]
    title: str
    body: str


@dataclass(frozen=True)
class Targets:
    """What `notify.yml` says."""

    urls: tuple[str, ...] = ()
    live_max_age: timedelta = timedelta(hours=LIVE_MAX_AGE_HOURS)

    def schemes(self) -> list[str]:
        """The scheme of each URL, which is all of it that may be shown."""
        return [url.partition(":")[0] for url in self.urls]


def read_targets(home: Path, tell: Tell = lambda message: None) -> Targets:
    """The targets of a home; none where it has no `notify.yml`.

    A file that others may read is closed to them, and `tell` says so.

    Raises
    ------
    ConfigError
        If it is not `urls:` with a list of URLs. The message has nothing of its content.
    """
    path = home / NAME
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                os.fchmod(file.fileno(), 0o600)
                tell(f"{path} was readable by others (mode {mode:o}): it is 600 from now on")
            document = yaml.safe_load(file.read()) or {}
    except FileNotFoundError:
        return Targets()
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}; nobody is notified") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path} is not YAML: write `urls:` and a list of URLs") from None
    return _checked(path, document)


def _checked(path: Path, document: object) -> Targets:
    if not isinstance(document, dict) or (unknown := set(map(str, document)) - FIELDS):
        wrong = f"has {', '.join(sorted(unknown))}" if isinstance(document, dict) else "is no map"
        raise ConfigError(f"{path} {wrong}: it may have {' and '.join(sorted(FIELDS))}")
    urls = document.get("urls") or []
    if not isinstance(urls, list) or not all(isinstance(url, str) and ":" in url for url in urls):
        raise ConfigError(f"{path}: urls must be a list of Apprise URLs, one a line")
    hours = document.get("live_max_age_hours", LIVE_MAX_AGE_HOURS)
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < 10_000:
        raise ConfigError(f"{path}: live_max_age_hours must be a number above 0, got {hours!r}")
    return Targets(tuple(urls), timedelta(hours=hours))


def night(home: Path, record: Record, *, tell: Tell) -> None:
    """Notify of how a night ended, if that is another state than the last message was about."""
    if record["state"] not in QUIET:
        _send_once(home, "night", state_of(record), lambda: message_of(record, home), tell)


@contextmanager
def watched(settings: Settings, what: str, *, tell: Tell) -> Iterator[None]:
    """Notify once when the block fails, and once when it works again; a busy home is no failure."""
    home = settings.home.resolve()

    def send(state: str, message: Message) -> None:
        try:
            _send_once(home, what, state, lambda: message, tell)
        except MatineeError as problem:
            tell(f"nobody was notified: {problem}")

    try:
        yield
    except BusyError:
        raise
    except Exception as error:
        text = " ".join(f"{error}".split()) or type(error).__name__
        body = f"cause: {text}\nnext: `matinee run` shows whether the next night fails too"
        send(
            _same_words(text),
            Message("failure", f"matinee: {what} failed", f"{body}\nhome: {home}"),
        )
        raise
    send(HEALTHY, Message("success", f"matinee: {what} works again", f"home: {home}"))


def live_age(
    settings: Settings, *, now: datetime, tell: Tell, limit: timedelta | None = None
) -> None:
    """Notify once when no night has published for too long, and once when one has again.

    `limit` is `live_max_age_hours` of `notify.yml` by default.
    """
    home = settings.home.resolve()
    try:
        limit = limit or read_targets(home, tell).live_max_age
        try:
            check_live_age(settings, limit, now=now)
        except RefusedError as error:
            text = str(error)
            late = Message("failure", "matinee: live is too old", f"{text}\nhome: {home}")
            _send_once(home, "live", "late", lambda: late, tell)
        else:
            recent = Message("success", "matinee: live is recent again", f"home: {home}")
            _send_once(home, "live", HEALTHY, lambda: recent, tell)
    except MatineeError as error:
        tell(f"nobody was notified: {error}")


def check_live_age(settings: Settings, limit: timedelta, *, now: datetime) -> None:
    """Raise when the live release is older than `limit`, or there is none.

    Raises
    ------
    RefusedError
        With the age and the next command.
    """
    live = releases.Store.of(settings.home).live()
    if live is None:
        raise RefusedError(f"no release is live in {settings.home.resolve()}: `matinee nights`")
    age = now - datetime.fromisoformat(live.manifest["created_at"])
    if age > limit:
        raise RefusedError(
            f"the live release {live.id} is {_hours(age)} old, and at most {_hours(limit)} is "
            f"allowed: `matinee nights` shows what happened since"
        )


def send_test(settings: Settings) -> list[dict[str, str]]:
    """Send a test message, and say for each target whether it took it.

    Raises
    ------
    ConfigError
        If there are no targets.
    """
    home = settings.home.resolve()
    targets = read_targets(home)
    if not targets.urls:
        raise ConfigError(f"no targets: write `urls:` and a list of Apprise URLs to {home / NAME}")
    test = Message("info", "matinee: a test", f"Messages about nights of {home} arrive here.")
    return [
        {"target": f"{number} ({scheme})", "result": _deliver(url, test) or "sent"}
        for number, (url, scheme) in enumerate(
            zip(targets.urls, targets.schemes(), strict=True), start=1
        )
    ]


def state_of(record: Record) -> str:
    """What two nights have in common when a second message would say nothing new.

    Figures, ids and times are left out of an error: the same cause has other ones each night.
    """
    parts = [f"file {one['file']}" for one in record["set_aside"]]
    parts += [f"warns {one['rule']}" for one in record["warned_rules"]]
    if record["state"] not in ("live", "running"):
        rules = [one["rule"] for one in record["failed_rules"]]
        cause = rules or [_same_words(record["error"] or "")]
        parts = [record["state"], *cause, *parts]
    return "\n".join(parts) or HEALTHY


def _same_words(error: str) -> str:
    """An error without figures, ids and times."""
    return " ".join(word for word in error.split() if not any(map(str.isdigit, word)))


def message_of(record: Record, home: Path) -> Message:
    """State, cause, rules, files and the next command, in that order."""
    is_live = record["state"] == "live"
    has_findings = record["set_aside"] or record["warned_rules"]
    kind: Literal["failure", "warning", "success"] = "failure"
    if is_live:
        kind = "warning" if has_findings else "success"
    lines = [f"cause: {record['error']}"] if record["error"] else []
    lines += [f"rule: FAIL {one['rule']}: {one['text']}" for one in record["failed_rules"]]
    lines += [f"rule: WARN {one['rule']}: {one['text']}" for one in record["warned_rules"]]
    lines += _first(
        f"file set aside: {one['file']}: {one['reason']}" for one in record["set_aside"]
    )
    lines += _first(f"warning: {one}" for one in record["warnings"])
    lines.append(f"next: {record['next'] or '`matinee nights show` has the details'}")
    if record["release_id"]:
        lines.append(f"release: {record['release_id']}")
    lines.append(f"home: {home} on {record['host']}")
    day = record["last_day"] or record["started_at"][:10]
    return Message(kind, f"matinee: night of {day}: {record['state']}", "\n".join(lines))


def _first(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    rest = len(every) - MOST_LINES
    return every[:MOST_LINES] + ([f"and {rest} more"] if rest > 0 else [])


def _send_once(
    home: Path, subject: str, state: str, message: Callable[[], Message], tell: Tell
) -> None:
    """Send unless the last message on this subject was about the same state."""
    targets = read_targets(home, tell)
    if not targets.urls:
        return
    path = home / STATE
    try:
        before = provenance.document(path.read_bytes(), path, "remove it")
    except FileNotFoundError:
        before = {}
    if before.get(subject, HEALTHY) == state:
        return
    failures = [_deliver(url, message()) for url in targets.urls]
    for number, failure in enumerate(failures, start=1):
        if failure:
            scheme = targets.schemes()[number - 1]
            tell(f"target {number} ({scheme}) of {NAME}: {failure}; `matinee notify` tests it")
    if not all(failures):  # one has it; where none has, the next night tries again
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(path, provenance.readable_json({**before, subject: state}), mode=0o600)


def _deliver(url: str, message: Message) -> str:
    """Send to one target; '' when it took the message, else why not, without the URL."""
    if url.startswith("file:"):
        return _append(Path(unquote(urlsplit(url).path)), message)
    import apprise

    logger = logging.getLogger("apprise")  # its warnings name hosts
    before, logger.disabled = logger.disabled, True
    try:
        client = apprise.Apprise()
        if not client.add(url):
            return "it is not a URL that Apprise knows"
        sent = client.notify(title=message.title, body=message.body, notify_type=message.kind)
        return "" if sent else "it did not take the message"
    finally:
        logger.disabled = before


def _append(path: Path, message: Message) -> str:
    line = json.dumps({"at": datetime.now(UTC).isoformat(), **asdict(message)}, ensure_ascii=False)
    try:
        durable.append(path, line.encode())
    except OSError as error:
        return f"it cannot be written: {error.strerror}"
    return ""


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.1f} h"
