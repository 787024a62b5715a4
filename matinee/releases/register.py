"""Changes aliases: the audit trail first, then `aliases.json`, under the lock of the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.releases import aliases, files, last_seen, signing, trust
from matinee.releases.aliases import NAMES, Alias, Aliases
from matinee.releases.audit import Chain, Entry, Trail

LOCK_SECONDS = 30.0
"""Timeout for another writer. The lock is held for renames only, never for hashing."""


@dataclass(frozen=True)
class Register:
    """The lock, the aliases and the audit trail of the store at `root`, with its keys."""

    root: Path
    keys: Path

    @property
    def trail(self) -> Trail:
        return Trail(self.root / "audit.jsonl")

    def aliases(self) -> Aliases:
        """The aliases now. Needs no lock: the file is replaced by one rename."""
        return aliases.read(self._path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock of the store."""
        with (
            files.storage_errors(self.root),
            files.locked(self.root / ".lock", wait_seconds=LOCK_SECONDS),
        ):
            yield

    def chain(self) -> Chain:
        """The whole audit trail, with every signature checked.

        Raises
        ------
        IntegrityError
            If a line was changed or forged, or the trail lacks an entry that was seen before.
        """
        return self._checked()[1]

    def verified_state(self) -> tuple[Chain, Aliases]:
        """The aliases, and the audit trail up to the entry that set them.

        Raises
        ------
        IntegrityError
            If `chain` does, or `aliases.json` is not what the trail says.
        """
        state, chain = self._checked()
        return chain.until(state.audit_head), state

    def _checked(self) -> tuple[Aliases, Chain]:
        # In this order, a writer at work makes each newer than the one before.
        seen, state, chain = last_seen.read(self.keys), self.aliases(), self.trail.chain()
        if chain.is_signed:
            trust.trusted_keys(chain, self.keys)
        if seen and not chain.contains(seen.head):
            last_seen.require(self.keys, chain)
        if not chain.contains(state.audit_head):
            raise IntegrityError(
                f"{self.trail.path} does not contain the entry that aliases.json names: "
                f"it was truncated or rewritten; restore it from a backup"
            )
        is_older = seen and chain.position(state.audit_head) < chain.position(seen.head)
        if is_older or (not seen and len(_effective(chain.after(state.audit_head))) > 1):
            raise IntegrityError(
                f"{self._path} is older than {self.trail.path}: it was rewound; {_REPAIR}"
            )
        expected = aliases.replayed(chain.until(state.audit_head))
        if expected != state:
            name = next(one for one in NAMES if getattr(state, one) != getattr(expected, one))
            raise IntegrityError(
                f"{self._path} says {name} is {_id(getattr(state, name))}, and the audit trail "
                f"says {_id(getattr(expected, name))}: it was edited; {_REPAIR}"
            )
        return state, chain

    def repair(self) -> Aliases:
        """Write the aliases again as the audit trail says. Requires the lock."""
        chain = self.trail.chain()
        if chain.is_signed:
            trust.trusted_keys(chain, self.keys)
        last_seen.require(self.keys, chain)
        state = aliases.replayed(chain)
        self._write(state)
        return state

    # ------------------------------------------------------------------ changes

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs the next line or release of this store.

        Raises
        ------
        ConfigError
            If the trail is signed and the key is not here, or is one that the trail does not trust.
        """
        return self._key(self.chain())

    def recover(self, entry: Entry) -> Aliases:
        """The aliases before `entry`, after repair of the trail. Requires the lock.

        A crash between an append to the trail and the replacement of the aliases leaves an entry
        without effect. The next writer declares it void. A crash in a pull may leave several
        entries, which took effect elsewhere.
        """
        state, chain = self._checked()
        unapplied = chain.after(state.audit_head)
        if not unapplied:
            return state
        if len(_effective(unapplied)) == 1:
            last = unapplied[-1]
            void = Entry(
                action="void",
                release_id=last.release_id,
                at=entry.at,
                by=entry.by,
                why=f"{last.action} {last.hash[:12]} had no effect: interrupted by a crash",
            )
            chain = self._append(chain, void)
        state = aliases.replayed(chain)
        self._write(state)
        return state

    def apply(self, entry: Entry) -> None:
        """Append the entry, then replace the aliases; a crash between the two changes no alias.

        Requires the lock, and `recover` before.
        """
        if not (self.root / entry.release_id).is_dir():
            raise ConfigError(
                f"release {entry.release_id} was removed in the meantime: choose another one"
            )
        self._write(aliases.replayed(self._append(self.trail.chain(), entry)))

    def overwrite(self, chain: Chain, *, expected: str) -> None:
        """Replace the trail and the aliases by those of another copy. Requires the lock.

        A crash leaves the old aliases, and the old trail or the new one.
        """
        local = self.trail.chain()
        if local.head != expected:
            raise BusyError(
                f"the aliases in {self.root} were changed in the meantime (entry "
                f"{local.head[:12]}): check them, then decide again"
            )
        own = [entry for entry in local.entries if not chain.contains(entry.hash)]
        if own:  # they go, so the aliases must not name one of them
            self._write(aliases.replayed(local.until(own[0].before)))
        with files.storage_errors(self.root):
            files.replace(self.trail.path, chain.text())
        self._write(aliases.replayed(chain))

    # ------------------------------------------------------------------ private

    @property
    def _path(self) -> Path:
        return self.root / "aliases.json"

    def _key(self, chain: Chain) -> Ed25519PrivateKey:
        if chain.is_signed and not (self.keys / signing.PRIVATE_KEY).exists():
            raise ConfigError(
                f"the audit trail in {self.root} is signed, and {self.keys} has no signing key: "
                f"restore {signing.PRIVATE_KEY}, or do this where releases are built, then push "
                f"and pull"
            )
        key = signing.private_key(self.keys)
        signer = signing.key_id(key.public_key())
        if signer not in trust.trusted_keys(chain, self.keys):
            raise ConfigError(
                f"the audit trail in {self.root} does not trust the signing key {signer[:16]}: "
                f"put the one before back, then change keys with `matinee releases rotate-key`"
            )
        return key

    def _append(self, chain: Chain, entry: Entry) -> Chain:
        key = self._key(chain)
        if not chain.is_signed:  # the first signed line lists the keys that are trusted so far
            entry = replace(entry, trusts=tuple(sorted(signing.trusted_keys(self.keys))))
        return self.trail.append(entry, key)

    def _write(self, state: Aliases) -> None:
        aliases.write(self._path, state)
        last_seen.write_head(self.keys, state.audit_head)


_REPAIR = (
    "restore it from a backup, or run `matinee releases repair`, which writes it again from the "
    "audit trail"
)


def _effective(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if entry.action != "void"]


def _id(alias: Alias | None) -> str:
    return alias.release_id if alias else "no release"
