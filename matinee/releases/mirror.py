"""A copy of the store at a URL, for other machines to read: pushed and pulled as git does.

    <url>/releases/<id>/...         as here; a release is there once its manifest is, the last file
    <url>/states/000000000001.json  what the names stand for, and the lines of the audit trail
                                    since the state before; signed

No release or state is ever written over. Names move by the creation of the next state, which a
store lets one writer of several do; whoever comes second is told by whom, and has to pull first.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.provenance import canonical_json, plain
from matinee.releases import aliases, audit, files, signing
from matinee.releases.aliases import NAMES, Aliases
from matinee.releases.audit import Chain
from matinee.releases.register import Register
from matinee.releases.release import MANIFEST, SIGNATURE
from matinee.releases.remote import Remote
from matinee.releases.store import Store
from matinee.releases.verify import LocalFiles, Verification, signed_manifest, verify

TYPE = "urn:matinee:state:v1"
STATE = re.compile(r"[0-9]{12}\.json", re.ASCII)


@dataclass(frozen=True)
class State:
    """What the names at a URL stand for, and the audit trail that led there."""

    number: int
    names: Aliases
    chain: Chain
    at: str
    by: str


@dataclass(frozen=True)
class SyncResult:
    """What a push or a pull did."""

    url: str
    state: int
    live: str | None
    sent: tuple[str, ...]
    """Releases that went over."""
    removed: tuple[str, ...]
    """Releases that were taken away, because the audit trail says so."""
    note: str
    """What became of the names, in one sentence."""


@dataclass(frozen=True)
class RemoteFiles:
    """The files of one release at a URL."""

    remote: Remote
    id: str

    def names(self) -> list[str]:
        return self.remote.names(f"releases/{self.id}")

    def read(self, name: str) -> bytes:
        return self.remote.read(f"releases/{self.id}/{name}")

    def measure(self, name: str) -> tuple[int, str]:
        return self.remote.measure(f"releases/{self.id}/{name}")


def read_state(remote: Remote, keys: Path, known: Chain | None = None) -> State:
    """The newest state at a URL; states whose lines are `known` here are not read again.

    Raises
    ------
    ConfigError
        If there is none.
    IntegrityError
        If a state is missing, or no trusted key signed it, or its lines do not fit the others.
    """
    known = known or Chain(remote.name, ())
    count = _count(remote)
    if not count:
        raise ConfigError(f"no store is at {remote.name}: `matinee releases push` makes one")
    newest = last = _read_statement(remote, keys, count)
    lines = list(last["entries"])
    while not known.contains(before := lines[0]["before"]):
        if last["number"] == 1:
            raise IntegrityError(f"{_name(remote, 1)} does not begin the audit trail: do not use")
        last = _read_statement(remote, keys, last["number"] - 1)
        lines = [*last["entries"], *lines]
    text = known.until(before).text() + b"".join(canonical_json(line) + b"\n" for line in lines)
    chain = audit.parse_chain(text, f"{remote.name}/states")
    named = aliases.parse(newest["names"])
    if named.audit_head != chain.head:
        raise IntegrityError(
            f"{_name(remote, newest['number'])} names another entry than its last: do not use"
        )
    return State(newest["number"], named, chain, newest["at"], newest["by"])


def push(
    store: Store, remote: Remote, extra: Collection[str] = (), *, at: datetime, by: str
) -> SyncResult:
    """Send the releases that a name stands for, then let the names there be those here.

    Parameters
    ----------
    extra
        Other releases to send, by id.

    Raises
    ------
    BusyError
        If somebody moved the names there since this store last knew of them.
    """
    chain, names = Register(store.root).verified_state()
    if not chain.entries:
        raise ConfigError(f"no release has a name in {store.root}: there is nothing to push")
    there = _read_state_or_none(remote, store.keys, chain)
    if there and not chain.contains(there.chain.head):
        raise _conflict(remote, there)
    wanted = sorted({*names.ids(), *(store.open(name).id for name in extra)})
    sent = [one for one in wanted if _send(store, remote, one, chain)]
    number = there.number if there else 0
    note = "the names there were those here already"
    if there is None or there.chain.head != chain.head:
        number += 1
        told = {
            "_type": TYPE,
            "number": number,
            "at": plain(at, "at"),
            "by": f"{by} on {socket.gethostname()}",
            "names": aliases.to_dict(names),
            "entries": [
                asdict(entry) for entry in chain.after(there.chain.head if there else audit.GENESIS)
            ],
        }
        signed = signing.sign(canonical_json(told), signing.private_key(store.keys))
        if not remote.create(f"states/{number:012}.json", signed):
            there = read_state(remote, store.keys, chain)
            if not there.chain.contains(chain.head):  # else the same names came by another way
                raise _conflict(remote, there)
        note = "the names there are those here"
    gone = chain.removed() - names.ids()
    removed = [one for one in remote.folders("releases") if one in gone]
    for one in removed:
        remote.remove(f"releases/{one}", first=MANIFEST)
    live = names.live.release_id if names.live else None
    return SyncResult(remote.name, number, live, tuple(sent), tuple(removed), note)


def pull(store: Store, remote: Remote, extra: Collection[str] = ()) -> SyncResult:
    """Bring the releases that a name stands for there, verify each, then take over the names.

    Raises
    ------
    BusyError
        If names were moved here that are not known there: one side has to give way.
    IntegrityError
        If a release is not what a key trusted here has signed; nothing has changed then.
    """
    mine = store.trail().chain()
    there = read_state(remote, store.keys, mine)
    is_ahead = mine.contains(there.chain.head) and mine.head != there.chain.head
    if not is_ahead and not _may_be_overwritten(mine, there.chain):
        raise BusyError(
            f"names were moved here and at {remote.name}, where {there.by} did it at {there.at}: "
            f"move audit.jsonl and aliases.json out of {store.root} to give way, pull again, then "
            f"promote what should be live"
        )
    asked = {_resolve(there.names, name) for name in extra}
    if is_ahead and (gone := sorted(asked & mine.removed())):
        raise ConfigError(f"{gone[0]} was removed here on purpose: push, do not bring it back")
    wanted = sorted(asked if is_ahead else asked | there.names.ids())
    sent = [one for one in wanted if _fetch(store, remote, one, there.chain)]
    removed: list[str] = []
    note = "this store is ahead of it: `matinee releases push` sends the names"
    if not is_ahead:
        register = Register(store.root)
        with register.locked():
            register.overwrite(there.chain, there.names, expected=mine.head)
            doomed = there.chain.removed() - there.names.ids()
            for release in store.list():
                if release.id in doomed:
                    files.remove(release.path)
                    removed.append(release.id)
        note = "the names here are those there"
    live = store.live()
    live_id = live.id if live else None
    return SyncResult(remote.name, there.number, live_id, tuple(sent), tuple(removed), note)


def verify_remote(remote: Remote, name: str, *, keys: Path) -> Verification:
    """Check every byte of a release at a URL, its signature, and the audit trail behind it."""
    there = read_state(remote, keys)
    return verify(RemoteFiles(remote, _resolve(there.names, name)), keys=keys, chain=there.chain)


def list_remote(
    remote: Remote, *, keys: Path
) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Every whole release at a URL, newest first: id, names, and the manifest that was signed."""
    there = read_state(remote, keys)
    for release_id in reversed(remote.folders("releases")):
        shelf = RemoteFiles(remote, release_id)
        if MANIFEST in (present := shelf.names()):
            manifest, _, _ = signed_manifest(shelf, present, keys=keys)
            yield release_id, there.names.names_of(release_id), manifest


