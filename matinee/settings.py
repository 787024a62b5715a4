"""The settings of matinee, read once from `MATINEE_*` environment variables."""

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from matinee.errors import ConfigError

Positive = Annotated[int, Gt(0)]


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

    home: Path = Path("var")
    """The folder of all that a run writes."""

    project: Path = Path(__file__).resolve().parent.parent
    """The checkout with `dbt_project/`, `feature_repo/` and `expectations/`."""

    threads: Positive = 2
    """Threads of DuckDB, and models trained in parallel. Each model trains on one thread."""

    memory_limit: str = "4GB"
    """Memory limit of DuckDB before it spills to disk."""

    seed: int = 20260101
    """Seed of all random numbers of a night; recorded in the manifest."""

    lateness_days: Positive = 3
    """Days by which an event may arrive late; after them its day is closed."""

    slate_size: Positive = 50
    """Titles in one member's slate."""

    calibration_weight: Annotated[float, Ge(0), Le(1)] = 0.1
    """Weight of genre calibration in the order of a slate; 0 orders by score alone. A night whose
    trend bias makes slates too alike may use up to twice this weight."""

    consent_without_record: Literal["granted", "refused"] = "granted"
    """The consent assumed for members without a consent record."""

    full_evaluation_days: Annotated[int, Ge(0), Le(31)] = 7
    """Days after which models are evaluated in full again, and weights chosen anew. Nights between
    keep the weights, and evaluate the release before on the days since. 0: every night."""

    warm_start: bool = False
    """Whether training starts from the model of an earlier release instead of from scratch. Every
    night is then evaluated in full."""

    def folder(self, name: str) -> Path:
        """An absolute folder under `home`, made when missing."""
        path = self.home.resolve() / name
        path.mkdir(parents=True, exist_ok=True)
        return path
