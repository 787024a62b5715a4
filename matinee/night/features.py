"""Applies the feature repository, brings the online store up to date, and compares both stores."""

from __future__ import annotations

from dataclasses import dataclass

from matinee import features, releases
from matinee.night.night import Night
from matinee.progress import Progress
from matinee.rights import consent


@dataclass(frozen=True)
class Refreshed:
    """The registered features, and how many values were compared between the two stores."""

    registered: features.Registered
    compared: int
    """Values of a sample of members and titles that were the same online and offline."""
    skipped_because: str | None
    """Why the online store was left alone and nothing compared, if so."""


def refresh_features(night: Night, progress: Progress | None = None) -> Refreshed:
    """Apply the feature repository, bring the online store up to `as_of`, and compare the two.

    Raises
    ------
    IntegrityError
        When an online value differs from what was known at `as_of`.
    """
    home, project = night.home, night.settings.project
    withdrawals = consent.read(night.settings)

    def left_out(member_id: str) -> bool:
        return withdrawals.includes(member_id, consent.PERSONALISATION)

    releases.fence(home)
    registered = features.apply(home=home, project=project)
    materialised = features.materialise(
        home=home,
        project=project,
        as_of=night.as_of,
        lateness_days=night.settings.lateness_days,
        left_out=left_out,
        progress=progress,
    )
    compared = 0
    if materialised.skipped_because is None:
        compared = features.assert_online_equals_offline(
            home=home, project=project, as_of=night.as_of, left_out=left_out
        )
    return Refreshed(registered, compared, materialised.skipped_because)