def _may_be_overwritten(mine: Chain, theirs: Chain) -> bool:
    """Whether nothing was done here alone but to tidy up."""
    alone = [entry for entry in mine.entries if not theirs.contains(entry.hash)]
    return all(entry.action in ("remove", "void") for entry in alone)


def _read_statement(remote: Remote, keys: Path, number: int) -> dict[str, Any]:
    name = _name(remote, number)
    told, _ = signing.verified_payload(remote.read(f"states/{number:012}.json"), keys, name)
    if told.get("_type") != TYPE or told["number"] != number or not told["entries"]:
        raise IntegrityError(f"{name} is not state {number} of a store: do not use")
    return told


def _read_state_or_none(remote: Remote, keys: Path, known: Chain) -> State | None:
    return read_state(remote, keys, known) if _count(remote) else None


def _count(remote: Remote) -> int:
    """How many states there are: all from the first to the newest, or it is an error."""
    found = [name for name in remote.names("states") if STATE.fullmatch(name)]
    for number, name in enumerate(found, start=1):
        if name != f"{number:012}.json":
            raise IntegrityError(
                f"{_name(remote, number)} is missing: somebody removed it; put it back"
            )
    return len(found)


def _name(remote: Remote, number: int) -> str:
    return f"{remote.name}/states/{number:012}.json"


