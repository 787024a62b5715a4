"""The settings of matinee, read once from `MATINEE_*` environment variables."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from matinee.errors import ConfigError

MEGABYTES = {"M": 1, "G": 1_000, "T": 1_000_000}
LEAST_MEGABYTES, MOST_MEGABYTES = 100, 100_000_000

UNWRITABLE = {
    "?": "what is after it is read as options of the warehouse",
    "\\": "DuckDB reads it as a slash",
    "ducklake:": "dbt takes it for another kind of warehouse",
}
"""What no path of a home may have, for DuckDB has no way to write it."""


def _folder(value: object) -> object:
    """A folder as it is written in a variable: `~` is the user's home."""
    text = str(value)
    if not text.strip():
        raise PydanticCustomError("empty", "it is empty: name a folder, or unset it")
    try:
        text.encode()
        return Path(text).expanduser()
    except UnicodeEncodeError:
        raise PydanticCustomError("utf8", "it is not UTF-8: name another folder") from None
    except RuntimeError:
        raise PydanticCustomError("user", "there is no such user: write the whole path") from None


def _home(home: Path) -> Path:
    path = str(home.resolve())
    for text, why in UNWRITABLE.items():
        if text in path.lower():
            raise PydanticCustomError(
                "path",
                "the path {path} has a {text}: {why}; name a folder without one",
                {"path": path, "text": text, "why": why},
            )
    above = home.resolve().parents
    for parent in above:
        is_its_work = parent / "work" in above  # where a rebuild runs, and all is swept
        if not is_its_work and (parent / "landing").is_dir() and (parent / "releases").is_dir():
            raise PydanticCustomError(
                "nested",
                "it lies in another home, {parent}, whose searches for members, backups and "
                "erasures would take in this one: name a folder beside it",
                {"parent": str(parent)},
            )
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in path):
        raise PydanticCustomError(
            "control", "the path has a control character: name a folder without one"
        )
    return home


def _memory(text: str) -> str:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MGT])(?:i?B)?\s*", text, re.IGNORECASE)
    megabytes = float(match[1]) * MEGABYTES[match[2].upper()] if match else 0
    if not LEAST_MEGABYTES <= megabytes <= MOST_MEGABYTES:
        raise PydanticCustomError("memory", "it must be 100MB to 100TB, as in 4GB or 512MiB")
    return text


TESTS_ONLY = frozenset({"ATTACKS", "REAL_DATA", "TEST_CPU", "TRY_STORE"})
"""Variables that only the tests of the checkout read."""


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A warning for each `MATINEE_*` variable that is no setting, with the nearest that is one.

    >>> unknown_variables({"MATINEE_THREAD": "4", "MATINEE_HOME": "var", "PATH": ""})
    ['MATINEE_THREAD is no setting and is ignored; did you mean MATINEE_THREADS?']
    """
    prefix = "MATINEE_"
    known = sorted(name.upper() for name in Settings.model_fields)
    warnings = []
    for variable in sorted(one for one in environment if one.upper().startswith(prefix)):
        name = variable[len(prefix) :].upper()
        if name in known or name in TESTS_ONLY:
            continue
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {prefix}{nearest[0]}?" if nearest else "README.md has the settings"
        warnings.append(f"{variable} is no setting and is ignored; {hint}")
    return warnings


Folder = Annotated[Path, BeforeValidator(_folder)]


class Settings(BaseSettings):
    """Folders, and the few numbers an operator may change.

    All that a run writes is under `home`. All that it reads of the project (dbt, Feast and
    expectation files) is under `project`.
    """

    model_config = SettingsConfigDict(env_prefix="MATINEE_", frozen=True, extra="ignore")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise ConfigError(f"MATINEE_{name} is {first['input']!r}: {first['msg']}") from None

    home: Annotated[Folder, AfterValidator(_home)] = Path("var")
    """The folder of all that a run writes."""

    project: Folder = Path(__file__).resolve().parent.parent
    """The checkout with `dbt_project/`, `feature_repo/` and `expectations/`."""

    threads: Annotated[int, Ge(1), Le(256)] = 2
    """Threads of DuckDB, and models trained in parallel. Each model trains on one thread."""

    memory_limit: Annotated[str, AfterValidator(_memory)] = "4GB"
    """Memory limit of DuckDB before it spills to disk."""

    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 20260101
    """Seed of all random numbers of a night; recorded in the manifest."""

    lateness_days: Annotated[int, Ge(1), Le(365)] = 3
    """Days by which an event may arrive late; after them its day is closed."""

    slate_size: Annotated[int, Ge(1), Le(1000)] = 50
    """Titles in one member's slate."""

    calibration_weight: Annotated[float, Ge(0), Le(1)] = 0.1
    """Weight of genre calibration in the order of a slate; 0 orders by score alone. A night whose
    trend bias makes slates too alike may use up to twice this weight."""

    consent_without_record: Literal["granted", "refused"] = "granted"
    """The consent assumed for members without a consent record."""

    unknown_requests: Annotated[int, Ge(0)] = 20
    """Most ids in the erase requests of one receipt that no member has; with more, all wait."""
    full_evaluation_days: Annotated[int, Ge(0), Le(31)] = 7
    """Days after which models are evaluated in full again, and weights chosen anew. Nights between
    keep the weights, and evaluate the release before on the days since. 0: every night."""

    keep_days: Annotated[int, Ge(0), Le(10**6)] = 0
    """Days of data whose releases a night keeps, as `matinee releases gc --keep` does. 0: all."""

    warm_start: bool = False
    """Whether training starts from the model of an earlier release instead of from scratch. Every
    night is then evaluated in full."""

    def folder(self, name: str) -> Path:
        """An absolute folder under `home`, made when missing."""
        path = self.home.resolve() / name
        path.mkdir(parents=True, exist_ok=True)
        return path
