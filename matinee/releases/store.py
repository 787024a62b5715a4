"""The folder of releases: drafts become releases, and names move between them.

A crash at any step leaves the live release whole: a release appears by one rename after all of it
is on the disk, and a name moves by one rename of `aliases.json`. What a crash leaves behind has a
name that starts with a dot, and `sweep` removes it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee import provenance
from matinee.errors import BusyError, ConfigError, DataError, GateError, IntegrityError
from matinee.releases import audit, compare, digest, draft, files, signing, verify
from matinee.releases.aliases import NAMES, RELEASE_ID, Alias, Aliases, checked
from matinee.releases.compare import Difference
from matinee.releases.draft import Draft
from matinee.releases.register import Register, alias_of
from matinee.releases.release import MANIFEST, SIGNATURE, Release
from matinee.releases.verify import Verified


@dataclass(frozen=True)
class Store:
    """All releases below `root`. Keys that sign, and keys that are trusted, are in `keys`."""

    root: Path
    keys: Path

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
            If there is no such release, or the alias stands for none.
        """
        release_id = name
        if checked(name) in NAMES:
            alias = getattr(self.aliases(), name)
            if alias is None:
                raise ConfigError(
                    f"no release is {name} in {self.root}: publish one with `matinee run`"
                )
            release_id = alias.release_id
        if not (self.root / release_id).is_dir():
            raise ConfigError(
                f"no release {release_id} in {self.root}: `matinee releases list` shows them"
            )
        return Release(self.root / release_id)

    def aliases(self) -> Aliases:
        """What each name stands for now."""
        return self._register.aliases()

    def live(self) -> Release | None:
        """The release that serving follows, if there is one."""
        return self.open("live") if self.aliases().live else None

    def trail(self) -> audit.Trail:
        """Who changed which name, when and why."""
        return self._register.trail

    def ever_named(self) -> set[str]:
        """Every release that something was decided of: not by a line that never took effect."""
        chain, _ = self._register.agreed()
        return {entry.release_id for entry in chain.in_effect()}

    def verify(self, name: str) -> Verified:
        """Check every byte of a release, its signature, and the audit trail behind it.

        Raises
        ------
        IntegrityError
            Naming the first file that is not what was signed.
        """
        folder = verify.Folder(self.open(name).path)
        self._register.agreed()  # what the newest manifest cannot know: a trail cut short since
        return verify.verify(folder, keys=self.keys, chain=self.trail().chain())

    def diff(self, before: str, after: str) -> Difference:
        """What changed from one release to another."""
        return compare.diff(self.open(before), self.open(after))

    # --------------------------------------------------------------- publishing

    def may_sign(self) -> bool:
        """Whether there is a key to sign with; the first release ever published makes one."""
        return (self.keys / signing.PRIVATE_KEY).exists()

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A private folder on the same file system, removed at the end unless published."""
        with files.storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with self._register.locked():  # so that no sweep meets a draft not locked yet
                fresh = stack.enter_context(draft.opened(self.root))
            yield fresh

    def publish(self, fresh: Draft, fields: Mapping[str, Any], *, again: bool = False) -> Release:
        """Hash, sign and name a draft. It is then a release, and nobody's `live` yet.

        Parameters
        ----------
        fields
            The manifest, apart from what the store measures: see `provenance.manifest`.
        again
            Publish even if a whole release with the same content, `as_of` and gate exists;
            otherwise that one is returned and the draft is dropped.
        """
        with files.storage_errors(fresh.path):
            records = digest.describe(fresh.path)
        if not records:
            raise DataError("the draft is empty: there is nothing to publish")
        if reserved := {record.file for record in records} & {MANIFEST, SIGNATURE}:
            raise ConfigError(f"the store writes {min(reserved)} itself: leave it out of the draft")
        content = digest.content_digest(records)
        manifest = provenance.manifest(
            fields,
            files=[record.as_dict() for record in records],
            content_digest=content,
            audit_head=self.trail().head(),
        )
        if not again and (twin := self._whole_twin(manifest)):
            return twin
        release_id = str(manifest["release_id"])
        fresh.keep_word(release_id)
        key = signing.private_key(self.keys)
        with files.storage_errors(fresh.path):
            text = provenance.readable_json(manifest)
            files.write(fresh.path / MANIFEST, text)
            manifest_sha256 = files.sha256(fresh.path / MANIFEST)
            statement = provenance.statement(manifest, manifest_sha256)
            signature = signing.sign(provenance.canonical_json(statement), key)
            files.write(fresh.path / SIGNATURE, signature)
            files.sync_tree(fresh.path)
        with self._register.locked():
            published = self.root / signing.public_name(key.public_key())
            if not published.exists():
                files.replace(published, signing.public_pem(key.public_key()))
            self._refuse_reuse(release_id)
            files.rename(fresh.path, self.root / release_id)
        return Release(self.root / release_id)

    def sweep(self) -> tuple[str, ...]:
        """Remove what crashes left behind; return its names."""
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

    # -------------------------------------------------------------------- names

    def nominate(self, name: str, *, at: datetime, by: str, why: str) -> Alias:
        """Let `candidate` stand for a release: published, and not (or not yet) good enough."""
        release = self.open(name)
        entry = self._entry("nominate", release, at=at, by=by, why=why)
        with self._register.locked():
            state = self._register.settled(entry)
            self._register.put(entry, replace(state, candidate=alias_of(entry)))
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
        """Make a release live, if it verifies, its gate says yes, and nobody was faster.

        Parameters
        ----------
        expected
            The id that was live when the caller decided; None if there was none.
        overrides
            The gate rules to pass over, each by its name; kept with the alias and in the trail.

        Raises
        ------
        GateError
            If a rule did not hold and is not among `overrides`.
        BusyError
            If another release went live since the caller looked.
        IntegrityError
            If the release does not verify.
        """
        release = self.judged(name, overrides, by=by, why=why)
        entry = self._entry("promote", release, at=at, by=by, why=why, overrides=overrides)
        with self._register.locked():
            state = self._register.settled(entry)
            if state.live and state.live.release_id == release.id:
                return state.live
            live_id = state.live.release_id if state.live else None
            if live_id != expected:
                raise BusyError(
                    f"live is {live_id or 'no release'} and not {expected or 'none'} as expected: "
                    f"another promotion came first; look at it, then decide again"
                )
            is_candidate = state.candidate and state.candidate.release_id == release.id
            moved = replace(
                state,
                live=alias_of(entry),
                previous=state.live,
                candidate=None if is_candidate else state.candidate,
            )
            self._register.put(entry, moved)
        return alias_of(entry)

    def judged(self, name: str, overrides: Collection[str], *, by: str, why: str) -> Release:
        """A release that verifies, and that its gate or whoever answers for it lets pass."""
        release = self.open(name)
        self.verify(release.id)
        _judge(release, overrides, by=by, why=why)
        return release

    def rollback(self, *, at: datetime, by: str, why: str) -> Alias:
        """Make the previous release live again: one step, one rename, no gate.

        `previous` is then empty, so a second rollback cannot bring the bad release back.
        """
        previous = self.aliases().previous
        if previous is None:
            raise ConfigError("there is no previous release: promote one by its id instead")
        release = self.open(previous.release_id)
        self.verify(release.id)
        entry = self._entry(
            "rollback", release, at=at, by=by, why=why, overrides=previous.overrides
        )
        with self._register.locked():
            state = self._register.settled(entry)
            if state.previous != previous:
                raise BusyError("another rollback or promotion came first: look, then decide again")
            self._register.put(entry, replace(state, live=alias_of(entry), previous=None))
        return alias_of(entry)

    def gc(self, keep: int, *, at: datetime, by: str, why: str = "gc") -> tuple[str, ...]:
        """Remove all but the newest `keep` releases and those that a name stands for."""
        if keep < 1:
            raise ConfigError(f"keep must be 1 or more, got {keep}")
        with self._register.locked():
            doomed = [
                release for release in self.list()[keep:] if release.id not in self.aliases().ids()
            ]
            for release in doomed:
                entry = audit.entry("remove", release.id, at=at, by=by, why=why)
                self._register.put(entry, self._register.settled(entry))
                with files.storage_errors(release.path):
                    files.remove(release.path)
        return tuple(release.id for release in doomed)

    # ------------------------------------------------------------------ private

    @property
    def _register(self) -> Register:
        return Register(self.root)

    def _whole_twin(self, manifest: Mapping[str, Any]) -> Release | None:
        """The newest release that says the same and verifies; a broken one is no reason to stop."""
        for release in self.list():
            if not release.id.endswith(manifest["content_digest"][:12]):
                continue
            try:
                self.verify(release.id)
            except IntegrityError:
                continue
            if _said(release.manifest) == _said(manifest):
                return release
        return None

    def _refuse_reuse(self, release_id: str) -> None:
        removed = {entry.release_id for entry in self.trail().entries()}
        if (self.root / release_id).exists() or release_id in removed:
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
        return audit.entry(
            action,
            release.id,
            at=at,
            by=by,
            why=why,
            overrides=sorted(overrides),
            manifest_sha256=manifest_sha256,
        )


def _said(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two releases one; who has answered for which rule since is not part of it."""
    gate = manifest.get("gate") or {}
    return manifest.get("content_digest"), manifest.get("as_of"), gate.get("rules")


def _judge(release: Release, overrides: Collection[str], *, by: str, why: str) -> None:
    """Refuse a red gate unless each rule that failed is named, and someone answers for it."""
    failed = provenance.failed_rules(release.manifest)
    if unknown := sorted(set(overrides) - set(failed)):
        raise ConfigError(
            f"rule {', '.join(unknown)} did not fail in {release.id}: failed are "
            f"{', '.join(failed) or 'none'}"
        )
    if overrides and not (by.strip() and why.strip()):
        raise ConfigError("an override needs who (--by) and a reason (--why)")
    if left := [rule for rule in failed if rule not in overrides]:
        raise GateError(
            f"the gate refused {release.id} by {', '.join(left)}: live stays; see its report.html, "
            f"or promote with --override RULE --by WHO --why TEXT"
        )
