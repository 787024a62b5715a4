"""The SQLAlchemy dialect through which Great Expectations queries DuckDB (`duckdb+gx:///file`).

Loaded by SQLAlchemy, by name, when a warehouse is opened; importing it imports DuckDB's engine.
"""

from typing import Any

from duckdb_engine import Dialect
from sqlalchemy.types import NullType


class GxDialect(Dialect):  # type: ignore[misc]
    """DuckDB without transactions: nothing is written, and to end one closes an open result.

    Great Expectations reads its results after it has given the connection back, and SQLAlchemy
    rolls back on return; DuckDB then answers "no open result set".
    """

    supports_statement_cache = False

    def do_begin(self, dbapi_connection: Any) -> None: ...

    def do_commit(self, dbapi_connection: Any) -> None: ...

    def do_rollback(self, dbapi_connection: Any) -> None: ...

    def get_columns(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """The columns of a table by name; no expectation looks at their types.

        The queries of SQLAlchemy's reflection, which are for PostgreSQL's catalogue, take 40 ms a
        table.
        """
        quoted = str(table_name).replace('"', '""')
        rows = connection.exec_driver_sql(f'describe "{quoted}"').fetchall()
        return [{"name": row[0], "type": NullType(), "nullable": True} for row in rows]

    def get_pk_constraint(self, *_: Any, **__: Any) -> dict[str, Any]:
        """None: a suite looks at views."""
        return {"constrained_columns": [], "name": None}
