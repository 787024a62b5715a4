"""How much a member has watched lately. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import member
from feast import FeatureView, Field
from feast.types import Int64, String
from sources import exported

member_activity_stats = FeatureView(
    name="member_activity_stats",
    description="Plays, seconds watched and ratings of a member over 7, 28 and 90 days.",
    entities=[member],
    # Rows are change points: the last one, 90 days after the last act, says zero. A week
    # more, and absence says the same.
    ttl=timedelta(days=97),
    source=exported("member_activity_stats"),
    schema=[
        Field(name="member_id", dtype=String),
        Field(name="play_count_7d", dtype=Int64, description="Plays received in 7 days."),
        Field(name="play_count_28d", dtype=Int64, description="Plays received in 28 days."),
        Field(name="play_count_90d", dtype=Int64, description="Plays received in 90 days."),
        Field(name="watched_seconds_7d", dtype=Int64, description="Seconds watched in 7 days."),
        Field(name="watched_seconds_28d", dtype=Int64, description="Seconds watched in 28 days."),
        Field(name="watched_seconds_90d", dtype=Int64, description="Seconds watched in 90 days."),
        Field(name="title_count_28d", dtype=Int64, description="Distinct titles in 28 days."),
        Field(name="rating_count_28d", dtype=Int64, description="Ratings given in 28 days."),
        Field(
            name="completion_milli_28d",
            dtype=Int64,
            description="Parts watched by the plays of 28 days, summed, in thousandths.",
        ),
        Field(
            name="stars_milli_28d",
            dtype=Int64,
            description="Stars of the ratings of 28 days, summed, in thousandths.",
        ),
    ],
)
