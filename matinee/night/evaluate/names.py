"""Names of the models, metrics and cohorts of an evaluation, as releases have them."""

from matinee.models import fits

HYBRID = "hybrid"
"""The published lists: the key that releases have had from the start."""

CALIBRATED, UNCALIBRATED = "calibrated", "uncalibrated"
"""The published lists with or without calibration, whichever is not published."""

BEFORE_POLICY = "unraised"
"""The published lists without the boosts of the policy. The key stays as releases have it."""

LIGHTFM = "lightfm"
"""The LightFM hybrid alone, a baseline."""

BASELINES = {fits.HYBRID: LIGHTFM}
"""Part -> its name as a baseline, where it differs."""

SESSION = "session_"
"""Before the names of metrics and rules of the session lists."""

COLD_TITLE = "cold title"
"""A cohort of titles, not of members: slates and held-out plays of cold titles."""


def part_of(model: str) -> str:
    """The part that is a baseline."""
    names = {name: part for part, name in BASELINES.items()}
    return names.get(model, model)
