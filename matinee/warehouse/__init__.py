"""The warehouse that dbt built: dbt is the only writer, but for erasure."""

from matinee.warehouse.feature_files import Exported, export_features
from matinee.warehouse.members import erase, plant, search, texts
from matinee.warehouse.reading import (
    Counts,
    connect,
    counts,
    file_counts,
    path,
    query,
    row_counts,
    table,
)

__all__ = [
    "Counts",
    "Exported",
    "connect",
    "counts",
    "erase",
    "export_features",
    "file_counts",
    "path",
    "plant",
    "query",
    "row_counts",
    "search",
    "table",
    "texts",
]