def _conflict(remote: Remote, there: State) -> BusyError:
    live = there.names.live.release_id if there.names.live else "no release"
    return BusyError(
        f"{there.by} came first at {remote.name} ({there.at}, state {there.number}: live is "
        f"{live}), and this store does not know of it: `matinee releases pull`, look, push again"
    )


def _resolve(names: Aliases, name: str) -> str:
    """A release id from an id or the name that stands for one at the URL."""
    if aliases.check_name(name) not in NAMES:
        return name
    alias = getattr(names, name)
    if alias is None:
        raise ConfigError(f"no release is {name} there: `matinee releases list --store URL`")
    return str(alias.release_id)


def _send(store: Store, remote: Remote, release_id: str, chain: Chain) -> bool:
    """Bring a release there unless it is there; the manifest last, then read all of it back."""
    store.verify(release_id)
    folder, shelf = LocalFiles(store.open(release_id).path), RemoteFiles(remote, release_id)
    manifest = folder.read(MANIFEST)
    if MANIFEST in shelf.names():
        if shelf.read(MANIFEST) != manifest:
            raise IntegrityError(
                f"{remote.name}/releases/{release_id} is another release than the one here: "
                f"find out which one to trust, and remove the other"
            )
        return False
    for name in folder.names():
        if name != MANIFEST:
            remote.put(folder.path / name, f"releases/{release_id}/{name}")
    remote.create(f"releases/{release_id}/{MANIFEST}", manifest)
    verify(shelf, keys=store.keys, chain=chain)
    return True


def _fetch(store: Store, remote: Remote, release_id: str, chain: Chain) -> bool:
    """Bring a release here unless it is here: to a draft, verified, then by one rename."""
    final = store.root / release_id
    if final.is_dir():
        verify(LocalFiles(final), keys=store.keys, chain=chain)
        return False
    shelf = RemoteFiles(remote, release_id)
    manifest, _, _ = signed_manifest(shelf, shelf.names(), keys=store.keys)
    names = [MANIFEST, SIGNATURE, *(record["file"] for record in manifest["files"])]
    with store.draft() as draft:
        folder = draft.path / release_id
        for name in names:
            path = folder / _path_inside(name, release_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            remote.fetch(f"releases/{release_id}/{name}", path)
        verify(LocalFiles(folder), keys=store.keys, chain=chain)
        with files.storage_errors(folder):
            files.sync_tree(folder)
            with Register(store.root).locked():
                if not final.exists():
                    files.rename(folder, final)
    return True


def _path_inside(name: str, release_id: str) -> PurePosixPath:
    """A name from a manifest that leads nowhere but into the release."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise IntegrityError(f"{release_id}/{MANIFEST} lists {name!r}, which leads out of it")
    return path
