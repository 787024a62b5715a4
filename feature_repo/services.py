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

ACTIVITY_FIELDS_V1 = [
    "play_count_7d",
    "play_count_28d",
    "play_count_90d",
    "watched_seconds_7d",
    "watched_seconds_28d",
    "watched_seconds_90d",
    "title_count_28d",
    "rating_count_28d",
]
"""Fields of `member_activity_stats` in services from before the sums of completion and stars."""

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
        member_activity_stats[ACTIVITY_FIELDS_V1],
        member_dayparts,
        member_search_intents,
        title_contents[TITLE_FIELDS_V1],
        title_popularity_stats,
    ],
)

churn_v1 = FeatureService(
    name="churn_v1",
    description="Signs of satisfaction before a renewal, for the hazard of cancelling at it.",
    features=[
        member_profiles[["country", "plan", "joined_on"]],
        member_activity_stats[
            [
                "play_count_7d",
                "play_count_28d",
                "title_count_28d",
                "rating_count_28d",
                "completion_milli_28d",
                "stars_milli_28d",
            ]
        ],
        member_search_intents[["search_count_28d", "no_result_ratio_28d"]],
    ],
)

MEMBER_VIEWS = [
    member_profiles,
    member_tastes,
    member_activity_stats,
    member_dayparts,
    member_search_intents,
]
TITLE_VIEWS = [title_contents, title_popularity_stats]

member_v1 = FeatureService(
    name="member_v1",
    description="All that is known of a member. Needs member_id alone.",
    features=MEMBER_VIEWS,
)

title_v1 = FeatureService(
    name="title_v1",
    description="All that is known of a title. Needs title_id alone.",
    features=TITLE_VIEWS,
)

member_title_v1 = FeatureService(
    name="member_title_v1",
    description="Both, of pairs: ask with full_feature_names, for both sides have `genres`.",
    features=[*MEMBER_VIEWS, *TITLE_VIEWS],
)
