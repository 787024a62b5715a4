"""What a member has been looking for. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import member
from feast import FeatureView, Field
from feast.types import Array, Float64, Int64, String
from sources import exported

member_search_intents = FeatureView(
    name="member_search_intents",
    description="How a member searched over 28 days. Never what they typed.",
    entities=[member],
    # Rows are change points: the last one, 28 days after the last search, says zero. A week
    # more, and absence says the same.
    ttl=timedelta(days=35),
    source=exported("member_search_intents"),
    schema=[
        Field(name="member_id", dtype=String),
        Field(name="search_count_28d", dtype=Int64, description="Searches made."),
        Field(
            name="no_result_ratio_28d",
            dtype=Float64,
            description="The share of them that found nothing, 0 to 1.",
        ),
        Field(
            name="searched_genres",
            dtype=Array(String),
            description="Genres of the titles clicked in results.",
        ),
    ],
)
