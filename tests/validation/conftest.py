import duckdb
import pytest


@pytest.fixture
def warehouse(home):
    """Build a small warehouse: `warehouse(table=query, ...)` gives the home it is in."""
    path = home / "warehouse" / "matinee.duckdb"
    path.parent.mkdir(parents=True)

    def build(**queries):
        with duckdb.connect(str(path)) as connection:
            for table, query in queries.items():
                connection.execute(f"create or replace table {table} as {query}")
        return home

    return build
