"""The landing zone: raw logs in, typed Parquet and an account of every row out."""

from matinee.landing.contract import Column, Contract, Stream, arrow_schema, load, received_schema
from matinee.landing.history import Imported
from matinee.landing.ledger import Entry, Ledger
from matinee.landing.ledger import read as read_ledger
from matinee.landing.movielens import import_movielens
from matinee.landing.movietweetings import import_movietweetings
from matinee.landing.receive import Receipt, Totals, count, newest_day, receive
from matinee.landing.write import place, write

__all__ = [
    "Column",
    "Contract",
    "Entry",
    "Imported",
    "Ledger",
    "Receipt",
    "Stream",
    "Totals",
    "arrow_schema",
    "count",
    "import_movielens",
    "import_movietweetings",
    "load",
    "newest_day",
    "place",
    "read_ledger",
    "receive",
    "received_schema",
    "write",
]
