"""Moves names between releases: the trail first, then `aliases.json`, under the store's lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from matinee.errors import BusyError, ConfigError, IntegrityError
from matinee.releases import aliases, files
from matinee.releases.aliases import Alias, Aliases
from matinee.releases.audit import Chain, Entry, Trail

LOCK_SECONDS = 30.0
"""How long to wait for another writer. The lock is held for renames only, never for hashing."""


@dataclass(frozen=True)
class Register:
    """What is below `root` besides releases: the lock, the names and their history."""

    root: Path

    @property
    def trail(self) -> Trail:
        return Trail(self.root / "audit.jsonl")

    def aliases(self) -> Aliases:
        """What each name stands for now. Needs no lock: the file changes by one rename."""
        return aliases.read(self.root / "aliases.json")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer of this store out."""
        with (
            files.storage_errors(self.root),
            files.locked(self.root / ".lock", wait_seconds=LOCK_SECONDS),
        ):
            yield

    def verified_state(self) -> tuple[Chain, Aliases]:
        """The names, and the trail as far as they follow it.

        Raises
        ------
        IntegrityError
            If the trail does not hold what the names are the outcome of.
        """
        state = self.aliases()
        chain = self.trail.chain()
        if not chain.contains(state.audit_head):
            raise IntegrityError(
                f"{self.trail.path} no longer holds the entry that aliases.json names: "
                f"the trail was cut or made anew; restore it from a backup"
            )
        return chain.until(state.audit_head), state

    def recover(self, entry: Entry) -> Aliases:
        """The state that `entry` will change, once the trail agrees with it. Under the lock.

        A crash may have come after a line of the trail and before the names followed: that line
        never took effect, and saying so is the first thing the next writer does.
        """
        _, state = self.verified_state()
        if self.trail.head() == state.audit_head:
            return state
        lost = self.trail.entries()[-1]
        void = Entry(
            action="void",
            release_id=lost.release_id,
            at=entry.at,
            by=entry.by,
            why=f"{lost.action} {lost.hash[:12]} never took effect: a crash came first",
        )
        state = replace(state, audit_head=self.trail.append(void))
        aliases.write(self.root / "aliases.json", state)
        return state

    def apply(self, entry: Entry, state: Aliases) -> None:
        """Write down the change, then make it: a crash between the two moves no name.

        Under the lock.
        """
        if not (self.root / entry.release_id).is_dir():
            raise ConfigError(f"release {entry.release_id} was removed meanwhile: choose another")
        head = self.trail.append(entry)
        aliases.write(self.root / "aliases.json", replace(state, audit_head=head))

    def overwrite(self, chain: Chain, state: Aliases, *, expected: str) -> None:
        """Take over the trail and the names of another copy of this store. Under the lock.

        A crash between the two leaves the old names, and the lines that say what they became.
        """
        if (head := self.trail.head()) != expected:
            raise BusyError(
                f"the names in {self.root} were moved meanwhile (entry {head[:12]}): look, "
                f"then decide again"
            )
        with files.storage_errors(self.root):
            files.replace(self.trail.path, chain.text())
        aliases.write(self.root / "aliases.json", state)


def alias_of(entry: Entry) -> Alias:
    """What an entry of the trail puts behind a name."""
    return Alias(
        release_id=entry.release_id,
        at=entry.at,
        by=entry.by,
        why=entry.why,
        overrides=entry.overrides,
    )
