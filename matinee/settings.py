"""The ten settings of matinee, read once from `MATINEE_*` environment variables."""

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from matinee.errors import ConfigError

Positive = Annotated[int, Gt(0)]


class Settings(BaseSettings):
    """Where things are, and the few numbers an operator may change.

    Everything a run writes is under `home`; everything it reads of the project
    (dbt, Feast and expectation files) is under `project`.
    """

    model_config = SettingsConfigDict(env_prefix="MATINEE_", frozen=True, extra="ignore")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise ConfigError(f"MATINEE_{name} is {first['input']!r}: {first['msg']}") from None

    home: Path = Path("var")
    """The folder that holds all that a run writes."""

    project: Path = Path(__file__).resolve().parent.parent
    """The checkout with `dbt_project/`, `feature_repo/` and `expectations/`."""

    threads: Positive = 2
    """Threads for DuckDB and for models trained side by side. Each model trains on one."""

    memory_limit: str = "4GB"
    """What DuckDB may hold before it spills to disk."""

    seed: int = 20260101
    """The one source of randomness of a night; recorded in the manifest."""

    lateness_days: Positive = 3
    """How late an event may arrive and still be normal."""

    slate_size: Positive = 50
    """Titles in one member's slate."""

    calibration_weight: Annotated[float, Ge(0), Le(1)] = 0.1
    """How much a slate's order heeds the member's own mix of genres; 0 leaves it to the score. A
    night whose trend makes slates too alike heeds it up to twice as much."""

    consent_without_record: Literal["granted", "refused"] = "granted"
    """What a member who never answered is taken to have said."""

    warm_start: bool = False
    """Whether the hybrid goes on from an earlier release instead of learning all anew."""

    def folder(self, name: str) -> Path:
        """An absolute folder under `home`, made when missing."""
        path = self.home.resolve() / name
        path.mkdir(parents=True, exist_ok=True)
        return path
