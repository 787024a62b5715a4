"""A copy of the store at a URL, for other machines: pushed and pulled, as with git.

    <url>/releases/<id>/...         as in the store; complete once its manifest exists
    <url>/states/000000000001.json  the aliases, and the audit entries since the last state; signed

The version of a state is the number of entries of the trail so far. It never goes down: a machine
that saw a version accepts no lower one from the same URL. Nothing is read beyond its signed length.

No release or state is ever overwritten. Aliases move by the creation of the next state, which only
one of several concurrent writers can create. The others get a BusyError that names the winner, and
have to pull first.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.provenance import canonical_json, plain
from matinee.releases import aliases, audit, files, last_seen, signing, trust
from matinee.releases.aliases import NAMES, Aliases
from matinee.releases.audit import Chain
from matinee.releases.register import Register
from matinee.releases.release import MANIFEST, SIGNATURE
from matinee.releases.remote import Remote
from matinee.releases.store import Store
from matinee.releases.verify import (
    MOST_MANIFEST_BYTES,
    MOST_SIGNATURE_BYTES,
    LocalFiles,
    Verification,
    signed_manifest,
    verify,
)

TYPE = "urn:matinee:state:v1"
STATE = re.compile(r"[0-9]{12}\.json", re.ASCII)

MOST_STATE_BYTES = 64 << 20
"""Nothing signs the length of a state; a state of 1,000 entries has 0.7 MB."""


@dataclass(frozen=True)
class State:
    """The aliases at a URL, and the audit trail that led to them."""

    number: int
    names: Aliases
    chain: Chain
    at: str
    by: str

    @property
    def version(self) -> int:
        """The number of entries of the trail."""
        return len(self.chain.entries)


@dataclass(frozen=True)
class SyncResult:
    """The result of a push or a pull."""

    url: str
    state: int
    live: str | None
    sent: tuple[str, ...]
    """Ids of the transferred releases."""
    removed: tuple[str, ...]
    """Ids of the releases removed because the audit trail removes them."""
    note: str
    """What happened to the aliases, in one sentence."""


@dataclass(frozen=True)
class RemoteFiles:
    """The files of one release at a URL."""

    remote: Remote
    id: str

    def names(self) -> list[str]:
        return self.remote.names(f"releases/{self.id}")

    def read(self, name: str, most_bytes: int) -> bytes:
        return self.remote.read(f"releases/{self.id}/{name}", most_bytes)

    def measure(self, name: str, most_bytes: int) -> tuple[int, str]:
        return self.remote.measure(f"releases/{self.id}/{name}", most_bytes)


def read_state(
    remote: Remote, keys: Path, known: Chain | None = None, *, may_be_older: bool = False
) -> State:
    """The newest state at a URL; states whose entries are `known` are not read again.

    Parameters
    ----------
    may_be_older
        Accept a lower version than this machine has seen there: a push brings it up again.

    Raises
    ------
    ConfigError
        If there is none.
    IntegrityError
        If a state is missing, not signed by a trusted key or older than one seen before, or its
        entries break the chain.
    """
    known = known or Chain(remote.name, ())
    count = _count(remote)
    if not count:
        raise ConfigError(
            f"there is no store at {remote.name}: `matinee releases push` creates one"
        )
    newest, signer = _read_statement(remote, keys, count)
    last = newest
    lines = list(last["entries"])
    while not known.contains(before := lines[0]["before"]):
        if last["number"] == 1:
            raise IntegrityError(
                f"{_name(remote, 1)} is not the start of the audit trail: do not use it"
            )
        last, _ = _read_statement(remote, keys, last["number"] - 1)
        lines = [*last["entries"], *lines]
    text = known.until(before).text() + b"".join(canonical_json(line) + b"\n" for line in lines)
    chain = audit.parse_chain(text, f"{remote.name}/states")
    names = aliases.parse(newest["names"])
    if names.audit_head != chain.head:
        raise IntegrityError(
            f"{_name(remote, newest['number'])} has an audit head that is not its last entry: do "
            f"not use it"
        )
    if signer not in trust.trusted_keys(chain, keys):
        raise signing.untrusted(_name(remote, newest["number"]), signer, keys)
    if not known.contains(chain.head) and signer in trust.read_trust(known, keys).revoked:
        raise IntegrityError(
            f"{_name(remote, newest['number'])} was signed by key {signer[:16]}, which this "
            f"machine knows to be revoked: do not use it; remove {remote.name}/states, then push "
            f"from the home that builds releases"
        )
    version = len(chain.entries)
    if newest.get("version", version) != version:
        raise IntegrityError(
            f"{_name(remote, newest['number'])} has version {newest['version']} and the trail has "
            f"{version} entries: do not use it"
        )
    if aliases.replayed(chain) != names:
        raise IntegrityError(
            f"{_name(remote, newest['number'])} has aliases that are not what its audit trail "
            f"says: do not use it"
        )
    if not may_be_older:
        last_seen.refuse_older(keys, remote.name, version)
    return State(newest["number"], names, chain, newest["at"], newest["by"])


def push(
    store: Store, remote: Remote, extra: Collection[str] = (), *, at: datetime, by: str
) -> SyncResult:
    """Send the releases with an alias, then set the remote aliases to the local ones.

    Parameters
    ----------
    extra
        Ids of other releases to send.

    Raises
    ------
    BusyError
        If the remote aliases were changed since this store last pulled.
    """
    register = Register(store.root, store.keys)
    chain, names = register.verified_state()
    if not chain.entries:
        raise ConfigError(f"no release has an alias in {store.root}: there is nothing to push")
    current = _read_state_or_none(remote, store.keys, chain)
    if current and not chain.contains(current.chain.head):
        raise _conflict(remote, current)
    release_ids = sorted({*names.ids(), *(store.open(name).id for name in extra)})
    sent = [one for one in release_ids if _send(store, remote, one, chain)]
    number = current.number if current else 0
    note = "the remote aliases are up to date"
    if current is None or current.chain.head != chain.head:
        number += 1
        statement = {
            "_type": TYPE,
            "number": number,
            "version": len(chain.entries),
            "at": plain(at, "at"),
            "by": f"{by} on {socket.gethostname()}",
            "names": aliases.to_dict(names),
            "entries": [
                entry.as_dict()
                for entry in chain.after(current.chain.head if current else audit.GENESIS)
            ],
        }
        signed = signing.sign(canonical_json(statement), register.signing_key())
        if not remote.create(f"states/{number:012}.json", signed):
            current = read_state(remote, store.keys, chain, may_be_older=True)
            if not current.chain.contains(chain.head):  # else another push sent the same aliases
                raise _conflict(remote, current)
        note = "the remote aliases were updated"
    with register.locked():
        last_seen.write_version(store.keys, remote.name, len(chain.entries))
    removable = chain.removed() - names.ids()
    removed = [one for one in remote.folders("releases") if one in removable]
    for one in removed:
        remote.remove(f"releases/{one}", first=MANIFEST)
    live = names.live.release_id if names.live else None
    return SyncResult(remote.name, number, live, tuple(sent), tuple(removed), note)


def pull(store: Store, remote: Remote, extra: Collection[str] = ()) -> SyncResult:
    """Fetch the releases with a remote alias, verify each, then take over the aliases.

    Raises
    ------
    BusyError
        If both sides changed aliases: one of them has to be discarded.
    IntegrityError
        If a release is not signed by a trusted key; nothing is changed then.
    """
    local = store.trail().chain()
    current = read_state(remote, store.keys, local)
    is_ahead = local.contains(current.chain.head) and local.head != current.chain.head
    if not is_ahead and not _may_be_overwritten(local, current.chain):
        raise BusyError(
            f"aliases were changed here and at {remote.name} (by {current.by} at {current.at}): "
            f"move audit.jsonl and aliases.json out of {store.root} and {last_seen.FILE} out of "
            f"{store.keys} to discard the local changes, pull again, then promote the release that "
            f"should be live"
        )
    last_seen.require(store.keys, current.chain, local)
    requested = {_resolve(current.names, name) for name in extra}
    if is_ahead and (deleted := sorted(requested & local.removed())):
        raise ConfigError(f"{deleted[0]} was removed from this store: push, do not pull it again")
    release_ids = sorted(requested if is_ahead else requested | current.names.ids())
    sent = [one for one in release_ids if _fetch(store, remote, one, current.chain)]
    removed: list[str] = []
    note = "this store is ahead: `matinee releases push` sends its aliases"
    register = Register(store.root, store.keys)
    if not is_ahead:
        with register.locked():
            register.overwrite(current.chain, expected=local.head)
            removable = current.chain.removed() - current.names.ids()
            for release in store.list():
                if release.id in removable:
                    files.remove(release.path)
                    removed.append(release.id)
        note = "the local aliases were updated"
    with register.locked():
        last_seen.write_version(store.keys, remote.name, current.version)
    live = store.live()
    live_id = live.id if live else None
    return SyncResult(remote.name, current.number, live_id, tuple(sent), tuple(removed), note)


def verify_remote(remote: Remote, name: str, *, keys: Path) -> Verification:
    """Check every byte of a release at a URL, its signature, and the audit trail behind it."""
    current = read_state(remote, keys)
    return verify(
        RemoteFiles(remote, _resolve(current.names, name)), keys=keys, chain=current.chain
    )


def list_remote(
    remote: Remote, *, keys: Path
) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Every complete release at a URL, newest first: id, aliases, signed manifest."""
    current = read_state(remote, keys)
    trusted = trust.read_trust(current.chain, keys)
    for release_id in reversed(remote.folders("releases")):
        folder = RemoteFiles(remote, release_id)
        if MANIFEST in (present := folder.names()):
            manifest, _, _ = signed_manifest(folder, present, keys=keys, trusted=trusted)
            yield release_id, current.names.names_of(release_id), manifest


