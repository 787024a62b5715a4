"""Histories of single people as services export them: Netflix, Trakt, Jellyfin and Last.fm.

Events land under the day on which they happened. The exports have no catalogue, so titles are named
by what the export calls them, and known from the first day on.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from matinee.errors import DataError
from matinee.landing.importers.history import Imported
from matinee.landing.importers.set_files import Problems
from matinee.landing.write import write
from matinee.provenance import parse_json

NETFLIX = ("Profile Name", "Start Time", "Duration", "Title", "Supplemental Video Type")
"""Columns that are needed of `ViewingActivity.csv` of a Netflix data request."""

SERIES = re.compile(
    r"(?P<name>.+?): "
    r"(?P<label>(?:Season|Series|Part|Volume|Chapter|Book|Limited Series|Episode)\b.*)"
)
"""Netflix' way to name an episode: `Dark: Season 1: Secrets (Episode 1)`."""

JELLYFIN_EPISODE = re.compile(r"(?P<name>.+?) - (?P<label>s\d+e\d+.*)", re.IGNORECASE)
"""The Playback Reporting plugin's way: `Dark - s01e01 - Secrets`."""

DEVICES = {
    "tv": ("tv", "roku", "chromecast", "fire", "bravia", "webos", "tizen", "shield", "set top"),
    "tablet": ("ipad", "tablet"),
    "phone": ("phone", "android", "mobile", "pixel", "galaxy"),
    "console": ("playstation", "ps4", "ps5", "xbox", "nintendo"),
    "web": ("chrome", "firefox", "safari", "edge", "web", "pc", "mac", "windows", "browser"),
}
"""Device of the contract -> parts of names of devices; the first that fits."""

SCROBBLE_SECONDS = 120
"""Last.fm scrobbles a track after half of it, or four minutes; how long it played is unknown."""


@dataclass(frozen=True)
class Play:
    """One play of an export."""

    member: str
    at: datetime
    title: str
    kind: str
    """`movie` or `series`."""
    watched_seconds: int
    runtime_seconds: int | None = None
    episode: str | None = None
    country: str | None = None
    device: str | None = None
    is_trailer: bool = False
    is_autoplay: bool = False


def import_netflix(path: Path, *, home: Path) -> Imported:
    """Land `ViewingActivity.csv` of a Netflix data request: one member a profile.

    Raises
    ------
    DataError
        When the file is another one, or not one line can be read.
    """
    return _land("netflix", path, _netflix, home)


def import_trakt(path: Path, *, home: Path, member: str = "me") -> Imported:
    """Land a history of Trakt: the JSON of its export or of `/users/<name>/history`."""
    return _land("trakt", path, lambda file, bad: _trakt(file, bad, member), home)


def import_jellyfin(path: Path, *, home: Path) -> Imported:
    """Land a backup of Jellyfin's Playback Reporting plugin: tab-separated, nine columns."""
    return _land("jellyfin", path, _jellyfin, home)


def import_lastfm(path: Path, *, home: Path) -> Imported:
    """Land `userid-timestamp-artid-artname-traid-traname.tsv`: an artist is a title."""
    return _land("lastfm", path, _lastfm, home)


