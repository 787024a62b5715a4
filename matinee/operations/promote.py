"""Promotes a release; an override of a failed gate is published on the release card."""

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
"""Reason in the manifest of a release that is reissued for an override."""


class ReissueWithOverrides(ReissueWithNewPages):
    """A `Fill` that copies a release and records the overrides in its manifest and pages."""

    def __init__(self, settings: Settings, rules: Collection[str], by: str, why: str) -> None:
        super().__init__(lambda one: consent.may_personalise(settings, one))
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
    """Make a release live, unless another promotion came first.

    A release never changes. With overrides it is therefore reissued with the same content under a
    new id (`reason: override`), and its card names the person and the reason.

    Raises
    ------
    ConfigError
        If there is an override and no signing key for the new release.
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
                    f"an override needs a new signature of {release.id}, and {store.keys} has no "
                    f"signing key: promote it where releases are built, then push and pull"
                )
            fill = ReissueWithOverrides(settings, overrides, by, why)
            reissued = reissue.reissue(store, release, fill, at=at, by=by, why=OVERRIDE)
            name = str(reissued.after)
        return store.promote(name, expected=expected, at=at, by=by, why=why, overrides=overrides)
