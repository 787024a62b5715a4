"""The folder of releases: publishes drafts, moves aliases between releases, removes old ones.

A crash at any step leaves the live release intact. A release appears by one rename after all of it
is on the disk, and an alias moves by one rename of `aliases.json`. Remains of a crash have names
that start with a dot, and `sweep` removes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee import provenance
from matinee.errors import (
    BusyError,
    ConfigError,
    DataError,
    GateError,
    IntegrityError,
    MatineeError,
)
from matinee.releases import audit, compare, digest, draft, files, signing, verify
from matinee.releases.aliases import NAMES, RELEASE_ID, Alias, Aliases, alias_of, check_name
from matinee.releases.compare import Difference
from matinee.releases.draft import Draft
from matinee.releases.register import Register
from matinee.releases.release import MANIFEST, SIGNATURE, Release
from matinee.releases.verify import Verification


@dataclass(frozen=True)
class Store:
    """All releases under `root`. The signing key and the trusted keys are in `keys`."""

    root: Path
    keys: Path

    @classmethod
    def of(cls, home: Path) -> Store:
        """The store of a home."""
        home = home.resolve()
        if home.is_file():
            raise ConfigError(f"the home {home} is a file: set MATINEE_HOME to a folder")
        return cls(root=home / "releases", keys=home / "keys")

    # ------------------------------------------------------------------ reading

    def list(self) -> tuple[Release, ...]:
        """Every release, newest first."""
        with files.storage_errors(self.root):
            paths = sorted(self.root.glob("*"), reverse=True) if self.root.exists() else []
        return tuple(Release(path) for path in paths if RELEASE_ID.fullmatch(path.name))

    def open(self, name: str) -> Release:
        """A release by its id or by `live`, `previous` or `candidate`.

        Raises
        ------
        ConfigError
            If there is no such release, or the alias is not set.
        """
        release_id = name
        if check_name(name) in NAMES:
            alias = getattr(self.aliases(), name)
            if alias is None:
                raise ConfigError(
                    f"no {name} release in {self.root}: publish one with `matinee run`"
                )
            release_id = alias.release_id
        if not (self.root / release_id).is_dir():
            raise ConfigError(
                f"no release {release_id} in {self.root}: `matinee releases list` shows them"
            )
        return Release(self.root / release_id)

    def aliases(self) -> Aliases:
        """The aliases now."""
        return self._register.aliases()

    def live(self) -> Release | None:
        """The live release, if there is one."""
        return self.open("live") if self.aliases().live else None

    def trail(self) -> audit.Trail:
        """The audit trail of the aliases."""
        return self._register.trail

    def audited_ids(self) -> set[str]:
        """The ids of all releases in audit entries that took effect."""
        chain, _ = self._register.verified_state()
        return {entry.release_id for entry in chain.effective_entries()}

    def verify(self, name: str) -> Verification:
        """Check the aliases, the audit trail, the signature of a release and every byte of it.

        Raises
        ------
        IntegrityError
            With the first file that is not what was signed.
        """
        self._register.verified_state()  # before an alias is followed
        folder = verify.LocalFiles(self.open(name).path)
        return verify.verify(folder, keys=self.keys, chain=self.trail().chain())

    def diff(self, before: str, after: str) -> Difference:
        """The differences between two releases."""
        return compare.diff(self.open(before), self.open(after))

    # --------------------------------------------------------------- publishing

    def can_sign(self) -> bool:
        """Whether there is a signing key; publishing the first release creates one."""
        return (self.keys / signing.PRIVATE_KEY).exists()

    def repair(self) -> Aliases:
        """Write `aliases.json` again as the audit trail says."""
        with self._register.locked():
            return self._register.repair()

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A private folder on the same file system, removed at the end unless published."""
        with files.storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with self._register.locked():  # so that no sweep meets a draft not locked yet
                fresh = stack.enter_context(draft.create(self.root))
            yield fresh

    def publish(self, fresh: Draft, fields: Mapping[str, Any], *, force: bool = False) -> Release:
        """Hash, sign and publish a draft. The new release has no alias yet.

        Parameters
        ----------
        fields
            The manifest without the fields that the store computes: see `provenance.manifest`.
        again
            Publish even if an intact release with the same content, `as_of` and gate exists.
            Otherwise that release is returned and the draft is removed.
        """
        with files.storage_errors(fresh.path):
            records = digest.describe(fresh.path)
        if not records:
            raise DataError("the draft is empty: there is nothing to publish")
        if reserved := {record.file for record in records} & {MANIFEST, SIGNATURE}:
            raise ConfigError(f"the store writes {min(reserved)} itself: leave it out of the draft")
        content = digest.content_digest(records)
        chain = self._register.chain()
        manifest = provenance.manifest(
            fields,
            files=[record.as_dict() for record in records],
            content_digest=content,
            audit_head=chain.head,
            audit_entries=len(chain.entries),
        )
        if not force and (twin := self._identical_release(manifest)):
            return twin
        release_id = str(manifest["release_id"])
        fresh.check_id(release_id)
        key = self._register.signing_key()
        with files.storage_errors(fresh.path):
            text = provenance.readable_json(manifest)
            files.write(fresh.path / MANIFEST, text)
            statement = provenance.statement(manifest, text)
            signature = signing.sign(provenance.canonical_json(statement), key)
            files.write(fresh.path / SIGNATURE, signature)
            files.sync_tree(fresh.path)
        with self._register.locked():
            if not (self.root / signing.public_key_name(key.public_key())).exists():
                signing.write_public(self.root, key.public_key())
            self._refuse_reuse(release_id)
            files.rename(fresh.path, self.root / release_id)
        return Release(self.root / release_id)

    def sweep(self) -> tuple[str, ...]:
        """Remove the remains of crashes; return their names."""
        if not self.root.exists():
            return ()
        with self._register.locked():
            doomed = [*draft.orphans(self.root), *sorted(self.root.glob(".doomed-*"))]
            for path in doomed:
                files.discard(path)
            unfinished = sorted(self.root.glob(".*.new"))
            for path in unfinished:
                path.unlink()
        return tuple(path.name for path in [*doomed, *unfinished])

    # ------------------------------------------------------------------ aliases

    def nominate(self, name: str, *, at: datetime, by: str, why: str) -> Alias:
        """Set the alias `candidate`: published, but not promoted."""
        release = self.open(name)
        entry = self._entry("nominate", release, at=at, by=by, why=why)
        with self._register.locked():
            self._register.recover(entry)
            self._register.apply(entry)
        return alias_of(entry)

    def promote(
        self,
        name: str,
        *,
        expected: str | None,
        at: datetime,
        by: str,
        why: str,
        overrides: Collection[str] = (),
    ) -> Alias:
        """Make a release live, if it verifies, its gate passed, and live is as expected.

        Parameters
        ----------
        expected
            The live id when the caller decided; None if there was none.
        overrides
            The failed gate rules to override, by name; recorded with the alias and in the trail.

        Raises
        ------
        GateError
            If a rule failed and is not among `overrides`.
        BusyError
            If live is not `expected`.
        IntegrityError
            If the release does not verify.
        """
        release = self.check_gate(name, overrides, by=by, why=why)
        entry = self._entry("promote", release, at=at, by=by, why=why, overrides=overrides)
        with self._register.locked():
            state = self._register.recover(entry)
            if state.live and state.live.release_id == release.id:
                return state.live
            live_id = state.live.release_id if state.live else None
            if live_id != expected:
                raise BusyError(
                    f"live is {live_id or 'no release'} and not {expected or 'none'} as expected: "
                    f"another promotion came first; check it, then decide again"
                )
            self._register.apply(entry)
        return alias_of(entry)

    def check_gate(self, name: str, overrides: Collection[str], *, by: str, why: str) -> Release:
        """Open a release, verify it and raise unless each failed rule is overridden."""
        release = self.open(name)
        self.verify(release.id)
        _check_rules(release, overrides, by=by, why=why)
        return release

    def rollback(self, *, at: datetime, by: str, why: str) -> Alias:
        """Make the previous release live again, without a gate.

        `previous` is unset then, so a second rollback cannot restore the bad release.
        """
        previous = self.aliases().previous
        if previous is None:
            raise ConfigError("there is no previous release: promote a release by its id instead")
        release = self.open(previous.release_id)
        self.verify(release.id)
        entry = self._entry(
            "rollback", release, at=at, by=by, why=why, overrides=previous.overrides
        )
        with self._register.locked():
            state = self._register.recover(entry)
            if state.previous != previous:
                raise BusyError(
                    "another rollback or promotion came first: check live, then decide again"
                )
            self._register.apply(entry)
        return alias_of(entry)

    def gc(self, keep: int, *, at: datetime, by: str, why: str = "gc") -> tuple[str, ...]:
        """Remove all releases except those of the newest `keep` days and those with an alias.

        Days of data are counted, not releases: a reissue of a day takes no other day's place, and
        of one day the newest release is kept. On a full disk the first one goes before the trail
        says so, to make room for that line. A machine that cannot sign writes no line: its copies
        go, and other machines keep theirs.
        """
        if keep < 1:
            raise ConfigError(f"keep must be 1 or more, got {keep}")
        with self._register.locked():
            _, state = self._register.verified_state()  # edited aliases would remove live
            kept = {*state.ids(), *_newest_of_days(self.list(), keep)}
            removable = [release for release in self.list() if release.id not in kept]
            for release in removable:
                entry = audit.new_entry("remove", release.id, at=at, by=by, why=why)

                def record(entry: audit.Entry = entry) -> None:
                    self._register.recover(entry)
                    self._register.apply(entry)

                with files.storage_errors(release.path):
                    if self.can_sign():
                        files.with_room(release.path, record)
                    files.remove(release.path)
        return tuple(release.id for release in removable)

    # ------------------------------------------------------------------ private

    @property
    def _register(self) -> Register:
        return Register(self.root, self.keys)

    def _identical_release(self, manifest: Mapping[str, Any]) -> Release | None:
        """The newest intact release with the same content, `as_of` and gate, if there is one."""
        for release in self.list():
            if not release.id.endswith(manifest["content_digest"][:12]):
                continue
            try:
                self.verify(release.id)
            except IntegrityError:
                continue
            if _identity(release.manifest) == _identity(manifest):
                return release
        return None

    def _refuse_reuse(self, release_id: str) -> None:
        used = {entry.release_id for entry in self.trail().entries()}
        if (self.root / release_id).exists() or release_id in used:
            raise ConfigError(
                f"release {release_id} exists or existed: ids are never reused; "
                f"publish with a later created_at"
            )

    def _entry(
        self,
        action: str,
        release: Release,
        *,
        at: datetime,
        by: str,
        why: str,
        overrides: Collection[str] = (),
    ) -> audit.Entry:
        with files.storage_errors(release.path):
            manifest_sha256 = files.sha256(release.path / MANIFEST)
        return audit.new_entry(
            action,
            release.id,
            at=at,
            by=by,
            why=why,
            overrides=sorted(overrides),
            manifest_sha256=manifest_sha256,
        )


