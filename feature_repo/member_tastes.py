"""What a member is drawn to. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import member
from feast import FeatureView, Field
from feast.types import Array, Float32, String
from sources import exported

# Names and shares travel as pairs of lists: the online store pays per field, not per
# number, and a new genre needs no new column.
member_tastes = FeatureView(
    name="member_tastes",
    description="The genres, people and themes of what a member enjoyed, recent acts first.",
    entities=[member],
    # No expiry: all signals fade alike, so the shares of a member who left are still theirs.
    ttl=timedelta(0),
    source=exported("member_tastes"),
    schema=[
        Field(name="member_id", dtype=String),
        Field(name="genres", dtype=Array(String), description="Up to 8, strongest first."),
        Field(
            name="genre_affinities",
            dtype=Array(Float32),
            description="The share of each of `genres`; they sum to at most 1.",
        ),
        Field(
            name="people",
            dtype=Array(String),
            description="Up to 8 directors and actors, strongest first.",
        ),
        Field(
            name="person_affinities",
            dtype=Array(Float32),
            description="The share of each of `people`; they sum to at most 1.",
        ),
        Field(name="themes", dtype=Array(String), description="Up to 8, strongest first."),
        Field(
            name="theme_affinities",
            dtype=Array(Float32),
            description="The share of each of `themes`; they sum to at most 1.",
        ),
    ],
)