def _may_be_overwritten(local: Chain, remote: Chain) -> bool:
    """Whether the local chain has only removals that the remote one lacks."""
    own = [entry for entry in local.entries if not remote.contains(entry.hash)]
    return all(entry.action in ("remove", "void") for entry in own)


def _read_statement(remote: Remote, keys: Path, number: int) -> tuple[dict[str, Any], str]:
    """A state whose signature verifies, and the id of the key."""
    name = _name(remote, number)
    text = remote.read(f"states/{number:012}.json", MOST_STATE_BYTES)
    statement, signer = signing.verified_payload(text, keys, name)
    is_state = statement.get("_type") == TYPE and statement["number"] == number
    if not is_state or not statement["entries"]:
        raise IntegrityError(f"{name} is not state {number} of a store: do not use it")
    return statement, signer


def _read_state_or_none(remote: Remote, keys: Path, known: Chain) -> State | None:
    return read_state(remote, keys, known, may_be_older=True) if _count(remote) else None


def _count(remote: Remote) -> int:
    """The number of states; raises if one before the newest is missing."""
    states = [name for name in remote.names("states") if STATE.fullmatch(name)]
    for number, name in enumerate(states, start=1):
        if name != f"{number:012}.json":
            raise IntegrityError(f"{_name(remote, number)} is missing: restore it from a backup")
    return len(states)


