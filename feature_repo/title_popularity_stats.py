"""How much a title is watched lately. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import title
from feast import FeatureView, Field
from feast.types import Float64, Int64, String
from sources import exported

title_popularity_stats = FeatureView(
    name="title_popularity_stats",
    description="Plays, members and ratings of a title over 7, 28 and 90 days.",
    entities=[title],
    # No expiry: rows are change points, and the last one stays true until the next act. Its
    # counts are zero by then, but the mean of all ratings is worth keeping.
    ttl=timedelta(0),
    source=exported("title_popularity_stats"),
    schema=[
        Field(name="title_id", dtype=String),
        Field(name="play_count_7d", dtype=Int64, description="Plays received in 7 days."),
        Field(name="play_count_28d", dtype=Int64, description="Plays received in 28 days."),
        Field(name="play_count_90d", dtype=Int64, description="Plays received in 90 days."),
        Field(name="member_count_7d", dtype=Int64, description="Members who acted in 7 days."),
        Field(name="member_count_28d", dtype=Int64, description="Members who acted in 28 days."),
        Field(name="member_count_90d", dtype=Int64, description="Members who acted in 90 days."),
        Field(
            name="signal_milli_28d",
            dtype=Int64,
            description="Sum of signals in 28 days, in thousandths.",
        ),
        Field(
            name="signal_milli_90d",
            dtype=Int64,
            description="Sum of signals in 90 days, in thousandths.",
        ),
        Field(name="rating_count_90d", dtype=Int64, description="Ratings given in 90 days."),
        Field(
            name="mean_rating",
            dtype=Float64,
            description="Mean of all ratings so far, in 0 to 10 stars; null without any.",
        ),
    ],
)
