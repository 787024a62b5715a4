"""Names of lists, metrics and cohorts in an evaluation. Releases have them, so they stay."""

EVERYONE = "everyone"
"""The cohort of all members."""

COLD_TITLE = "cold title"
"""A cohort of titles, not of members: slates and held-out plays of cold titles."""

HYBRID = "hybrid"
"""The published lists."""

CALIBRATED, UNCALIBRATED = "calibrated", "uncalibrated"
"""The published lists with or without calibration, whichever is not published."""

BEFORE_POLICY = "unraised"
"""The published lists without the boosts of the policy."""

OPERATOR_POLICY = "operator_policy"
"""The published lists with the pins and burials of the operator, as pages show them."""

CHOSEN_WEIGHTS, DEFAULT_WEIGHTS = "chosen_weights", "default_weights"
"""The combination by score alone: with the weights that a release was published with, and with
those that a log without evidence starts with."""

SESSION = "session_"
"""Before the names of metrics and rules of the session lists."""
