"""What a member told us, and the screen they use most. From the dbt model of the same name."""

from datetime import timedelta

from entities import member
from feast import FeatureView, Field
from feast.types import Bool, Int64, String, UnixTimestamp
from sources import exported

member_profiles = FeatureView(
    name="member_profiles",
    description="What a member told us about themselves, and the screen they mostly use.",
    entities=[member],
    # No expiry: a profile stays true until the member changes it.
    ttl=timedelta(0),
    source=exported("member_profiles"),
    schema=[
        Field(name="member_id", dtype=String),
        Field(name="country", dtype=String, description="ISO 3166-1 alpha-2."),
        Field(name="plan", dtype=String, description="The plan paid for."),
        Field(name="language", dtype=String, description="The language of the interface."),
        Field(name="is_kids", dtype=Bool, description="A profile made for a child."),
        Field(name="maximum_age", dtype=Int64, description="Highest maturity shown, in years."),
        Field(name="main_device", dtype=String, description="The device used most."),
        # Feast has no date: midnight UTC of the day.
        Field(name="joined_on", dtype=UnixTimestamp, description="The day they joined."),
    ],
)
