"""Reduce the CC0 Wikidata film table of bokeh_sampledata to `matinee/data/films.csv`.

    pip download bokeh_sampledata==2026.1 --no-deps -d /tmp/bokeh
    python scripts/reduce_films.py /tmp/bokeh/*.whl matinee/data/films.csv

The same wheel gives the same bytes. `matinee/data/README.md` describes the selection.
"""

import csv
import hashlib
import re
import sqlite3
import sys
import tempfile
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

MEMBER = "bokeh_sampledata/_data/movies.db"
SHA256 = "1d9c6a02e488d0354b2309e16130c58820a91ac2ce417e814c5964f9579a65ac"

# Fame is a rank within a decade, because films from before the web have few reviews. A quota per
# decade keeps the catalogue mixed.
FILMS_OF_DECADE = {
    1940: 90, 1950: 120, 1960: 150, 1970: 190, 1980: 250, 1990: 290, 2000: 330, 2010: 230,
}  # fmt: skip
FOREIGN_RATIO = 0.2
CAST_SIZE = 4

LANGUAGES = {
    "English": "en", "French": "fr", "Spanish": "es", "German": "de", "Italian": "it",
    "Japanese": "ja", "Hindi": "hi", "Russian": "ru", "Arabic": "ar", "Hebrew": "he",
    "Cantonese": "yue", "Yue Chinese": "yue", "Korean": "ko", "Mandarin": "zh", "Chinese": "zh",
    "Standard Chinese": "zh", "Putonghua": "zh", "Standard Taiwanese Mandarin": "zh",
    "Swedish": "sv", "Portuguese": "pt", "Brazilian Portuguese": "pt", "Persian": "fa",
    "Danish": "da", "Dutch": "nl", "Polish": "pl", "Norwegian": "no", "Thai": "th",
    "Romanian": "ro", "Hungarian": "hu", "Czech": "cs", "Turkish": "tr", "Icelandic": "is",
    "Finnish": "fi", "Bangla": "bn", "Indonesian": "id", "Modern Greek": "el", "Greek": "el",
    "American English": "en", "British English": "en", "Australian English": "en",
    "Serbian": "sr", "Serbo-Croatian": "sh", "Bosnian": "bs", "Vietnamese": "vi",
    "Catalan": "ca", "Mexican Spanish": "es",
}  # fmt: skip

COUNTRIES = {
    "United States": "US", "United Kingdom": "GB", "France": "FR", "Germany": "DE", "Canada": "CA",
    "Italy": "IT", "Australia": "AU", "Japan": "JP", "Spain": "ES", "India": "IN", "Belgium": "BE",
    "Mexico": "MX", "Hong Kong": "HK", "British Hong Kong": "HK", "Sweden": "SE",
    "People's Republic of China": "CN", "Denmark": "DK", "Ireland": "IE", "Switzerland": "CH",
    "Netherlands": "NL", "Kingdom of the Netherlands": "NL", "South Korea": "KR", "Israel": "IL",
    "Austria": "AT", "Argentina": "AR", "Russia": "RU", "Norway": "NO", "South Africa": "ZA",
    "Brazil": "BR", "Poland": "PL", "New Zealand": "NZ", "Iran": "IR", "Czech Republic": "CZ",
    "Hungary": "HU", "Romania": "RO", "Portugal": "PT", "Luxembourg": "LU", "Taiwan": "TW",
    "Thailand": "TH", "Finland": "FI", "Iceland": "IS", "Chile": "CL", "Greece": "GR",
    "Turkey": "TR", "Colombia": "CO", "Peru": "PE", "Egypt": "EG", "Algeria": "DZ",
    "Vietnam": "VN", "Malta": "MT", "Morocco": "MA", "United Arab Emirates": "AE",
    "Philippines": "PH", "The Bahamas": "BS", "Slovenia": "SI", "Slovakia": "SK", "Palestine": "PS",
    "Indonesia": "ID", "Lebanon": "LB", "Georgia": "GE", "Senegal": "SN", "Cuba": "CU",
    # Former countries keep their codes.
    "West Germany": "DE", "German Reich": "DE", "Nazi Germany": "DE", "Soviet Union": "SU",
    "Czechoslovakia": "CS", "Yugoslavia": "YU", "Kingdom of Italy": "IT", "Taiwan Province": "TW",
}  # fmt: skip

SPOKEN = {
    "US": "en", "GB": "en", "CA": "en", "AU": "en", "NZ": "en", "IE": "en", "FR": "fr", "DE": "de",
    "AT": "de", "IT": "it", "JP": "ja", "ES": "es", "MX": "es", "AR": "es", "IN": "hi", "BR": "pt",
    "HK": "yue", "CN": "zh", "TW": "zh", "SE": "sv", "DK": "da", "NO": "no", "RU": "ru",
    "SU": "ru", "KR": "ko", "PL": "pl", "IR": "fa", "NL": "nl",
}  # fmt: skip

