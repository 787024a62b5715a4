"""The landing zone: raw logs in, typed Parquet and an account of every row out."""

from matinee.landing import member_index, pseudonyms, tombstones, withdrawals
from matinee.landing.check import rules
from matinee.landing.contract import Column, Contract, Stream, arrow_schema, load, received_schema
from matinee.landing.days import wrong_clock
from matinee.landing.discover import unreceived
from matinee.landing.erasure import (
    Erased,
    erase,
    filter_parquet,
    has_members,
    header_of,
    mask_of,
    text_without,
)
from matinee.landing.importers.history import Imported
from matinee.landing.importers.kion import import_kion
from matinee.landing.importers.movielens import import_movielens
from matinee.landing.importers.movietweetings import import_movietweetings
from matinee.landing.ledger import Entry, Ledger
from matinee.landing.ledger import read as read_ledger
from matinee.landing.read import Records, records_of
from matinee.landing.receipt import Receipt, Totals, count
from matinee.landing.receive import landed_days, receive
from matinee.landing.received import require_history
from matinee.landing.replay import Replayed, replay
from matinee.landing.requests import requested
from matinee.landing.retention import Dropped, Expired, drop
from matinee.landing.write import place, write

__all__ = [
    "Column",
    "Contract",
    "Dropped",
    "Entry",
    "Erased",
    "Expired",
    "Imported",
    "Ledger",
    "Receipt",
    "Records",
    "Replayed",
    "Stream",
    "Totals",
    "arrow_schema",
    "count",
    "drop",
    "erase",
    "filter_parquet",
    "has_members",
    "header_of",
    "import_kion",
    "import_movielens",
    "import_movietweetings",
    "landed_days",
    "load",
    "mask_of",
    "member_index",
    "place",
    "pseudonyms",
    "read_ledger",
    "receive",
    "received_schema",
    "records_of",
    "replay",
    "requested",
    "require_history",
    "rules",
    "text_without",
    "tombstones",
    "unreceived",
    "withdrawals",
    "write",
    "wrong_clock",
]