def _newest_of_days(listed: Sequence[Release], keep: int) -> Iterator[str]:
    """The newest release of each of the newest `keep` days, and those that cannot be read."""
    newest: dict[datetime, str] = {}
    for release in listed:  # the newest first
        try:
            day = datetime.fromisoformat(release.manifest["as_of"])
        except (MatineeError, KeyError, ValueError):
            yield release.id
            continue
        newest.setdefault(day, release.id)
    yield from (newest[day] for day in sorted(newest, reverse=True)[:keep])


def _identity(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    """What identifies equal releases; overrides are not part of it."""
    gate = manifest.get("gate") or {}
    return manifest.get("content_digest"), manifest.get("as_of"), gate.get("rules")


def _check_rules(release: Release, overrides: Collection[str], *, by: str, why: str) -> None:
    """Raise unless each failed rule is overridden, with a person and a reason."""
    failed = provenance.failed_rules(release.manifest)
    if unknown := sorted(set(overrides) - set(failed)):
        raise ConfigError(
            f"rule {', '.join(unknown)} did not fail in {release.id}: failed rules: "
            f"{', '.join(failed) or 'none'}"
        )
    if overrides and not (by.strip() and why.strip()):
        raise ConfigError("an override needs a person (--by) and a reason (--why)")
    if left := [rule for rule in failed if rule not in overrides]:
        raise GateError(
            f"the gate refused {release.id} (failed: {', '.join(left)}): live is unchanged; see "
            f"its report.html, or promote with --override RULE --by WHO --why TEXT"
        )
