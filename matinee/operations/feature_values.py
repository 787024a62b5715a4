"""Feature services for people: which there are, a training frame from a file, one member online."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable, features
from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import ConfigError, DataError
from matinee.rights import consent
from matinee.settings import Settings


@dataclass(frozen=True)
class Framed:
    """A feature frame that was written."""

    path: Path
    rows: int
    columns: int
    refused: int
    """Rows of members without consent to personalisation, which are not in it."""


def list_features(settings: Settings) -> list[dict[str, Any]]:
    """One row per service and view: what to ask it with, and its fields."""
    promise = features.promise(home=settings.home, project=settings.project)
    return [
        {
            "service": service,
            "view": view,
            "key": ", ".join(promise["views"][view]["join_keys"]),
            "fields": sorted(fields),
        }
        for service, views in sorted(promise["services"].items())
        for view, fields in views.items()
    ]


def feature_frame(settings: Settings, service: str, entities: Path, output: Path) -> Framed:
    """Write the features of each row of a Parquet file, as they were known at its instant.

    Rows of members who refuse personalisation are left out: they are in no training data.

    Parameters
    ----------
    entities : member_id or title_id or both, and event_timestamp; without a zone it is UTC
    """
    try:
        rows = pq.read_table(entities)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{entities} is no Parquet file: {error}") from None
    name = "event_timestamp"
    if name in rows.column_names and pa.types.is_timestamp(rows.schema.field(name).type):
        instants = rows[name].cast(pa.timestamp("us", rows.schema.field(name).type.tz or "UTC"))
        rows = rows.set_column(rows.column_names.index(name), name, instants)
    elif name not in rows.column_names:
        raise DataError(f"{entities} has no {name}, the instant of each row: {rows.column_names}")
    before = len(rows)
    if MEMBER_ID in rows.column_names:
        withdrawals = consent.read(settings)
        is_refused = {
            one: withdrawals.includes(one, consent.PERSONALISATION)
            for one in pc.unique(rows[MEMBER_ID]).to_pylist()
        }
        kept = [not is_refused[one] for one in rows[MEMBER_ID].to_pylist()]
        rows = rows.filter(pa.array(kept, pa.bool_()))
    found = features.frame(rows, service, home=settings.home, project=settings.project)
    unfinished = output.with_name(f".{output.name}.new")
    with durable.storage_errors(output):
        pq.write_table(found, unfinished)
        durable.put(unfinished, output)
    return Framed(output, len(found), len(found.column_names), before - len(rows))


def online_features(
    settings: Settings, service: str, *, member: str = "", title: str = ""
) -> dict[str, Any]:
    """The online features of a member, a title or both, as `view.field` where both are named.

    Raises
    ------
    ConfigError
        If neither is named, or the member refuses personalisation.
    """
    if not member and not title:
        raise ConfigError("name a member or a title: --member m-000017, --title t-0003")
    if member and not consent.may_personalise(settings, member):
        raise ConfigError(f"{member} refuses personalisation: nothing is given of them")
    where: dict[str, Any] = {"home": settings.home, "project": settings.project}
    found: dict[str, Any] = {}
    for key, one, read in (
        (MEMBER_ID, member, features.members_online),
        (TITLE_ID, title, features.titles_online),
    ):
        if one:
            row = read([one], features=service, **where).to_pylist()[0]
            side = f"{key.removesuffix('_id')}." if member and title else ""
            found |= {name if name == key else side + name: row[name] for name in row}
    return found
