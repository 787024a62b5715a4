"""Constants of the simulated world: countries, plans, genres, moods. All of them are invented."""

from dataclasses import dataclass

GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "History", "Horror", "Music", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Sport", "Thriller", "War", "Western",
)  # fmt: skip

# Viewer types and their preferred genres. A member is a mixture of a few types.
ARCHETYPES: dict[str, tuple[str, ...]] = {
    "family": ("Animation", "Family", "Fantasy", "Adventure", "Musical"),
    "thrill": ("Action", "Thriller", "Adventure", "Crime"),
    "fright": ("Horror", "Mystery", "Thriller", "Sci-Fi"),
    "wonder": ("Sci-Fi", "Fantasy", "Adventure", "Animation"),
    "heart": ("Romance", "Comedy", "Drama", "Musical"),
    "laugh": ("Comedy", "Family", "Music", "Sport"),
    "noir": ("Crime", "Mystery", "Drama", "Thriller"),
    "past": ("History", "War", "Western", "Biography"),
    "truth": ("Documentary", "Biography", "Drama", "History"),
}

# Moods that the simulator assigns by genre and at random. They are no statements about real films.
THEMES: dict[str, tuple[str, ...]] = {
    "bittersweet": ("Drama", "Romance", "Music"),
    "cosy": ("Family", "Comedy", "Animation"),
    "dark": ("Horror", "Crime", "Thriller"),
    "epic": ("Adventure", "History", "War", "Fantasy"),
    "feel-good": ("Comedy", "Musical", "Family", "Sport"),
    "gritty": ("Crime", "War", "Western", "Action"),
    "intimate": ("Drama", "Romance", "Biography"),
    "mind-bending": ("Sci-Fi", "Mystery", "Thriller"),
    "quirky": ("Comedy", "Animation", "Music"),
    "slow-burn": ("Mystery", "Drama", "Horror"),
    "spectacular": ("Action", "Sci-Fi", "Adventure"),
    "thoughtful": ("Documentary", "Biography", "History"),
}

# Tags of artworks, and the genres whose viewers they attract.
ARTWORK_TAGS: dict[str, tuple[str, ...]] = {
    "action": ("Action", "Thriller", "War"),
    "couple": ("Romance", "Comedy", "Musical"),
    "ensemble": ("Family", "Comedy", "Sport"),
    "face": ("Drama", "Biography", "Crime"),
    "landscape": ("Adventure", "Western", "History", "Documentary"),
    "object": ("Mystery", "Sci-Fi", "Horror"),
    "bright": ("Animation", "Family", "Musical"),
    "dark": ("Horror", "Crime", "Thriller"),
}
ARTWORK_FOCUSES = 6  # the first six are subjects, the last two are lighting

ERAS = (1900, 1970, 1990, 2000)  # first years
LANGUAGES = ("en", "fr", "ja", "it", "es", "de", "other")


@dataclass(frozen=True)
class Country:
    """A country of members. Its UTC offsets are constant: there is no summer time."""

    code: str
    share: float
    offsets: tuple[int, ...]  # minutes from UTC
    language: str
    currency: str
    price: float  # factor on PLAN_PRICES


COUNTRIES = (
    Country("US", 0.34, (-300, -360, -480), "en", "USD", 1.0),
    Country("GB", 0.14, (0,), "en", "GBP", 0.9),
    Country("DE", 0.11, (60,), "de", "EUR", 1.0),
    Country("FR", 0.11, (60,), "fr", "EUR", 1.0),
    Country("ES", 0.07, (60,), "es", "EUR", 0.9),
    Country("IT", 0.07, (60,), "it", "EUR", 0.9),
    Country("JP", 0.06, (540,), "ja", "JPY", 1.1),
    Country("CA", 0.05, (-300, -480), "en", "CAD", 1.3),
    Country("IN", 0.05, (330,), "en", "INR", 20.0),
)

DEVICES = ("tv", "phone", "tablet", "web", "console")
DEVICE_SHARES = (0.46, 0.24, 0.1, 0.14, 0.06)

HOURS = (8.5, 14.0, 20.2, 23.0)  # usual local hours of visits
HOUR_SHARES = (0.1, 0.17, 0.63, 0.1)

PLANS = ("ads", "standard", "premium")
PLAN_SHARES = (0.35, 0.45, 0.2)
PLAN_PRICES = (599, 1199, 1799)

PURPOSES = ("personalisation", "marketing", "insights")
GRANT_RATES = (0.9, 0.4, 0.78)  # of members with a consent record
NO_ANSWER = 0.12  # of members without a consent record

WEEKDAYS = (0.88, 0.88, 0.9, 0.95, 1.12, 1.3, 1.2)  # Monday first
AGE_LIMITS = (7, 12, 16, 99)  # 99: no limit
CERTIFICATES = {
    "G": 0, "PG": 7, "M/PG": 7, "GP": 7, "M": 7, "PG-13": 12, "R": 16, "NC-17": 18, "X": 18,
}  # fmt: skip
