"""Makes a release live; past a red gate only as a release that says on its card who answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from matinee import releases
from matinee.errors import ConfigError
from matinee.night import lease
from matinee.releases import reissue
from matinee.rights import consent
from matinee.rights.reissue import ReissueWithNewPages
from matinee.settings import Settings

OVERRIDE = "override"
"""Why a release is published again when somebody answers for its gate."""


class ReissueWithOverrides(ReissueWithNewPages):
    """A release as it is, but that its manifest and its pages name who passes over which rule."""

    reason = OVERRIDE

    def __init__(
        self, settings: Settings, store: releases.Store, rules: Collection[str], by: str, why: str
    ) -> None:
        super().__init__(store, lambda one: consent.may_personalise(settings, one))
        self.overrides = [{"rule": rule, "by": by, "why": why} for rule in sorted(rules)]

    def _fields(self, release: releases.Release, at: datetime) -> dict[str, Any]:
        fields = super()._fields(release, at)
        gate: Mapping[str, Any] = fields.get("gate") or {}
        return {**fields, "gate": {**gate, "overrides": self.overrides}}


def promote(
    settings: Settings,
    name: str,
    *,
    at: datetime,
    by: str,
    why: str,
    overrides: Collection[str] = (),
) -> releases.Alias:
    """Make a release live, if nobody was faster.

    A release never changes, so one whose gate is passed over is published again, with the same
    content, under a new id (`reason: override`): its card says who answers for it.

    Raises
    ------
    ConfigError
        If a rule is to be passed over where there is no key to sign the new card with.
    """
    store = releases.Store.of(settings.home)
    live = store.live()
    expected = live.id if live else None
    if not overrides:
        return store.promote(name, expected=expected, at=at, by=by, why=why)
    with lease.lease(settings, "promote"):
        release = store.check_gate(name, overrides, by=by, why=why)
        if release.id != expected:
            if not store.can_sign():
                raise ConfigError(
                    f"an override is signed on the card of {release.id}, and {store.keys} holds "
                    f"no signing key: promote it where releases are made, then push and pull"
                )
            fill = ReissueWithOverrides(settings, store, overrides, by, why)
            again = reissue.reissue(store, release, fill, at=at, by=by, why=OVERRIDE)
            name = str(again.after)
        return store.promote(name, expected=expected, at=at, by=by, why=why, overrides=overrides)