def _netflix(path: Path, problems: Problems) -> Iterator[Play]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if missing := [name for name in NETFLIX if name not in (rows.fieldnames or ())]:
            raise DataError(
                f"{path} is no ViewingActivity.csv: it has no {', '.join(missing)}. "
                f"NetflixViewingHistory.csv (Title, Date) has no times and no profiles: request "
                f"all your data instead"
            )
        for line, row in enumerate(rows, start=2):
            try:
                at = datetime.strptime(row["Start Time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
                hours, minutes, seconds = map(int, row["Duration"].split(":"))
            except (ValueError, TypeError, AttributeError):
                problems.add(path, line, f"no time or duration: {row['Start Time']!r}")
                continue
            series = SERIES.fullmatch(row["Title"])
            yield Play(
                member=row["Profile Name"],
                at=at,
                title=series["name"] if series else row["Title"],
                kind="series" if series else "movie",
                watched_seconds=hours * 3600 + minutes * 60 + seconds,
                episode=series["label"] if series else None,
                country=(row.get("Country") or "")[:2] or None,
                device=device_of(row.get("Device Type") or ""),
                is_trailer=bool((row["Supplemental Video Type"] or "").strip()),
                is_autoplay="Autoplayed: user action: None" in (row.get("Attributes") or ""),
            )


def _trakt(path: Path, problems: Problems, member: str) -> Iterator[Play]:
    try:
        entries = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(entries, list):
        raise DataError(f"{path} is no history of Trakt: it must be a list of plays")
    for number, entry in enumerate(entries, start=1):
        try:
            at = datetime.fromisoformat(entry["watched_at"]).astimezone(UTC)
            is_movie = "movie" in entry
            about = entry["movie"] if is_movie else entry["show"]
            part = about if is_movie else entry["episode"]
            label = None if is_movie else f"S{part['season']:02}E{part['number']:02}"
            title = f"{about['title']} ({about['year']})" if about.get("year") else about["title"]
        except (KeyError, TypeError, ValueError):
            problems.add(path, number, "no play of a movie or an episode")
            continue
        # Trakt keeps that something was watched, not for how long: all of it.
        seconds = int(part.get("runtime") or (100 if is_movie else 45)) * 60
        kind = "movie" if is_movie else "series"
        yield Play(member, at, title, kind, seconds, seconds, label)


def _jellyfin(path: Path, problems: Problems) -> Iterator[Play]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            try:
                created, user, _, kind, name, _, client, device, duration = row[:9]
                # The plugin writes seven digits of a second, in the time of the server.
                at = datetime.fromisoformat(created[:19]).replace(tzinfo=UTC)
                seconds = int(duration)
            except ValueError:
                problems.add(path, line, "not date, user, item, type, name, method, ..., seconds")
                continue
            episode = JELLYFIN_EPISODE.fullmatch(name) if kind == "Episode" else None
            yield Play(
                member=user,
                at=at,
                title=episode["name"] if episode else name,
                kind="series" if kind == "Episode" else "movie",
                watched_seconds=seconds,
                episode=episode["label"] if episode else None,
                device=device_of(f"{client} {device}"),
            )


def _lastfm(path: Path, problems: Problems) -> Iterator[Play]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for line, text in enumerate(file, start=1):
            fields = text.rstrip("\n").split("\t")
            try:
                user, instant, _, artist, _, track = fields
                at = datetime.fromisoformat(instant).astimezone(UTC)
            except ValueError:
                problems.add(path, line, "not user, time, artist id, artist, track id, track")
                continue
            yield Play(user, at, artist, "series", SCROBBLE_SECONDS, episode=track[:200])


def device_of(name: str) -> str | None:
    """The device of the contract that a device's name stands for."""
    words = name.lower()
    return next(
        (device for device, parts in DEVICES.items() if any(part in words for part in parts)), None
    )


def _land(
    layout: str, path: Path, read: Callable[[Path, Problems], Iterator[Play]], home: Path
) -> Imported:
    if not path.is_file():
        raise DataError(f"no file {path}")
    problems = Problems()
    days: dict[date, list[Play]] = {}
    for play in read(path, problems):
        days.setdefault(play.at.date(), []).append(play)
    if not days:
        raise DataError(f"not one play in {path} can be read")
    plays = [play for day in days.values() for play in day]
    kinds = {play.title: play.kind for play in plays}
    titles = pa.table(
        {
            "title_id": [_id(layout, title) for title in sorted(kinds)],
            "name": sorted(kinds),
            "title_kind": [kinds[title] for title in sorted(kinds)],
        }
    )
    files = [write(home, "titles", min(days), titles, layout)]
    files += [write(home, "plays", day, _table(layout, days[day]), layout) for day in sorted(days)]
    return Imported(
        layout=layout,
        files=tuple(files),
        first_day=min(days),
        last_day=max(days),
        members=len({play.member for play in plays}),
        titles=len(kinds),
        stream="plays",
        events=len(plays),
        problems=tuple(problems.texts),
        problem_count=problems.count,
    )


def _table(layout: str, plays: list[Play]) -> pa.Table:
    at = pa.array([play.at for play in plays], pa.timestamp("us", tz="UTC"))
    key = [f"{play.member}\0{play.at.isoformat()}\0{play.title}\0{play.episode}" for play in plays]
    return pa.table(
        {
            "event_id": [_id(layout, one) for one in key],
            "event_at": at,
            "received_at": at,
            "member_id": [_id(layout, play.member) for play in plays],
            "title_id": [_id(layout, play.title) for play in plays],
            "watched_seconds": [play.watched_seconds for play in plays],
            "runtime_seconds": pa.array([play.runtime_seconds for play in plays], pa.int64()),
            "episode_label": pa.array([play.episode for play in plays], pa.string()),
            "country": pa.array([play.country for play in plays], pa.string()),
            "device": pa.array([play.device for play in plays], pa.string()),
            "is_trailer": [play.is_trailer for play in plays],
            "is_autoplay": [play.is_autoplay for play in plays],
        }
    )


def _id(layout: str, text: str) -> str:
    """An id that is the same for the same name: profile names do not enter the logs."""
    return f"{layout}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
