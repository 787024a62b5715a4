"""What members search for: counts and genres, never the text."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import SEARCHES, feature_suite

SUITE = feature_suite(
    "member_search_intents",
    key=["member_id"],
    made_from=[SEARCHES],
    empty="No member searched, or searches do not arrive.",
    checks=[
        gxe.ExpectColumnValuesToBeBetween(
            column="search_count_28d",
            max_value=20_000,
            mostly=0.999,
            notes="A search every two minutes for four weeks is a script.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="no_result_ratio_28d",
            min_value=0,
            max_value=1,
            notes="A share is outside of 0 to 1. "
            "Cause: its two counts are not cut on the same clock. "
            "Action: correct the model member_search_intents and run with --full-refresh.",
            severity="critical",
        ),
    ],
)
