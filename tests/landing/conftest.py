"""A tiny landing zone that is written as text and looked at as rows."""

from pathlib import Path

import duckdb
import pytest

from matinee import landing
from matinee.duckdb_paths import UNPARTITIONED, exact, literal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def contract():
    return landing.load(ROOT)


class Zone:
    """A home with one title landed, so that nothing but what a test lands is missing."""

    def __init__(self, home, contract):
        self.home = home
        self.contract = contract
        self.land(
            "titles", "t.jsonl", b'{"title_id": "t1", "name": "Heat", "title_kind": "movie"}\n'
        )

    def land(self, stream, name, content, day="2026-01-02"):
        path = self.home / "landing" / stream / f"dt={day}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def receive(self, **changes):
        options = {"threads": 2, "memory_limit": "1GB"} | changes
        return landing.receive(home=self.home, contract=self.contract, **options)

    def rows(self, table, columns="*"):
        """Rows of a received table as dbt reads it."""
        files = literal(f"{exact(self.home / 'received' / table)}/*/*.parquet")
        batch = "regexp_extract(filename, '.*/batch=([0-9]+)/', 1)::bigint as batch"
        return duckdb.sql(
            f"select {columns} from (select * exclude (filename), {batch} from read_parquet("
            f"{files}, {UNPARTITIONED}, filename = true, union_by_name = true)) order by file, line"
        ).fetchall()


@pytest.fixture
def zone(home, contract):
    return Zone(home, contract)
