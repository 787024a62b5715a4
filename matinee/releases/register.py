"""Changes aliases: the audit trail first, then `aliases.json`, under the lock of the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.releases import aliases, files
from matinee.releases.aliases import Alias, Aliases
from matinee.releases.audit import Chain, Entry, Trail

LOCK_SECONDS = 30.0
"""Timeout for another writer. The lock is held for renames only, never for hashing."""


@dataclass(frozen=True)
class Register:
    """The lock, the aliases and the audit trail of the store at `root`."""

    root: Path

    @property
    def trail(self) -> Trail:
        return Trail(self.root / "audit.jsonl")

    def aliases(self) -> Aliases:
        """The aliases now. Needs no lock: the file is replaced by one rename."""
        return aliases.read(self.root / "aliases.json")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock of the store."""
        with (
            files.storage_errors(self.root),
            files.locked(self.root / ".lock", wait_seconds=LOCK_SECONDS),
        ):
            yield

    def verified_state(self) -> tuple[Chain, Aliases]:
        """The aliases, and the audit trail up to the entry that set them.

        Raises
        ------
        IntegrityError
            If the trail does not contain that entry.
        """
        state = self.aliases()
        chain = self.trail.chain()
        if not chain.contains(state.audit_head):
            raise IntegrityError(
                f"{self.trail.path} does not contain the entry that aliases.json names: "
                f"it was truncated or rewritten; restore it from a backup"
            )
        return chain.until(state.audit_head), state

    def recover(self, entry: Entry) -> Aliases:
        """The aliases before `entry`, after repair of the trail. Requires the lock.

        A crash between an append to the trail and the replacement of the aliases leaves an entry
        without effect. The next writer declares it void.
        """
        _, state = self.verified_state()
        if self.trail.head() == state.audit_head:
            return state
        unapplied = self.trail.entries()[-1]
        void = Entry(
            action="void",
            release_id=unapplied.release_id,
            at=entry.at,
            by=entry.by,
            why=f"{unapplied.action} {unapplied.hash[:12]} had no effect: interrupted by a crash",
        )
        state = replace(state, audit_head=self.trail.append(void))
        aliases.write(self.root / "aliases.json", state)
        return state

    def apply(self, entry: Entry, state: Aliases) -> None:
        """Append the entry, then replace the aliases; a crash between the two changes no alias.

        Requires the lock.
        """
        if not (self.root / entry.release_id).is_dir():
            raise ConfigError(
                f"release {entry.release_id} was removed in the meantime: choose another one"
            )
        head = self.trail.append(entry)
        aliases.write(self.root / "aliases.json", replace(state, audit_head=head))

    def overwrite(self, chain: Chain, state: Aliases, *, expected: str) -> None:
        """Replace the trail and the aliases by those of another copy. Requires the lock.

        A crash between the two leaves the old aliases and the new trail.
        """
        if (head := self.trail.head()) != expected:
            raise BusyError(
                f"the aliases in {self.root} were changed in the meantime (entry {head[:12]}): "
                f"check them, then decide again"
            )
        with files.storage_errors(self.root):
            files.replace(self.trail.path, chain.text())
        aliases.write(self.root / "aliases.json", state)


def alias_of(entry: Entry) -> Alias:
    """The alias that an entry sets."""
    return Alias(
        release_id=entry.release_id,
        at=entry.at,
        by=entry.by,
        why=entry.why,
        overrides=entry.overrides,
    )