def _name(remote: Remote, number: int) -> str:
    return f"{remote.name}/states/{number:012}.json"


def _conflict(remote: Remote, current: State) -> BusyError:
    live = current.names.live.release_id if current.names.live else "no release"
    return BusyError(
        f"{current.by} pushed first to {remote.name} ({current.at}, state {current.number}: live "
        f"is {live}): run `matinee releases pull`, check the aliases, then push again"
    )


def _resolve(names: Aliases, name: str) -> str:
    """A release id from an id or a remote alias."""
    if aliases.check_name(name) not in NAMES:
        return name
    alias = getattr(names, name)
    if alias is None:
        raise ConfigError(
            f"the remote store has no {name} release: see `matinee releases list --store URL`"
        )
    return str(alias.release_id)


def _send(store: Store, remote: Remote, release_id: str, chain: Chain) -> bool:
    """Upload a release unless it exists; manifest last, then read all files back to verify."""
    store.verify(release_id)
    folder, target = LocalFiles(store.open(release_id).path), RemoteFiles(remote, release_id)
    manifest = folder.read(MANIFEST, MOST_MANIFEST_BYTES)
    if MANIFEST in target.names():
        if target.read(MANIFEST, MOST_MANIFEST_BYTES) != manifest:
            raise IntegrityError(
                f"{remote.name}/releases/{release_id} differs from the local release of "
                f"this id: find out which one to trust, and remove the other"
            )
        return False
    for name in folder.names():
        if name != MANIFEST:
            remote.put(folder.path / name, f"releases/{release_id}/{name}")
    remote.create(f"releases/{release_id}/{MANIFEST}", manifest)
    verify(target, keys=store.keys, chain=chain)
    return True


def _fetch(store: Store, remote: Remote, release_id: str, chain: Chain) -> bool:
    """Download a release unless it exists: into a draft, verified, then renamed."""
    final = store.root / release_id
    if final.is_dir():
        verify(LocalFiles(final), keys=store.keys, chain=chain)
        return False
    source = RemoteFiles(remote, release_id)
    trusted = trust.read_trust(chain, store.keys)
    manifest, _, _ = signed_manifest(source, source.names(), keys=store.keys, trusted=trusted)
    lengths = {MANIFEST: MOST_MANIFEST_BYTES, SIGNATURE: MOST_SIGNATURE_BYTES} | {
        record["file"]: record["bytes"] for record in manifest["files"]
    }
    with store.draft() as draft:
        folder = draft.path / release_id
        for name, length in lengths.items():
            path = folder / _path_inside(name, release_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            remote.fetch(f"releases/{release_id}/{name}", path, length)
        verify(LocalFiles(folder), keys=store.keys, chain=chain)
        with files.storage_errors(folder):
            files.sync_tree(folder)
            with Register(store.root, store.keys).locked():
                if not final.exists():
                    files.rename(folder, final)
    return True


def _path_inside(name: str, release_id: str) -> PurePosixPath:
    """A file name from a manifest, checked to stay inside the release folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise IntegrityError(
            f"{release_id}/{MANIFEST} lists {name!r}, which is outside of the release"
        )
    return path
