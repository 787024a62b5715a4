"""What each consumer asks for. A service is never edited, only succeeded by the next number."""

from feast import FeatureService
from member_activity_stats import member_activity_stats
from member_dayparts import member_dayparts
from member_profiles import member_profiles
from member_search_intents import member_search_intents
from member_tastes import member_tastes
from title_contents import title_contents
from title_popularity_stats import title_popularity_stats

TITLE_FIELDS_V1 = [
    "title_kind",
    "language",
    "countries",
    "genres",
    "themes",
    "directors",
    "actors",
    "release_decade",
    "minimum_age",
    "runtime_seconds",
]
"""Fields of `title_contents` in services from before `name` and `release_year` were added."""

hybrid_ranker_v1 = FeatureService(
    name="hybrid_ranker_v1",
    description="What LightFM is trained on, as of the cut, and scores with, as of the night.",
    features=[
        member_profiles,
        member_tastes,
        member_dayparts,
        member_search_intents,
        title_contents[TITLE_FIELDS_V1],
    ],
)

hybrid_ranker_v2 = FeatureService(
    name="hybrid_ranker_v2",
    description="As version 1, with the name and year that let demand for new titles be expected.",
    features=[
        member_profiles,
        member_tastes,
        member_dayparts,
        member_search_intents,
        title_contents,
    ],
)

homepage_v1 = FeatureService(
    name="homepage_v1",
    description="What a home page asks about the member in front of it and the titles on it.",
    features=[
        member_profiles,
        member_tastes,
        member_activity_stats,
        member_dayparts,
        member_search_intents,
        title_contents[TITLE_FIELDS_V1],
        title_popularity_stats,
    ],
)
