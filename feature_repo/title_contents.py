"""What a title is. Built by the dbt model of the same name."""

from datetime import timedelta

from entities import title
from feast import FeatureView, Field
from feast.types import Array, Int64, String
from sources import exported

title_contents = FeatureView(
    name="title_contents",
    description="The catalogue's facts on a title, one row per version of them.",
    entities=[title],
    # No expiry: a film stays what it is.
    ttl=timedelta(0),
    source=exported("title_contents"),
    schema=[
        Field(name="title_id", dtype=String),
        Field(name="name", dtype=String, description="As the catalogue calls it."),
        Field(name="title_kind", dtype=String, description="movie or series."),
        Field(name="language", dtype=String, description="The original language."),
        Field(name="countries", dtype=Array(String), description="Where it was made."),
        Field(name="genres", dtype=Array(String), description="As the catalogue names them."),
        Field(name="themes", dtype=Array(String), description="What it is about."),
        Field(name="directors", dtype=Array(String), description="Who directed it."),
        Field(name="actors", dtype=Array(String), description="Who plays in it."),
        Field(name="release_decade", dtype=String, description="Such as 1990s."),
        Field(name="release_year", dtype=Int64, description="The year of its first release."),
        Field(name="minimum_age", dtype=Int64, description="Maturity rating, in years."),
        Field(name="runtime_seconds", dtype=Int64, description="Length of the film or episode."),
    ],
)
