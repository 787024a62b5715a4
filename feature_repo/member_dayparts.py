"""When a member watches. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import member
from feast import FeatureView, Field
from feast.types import Float64, String
from sources import exported

member_dayparts = FeatureView(
    name="member_dayparts",
    description="The shares of a member's plays and ratings by local time of day, over 90 days.",
    entities=[member],
    # Rows are change points: the last one, 90 days after the last act, says nothing. A week
    # more, and absence says the same.
    ttl=timedelta(days=97),
    source=exported("member_dayparts"),
    schema=[
        Field(name="member_id", dtype=String),
        Field(name="morning_ratio", dtype=Float64, description="From 5:00 to 11:59, 0 to 1."),
        Field(name="afternoon_ratio", dtype=Float64, description="From 12:00 to 16:59, 0 to 1."),
        Field(name="evening_ratio", dtype=Float64, description="From 17:00 to 21:59, 0 to 1."),
        Field(name="night_ratio", dtype=Float64, description="From 22:00 to 4:59, 0 to 1."),
        Field(name="main_daypart", dtype=String, description="The largest of the four."),
    ],
)
