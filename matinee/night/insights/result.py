"""What an analysis found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Result:
    """The tables of an analysis, and a few values about them."""

    tables: Mapping[str, pa.Table]
    """File name in the release without `.parquet` -> rows, in an order that rows alone decide."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """For `insights/insights.json`."""
