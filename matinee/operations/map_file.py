"""Maps a file with other column names to the contract: a proposal, a preview, and the landing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from matinee import landing
from matinee.errors import ConfigError
from matinee.landing.importers import mapping as mappings
from matinee.settings import Settings


@dataclass(frozen=True)
class Mapped:
    """A mapping, and what the receive step says of the file by it."""

    mapping: mappings.ColumnMapping
    preview: str
    """Empty while required columns have no source."""


def map_file(settings: Settings, file: Path, *, stream: str, mapping: Path | None = None) -> Mapped:
    """A mapping as given in a file, or proposed; and a preview of what would be rejected."""
    contract = landing.load(settings.project)
    found = (
        mappings.read_mapping(mapping, contract)
        if mapping
        else mappings.propose(file, contract, stream)
    )
    if found.missing:
        return Mapped(found, "")
    receipt = mappings.preview(
        file, found, contract, threads=settings.threads, memory_limit=settings.memory_limit
    )
    return Mapped(found, receipt.summary())


def land_mapped(
    settings: Settings, file: Path, *, mapping: Path, landed_on: date, with_titles: bool = False
) -> list[Path]:
    """Land a file by its mapping; with titles, a catalogue of the ids that its events name too.

    Raises
    ------
    ConfigError
        If titles are wanted of a stream whose rows name none.
    """
    contract, home = landing.load(settings.project), settings.home.resolve()
    found = mappings.read_mapping(mapping, contract)
    table = mappings.apply(file, found, contract)
    paths = []
    if with_titles:
        if "title_id" not in table.column_names or found.stream == "titles":
            raise ConfigError(f"--with-titles is for events on titles, not for {found.stream}")
        titles = mappings.titles_of(table)
        paths.append(landing.write(home, "titles", landed_on, titles, file.stem))
    paths.append(landing.write(home, found.stream, landed_on, table, file.stem))
    return paths
