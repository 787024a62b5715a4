"""Decides whether tonight is evaluated in full, or by the lists of the release before it.

A full evaluation fits every validation split and chooses weights anew. A forward night fits what
it publishes and nothing else: it keeps the weights of the release before, and evaluates that
release on the day that followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from matinee import landing, provenance, releases, transform
from matinee.errors import MatineeError
from matinee.evaluation.names import SESSION
from matinee.models import hybrid
from matinee.models.combination import Context
from matinee.night.combine import Chosen
from matinee.night.forward.compare import ForwardTest, compare
from matinee.night.frame import PUBLISHED, read_frame
from matinee.night.night import SETTINGS, Night
from matinee.night.scorer import CONTEXTS
from matinee.releases import build_info

MOST_CHANGE = 0.2
"""The most by which members, titles or interactions may differ from the last full evaluation."""


@dataclass(frozen=True)
class FullEvaluation:
    """What weights were chosen on: later nights keep them while they are alike.

    It is in the manifest, and not in the content: an upgrade alone must not change a digest.
    """

    as_of: datetime
    recipe: str
    """See `recipe`."""

    members: int
    titles: int
    interactions: int

    @classmethod
    def of(cls, release: releases.Release) -> FullEvaluation | None:
        """That of a release, or the one whose weights it kept; None in older releases."""
        stored = (release.manifest.get("evaluation") or {}).get("full")
        if not stored:
            return None
        return cls(**{**stored, "as_of": datetime.fromisoformat(stored["as_of"])})

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """What tonight needs, and the forward test of the release before."""

    because: str
    """Why the night is evaluated in full, or that it need not be."""

    tonight: FullEvaluation
    """What the next nights compare themselves with, if this one is full."""

    carried: releases.Release | None = None
    """The release whose weights and evaluation tonight keeps; None on a full night."""

    test: ForwardTest | None = None

    @property
    def is_full(self) -> bool:
        return self.carried is None

    @property
    def note(self) -> str:
        """One line for the operator."""
        return f"{'full evaluation' if self.is_full else 'forward test'}: {self.because}"

    @property
    def coverage_floors(self) -> dict[Context, float]:
        """Context -> the coverage floor of the last full evaluation; empty on a night of one."""
        if self.carried is None:
            return {}
        rules = {rule["rule"]: rule for rule in self.carried.manifest["gate"]["rules"]}
        prefixes: Mapping[Context, str] = {"next_visit": "", "session": SESSION}
        return {
            context: float(rules[name]["threshold"])
            for context in CONTEXTS
            if (name := f"{prefixes[context]}coverage_floor") in rules
        }


def decide(
    night: Night,
    built: transform.Built,
    *,
    full_evaluation: bool = False,
    pinned: releases.Release | None = None,
) -> Plan:
    """Look at the release before and at what has changed since.

    Parameters
    ----------
    built : transform.Built
        The digest of the dbt project is part of the recipe.
    full_evaluation : bool
        What an operator asks for.
    pinned : Release, optional
        Keep the weights of this release in any case: a rebuild does what the night did.
    """
    known = read_frame(night.work(PUBLISHED))
    tonight = FullEvaluation(
        as_of=night.as_of,
        recipe=recipe(night, built),
        members=len(known.members),
        titles=len(known.titles),
        interactions=known.interactions().nnz,
    )
    seed = night.settings.seed
    if pinned is not None:
        test = compare(pinned, known, seed=seed)
        return Plan(f"as the release that is rebuilt, from {pinned.id}", tonight, pinned, test)
    earlier = list(_earlier(night))
    passed = next((one for one in earlier if not provenance.failed_rules(one.manifest)), None)
    if passed is None:
        return Plan("no release of earlier data passed the gate", tonight)
    try:
        releases.Store.of(night.home).verify(passed.id)
        Chosen.read(passed.path)
    except MatineeError as error:
        return Plan(f"the release before cannot be used: {error}", tonight)
    before = FullEvaluation.of(passed)
    because = next(_changed(night, passed, before, tonight), None)
    if because is None and earlier[0] is not passed:
        because = f"the gate refused {earlier[0].id}, which is newer than {passed.id}"
    if full_evaluation:
        because = "an operator wants it"
    if before is None or before.recipe != tonight.recipe or _has_erasure(night, passed):
        return Plan(str(because), tonight)
    plan = Plan(str(because), tonight, test=compare(passed, known, seed=seed))
    return plan if because else _forward(plan, passed, before)


def recipe(night: Night, built: transform.Built) -> str:
    """A digest of the code, the libraries and all settings that change a model or a list."""
    settings = night.settings
    facts = {
        "package": build_info.package_sha256(),
        "dbt": built.manifest_sha256,
        "vars": transform.project_vars(settings.project),
        "settings": {name: getattr(settings, name) for name in SETTINGS},
        "hyperparameters": hybrid.Hyperparameters(seed=settings.seed).stored(),
        "versions": build_info.versions(),
    }
    return hashlib.sha256(provenance.canonical_json(provenance.plain(facts, "recipe"))).hexdigest()


def _earlier(night: Night) -> list[releases.Release]:
    """Releases of earlier data, the newest data first; of one day the newest release first."""
    kept = [
        (datetime.fromisoformat(release.manifest["as_of"]), release.id, release)
        for release in releases.Store.of(night.home).list()
    ]
    newest_first = sorted(kept, key=lambda one: one[:2], reverse=True)
    return [release for as_of, _, release in newest_first if as_of < night.as_of]


def _changed(
    night: Night,
    release: releases.Release,
    before: FullEvaluation | None,
    tonight: FullEvaluation,
) -> Iterator[str]:
    """Each reason why the weights of a release must not be kept."""
    days = night.settings.full_evaluation_days
    if not days:
        yield "full_evaluation_days is 0"
    model: Mapping[str, Any] = release.manifest.get("model") or {}
    if night.settings.warm_start or model.get("continued_from"):
        yield "with warm_start what is published is fitted as what was evaluated, every night"
    if before is None:
        yield f"{release.id} does not say on what its weights were chosen"
        return
    if before.recipe != tonight.recipe:
        yield f"code, libraries or settings have changed since {before.as_of:%Y-%m-%d}"
    if _has_erasure(night, release):
        yield f"a member was erased since {release.id} was made"
    age = tonight.as_of - before.as_of
    if not timedelta(0) <= age < timedelta(days=days):
        yield f"the last one was {age.days} days ago, full_evaluation_days is {days}"
    for name in ("members", "titles", "interactions"):
        was, now = getattr(before, name), getattr(tonight, name)
        if abs(now - was) > MOST_CHANGE * was:
            yield f"{name} went from {was:,} to {now:,} since {before.as_of:%Y-%m-%d}"


def _has_erasure(night: Night, release: releases.Release) -> bool:
    """Whether a member was erased since a release was made, from it or from the logs."""
    privacy: Mapping[str, Any] = release.manifest.get("privacy") or {}
    known = privacy.get("erased_through")
    return bool(privacy.get("erased_members")) or known != landing.tombstones.newest(night.home)


def _forward(plan: Plan, release: releases.Release, before: FullEvaluation) -> Plan:
    """A forward night, unless the lists of the release fell behind a baseline."""
    test = plan.test
    if test and test.is_behind:
        behind = next(verdict for verdict in test.verdicts if not verdict.passed)
        return replace(plan, because=f"the lists of {release.id} fell behind: {behind.text}")
    text = f"{release.id} on the days since, with the weights of {before.as_of:%Y-%m-%d}"
    return replace(plan, because=text, carried=release)
