"""What activity must look like: it sorts members into heavy, light and cold."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="member_activity_stats",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody was active: nothing arrived, or nobody consents.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="watched_seconds_7d",
            max_value=4 * 7 * 24 * 60 * 60,
            mostly=0.999,
            notes="More than four screens day and night is not one member.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="play_count_7d",
            max_value=5_000,
            mostly=0.999,
            notes="A play every two minutes for a week is a player in a loop.",
            severity="critical",
        ),
    ],
)