COLUMNS = [
    "imdb_id", "name", "released_on", "runtime_minutes", "certificate", "language",
    "countries", "genres", "directors", "actors",
]  # fmt: skip

Row = dict[str, Any]


def split(text: str | None) -> list[str]:
    return text.split(", ") if text else []


def nominations(row: Row) -> int:
    match = re.search(r"Nominated for (\d+)", row["Awards"] or "")
    return int(match[1]) if match else 0


def percentile(rows: list[Row], of: Callable[[Row], float]) -> Callable[[Row], float]:
    values = sorted(of(row) for row in rows)
    return lambda row: bisect_left(values, of(row)) / len(values)


def by_fame(rows: list[Row]) -> list[Row]:
    """The films of one decade, most famous first.

    Fame combines the number of reviews, the box office, Oscars won and nominated, and a high
    Metacritic score. Each of them alone misses well-known films.
    """
    reviews = percentile(rows, lambda row: row["Reviews"] or 0)
    box_office = percentile(rows, lambda row: row["BoxOffice"] or 0)

    def fame(row: Row) -> float:
        oscars = min(row["Oscars"] + nominations(row), 6) / 6
        praise = 0.2 if (row["Metacritic"] or 0) >= 80 else 0.0
        return reviews(row) + 0.7 * box_office(row) + 0.3 * oscars + praise

    for row in rows:
        row["fame"] = fame(row)
    return sorted(rows, key=lambda row: (-row["fame"], row["imdbID"]))


def original_language(row: Row) -> str:
    """The most likely original language: the language of a country of production.

    Wikidata lists languages and countries without an order.
    """
    languages = [LANGUAGES[name] for name in split(row["Language"]) if name in LANGUAGES]
    countries = [COUNTRIES[name] for name in split(row["Country"])]
    official = [SPOKEN[code] for code in countries if SPOKEN.get(code) in languages]
    if "en" in official:
        return "en"
    return (official or languages)[0]


def is_usable(row: Row) -> bool:
    """Whether a film has the required fields; a cast is optional: animated films have none here."""
    return (
        bool(row["Genre"] and row["Director"])
        and 60 <= (row["Runtime"] or 0) <= 300
        and any(name in LANGUAGES for name in split(row["Language"]))
        and bool(row["Country"])
        and all(name in COUNTRIES for name in split(row["Country"]))
    )


def choose(rows: Iterable[Row]) -> list[Row]:
    """The most famous films of each decade, a fifth of them not in English, by fame."""
    usable = {row["imdbID"]: row for row in rows if is_usable(row)}
    chosen: list[Row] = []
    for decade, count in FILMS_OF_DECADE.items():
        films = by_fame([row for row in usable.values() if row["Year"] // 10 * 10 == decade])
        foreign = [row for row in films if original_language(row) != "en"]
        english = [row for row in films if original_language(row) == "en"]
        abroad = min(round(count * FOREIGN_RATIO), len(foreign))
        chosen += foreign[:abroad] + english[: count - abroad]
    return sorted(chosen, key=lambda row: (-row["fame"], row["imdbID"]))


def write(films: list[Row], all_films: list[Row], path: Path) -> None:
    # The cast is in alphabetical order; the actors with the most films are the best known.
    seen = Counter(name for row in all_films for name in split(row["Cast"]))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for row in films:
            actors = sorted(split(row["Cast"]), key=lambda name: (-seen[name], name))[:CAST_SIZE]
            out.writerow(
                [
                    row["imdbID"],
                    row["Title"],
                    row["Released"],
                    round(row["Runtime"]),
                    row["Rating"] or "",
                    original_language(row),
                    "|".join(COUNTRIES[name] for name in split(row["Country"])),
                    "|".join(sorted(split(row["Genre"]))),
                    "|".join(split(row["Director"])),
                    "|".join(actors),
                ]
            )


def main(wheel: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(zipfile.ZipFile(wheel).extract(MEMBER, folder))
        if hashlib.sha256(database.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{wheel}: movies.db is not that of bokeh_sampledata 2026.1")
        connection = sqlite3.connect(database)
        connection.row_factory = sqlite3.Row
        query = (
            "select omdb.*, tomatoes.Reviews, tomatoes.BoxOffice"
            " from omdb join tomatoes using (ID) order by imdbID, ID"
        )
        all_films = [dict(row) for row in connection.execute(query)]
        connection.close()
    write(choose(all_films), all_films, Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
