import duckdb
import pytest


@pytest.fixture
def warehouse(tmp_path):
    """Build a small warehouse: `warehouse(table=query, ...)` gives its path."""
    path = tmp_path / "matinee.duckdb"

    def build(**queries):
        with duckdb.connect(str(path)) as connection:
            for table, query in queries.items():
                connection.execute(f"create or replace table {table} as {query}")
        return path

    return build
