"""Which landing files are new, and which are not what they should be."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from matinee import durable
from matinee.landing import erasure, files, requests, tombstones, withdrawals
from matinee.landing.files import LandingFile, TornError
from matinee.landing.ledger import Entry, Ledger


def sort_out(
    home: Path,
    found: list[LandingFile],
    known: Ledger,
    forgotten: tombstones.Tombstones | None,
    doubted: Mapping[date, str],
) -> tuple[dict[str, dict[LandingFile, Entry]], list[Entry]]:
    """The new files by stream, and those whose bytes or days are not what they should be."""
    new: dict[str, dict[LandingFile, Entry]] = defaultdict(dict)
    set_aside: list[Entry] = []
    for file in found:
        before = known.entries.get(file.name)
        try:
            entry = _entry(file)
            expected = files.expected_sha256(file)
            if forgotten and not (before and before.sha256 == entry.sha256):
                entry = _keep_out(home, forgotten, file, entry, expected)
                expected = files.expected_sha256(file)
        except TornError as error:
            set_aside.append(_unread(file, str(error)))
            continue
        if before and before.status == "received":
            if before.sha256 != entry.sha256:
                reason = (
                    f"its bytes have changed since it was received (sha256 was"
                    f" {before.sha256[:12]}): put it back and land the change under another name,"
                    f" or take the old rows back: `matinee receive --withdraw {file.name}`"
                )
                set_aside.append(replace(entry, reason=reason))
        elif (
            before
            and before.status == "withdrawn"
            and withdrawals.stays_out(file, before, entry.sha256)
        ):
            continue
        elif expected and entry.sha256 not in expected:
            reason = f"its sha256 is {entry.sha256[:12]} but its sidecar says {expected[0][:12]}"
            set_aside.append(replace(entry, reason=f"{reason}: send it again"))
        elif file.landed_on in doubted and file.stream not in requests.STREAMS:
            set_aside.append(replace(entry, reason=doubted[file.landed_on]))
        else:
            new[file.stream][replace(file, sha256=entry.sha256)] = entry
    return new, set_aside


def _entry(file: LandingFile, past: tuple[str, ...] = ()) -> Entry:
    with files.opened(file) as source:
        return replace(_unread(file), sha256=source.sha256(), bytes=source.size, past_sha256=past)


def _unread(file: LandingFile, reason: str | None = None) -> Entry:
    return Entry(
        file=file.name,
        stream=file.stream,
        landed_on=file.landed_on,
        sha256="",
        bytes=0,
        rows=0,
        kept=0,
        rejected=0,
        batch=None,
        status="set_aside",
        reason=reason,
    )


def _keep_out(
    home: Path,
    forgotten: tombstones.Tombstones,
    file: LandingFile,
    entry: Entry,
    expected: Collection[str],
) -> Entry:
    """Erase whoever was forgotten from a file that has just come, before anything reads it."""
    searched = replace(file, sha256=entry.sha256)
    with files.opened(searched) as source:
        returning = forgotten.returning(source)
        source.check()
    if not returning.ids or (expected and entry.sha256 not in expected):
        return entry
    with durable.drafts(home) as drafts:
        draft, _ = erasure.write_without(searched, returning, drafts)
        files.replace(file, draft, drafts)
    return _entry(file, (entry.sha256,))
