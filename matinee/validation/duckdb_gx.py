"""The SQLAlchemy dialect through which Great Expectations asks DuckDB (`duckdb+gx:///file`).

Loaded by SQLAlchemy, by name, when a warehouse is opened; importing it imports DuckDB's engine.
"""

from typing import Any

from duckdb_engine import Dialect


class GxDialect(Dialect):  # type: ignore[misc]
    """DuckDB without transactions: nothing is written, and to end one closes an open result.

    Great Expectations reads its results after it has given the connection back, and SQLAlchemy
    rolls back on return; DuckDB then answers "no open result set".
    """

    supports_statement_cache = False

    def do_begin(self, dbapi_connection: Any) -> None: ...

    def do_commit(self, dbapi_connection: Any) -> None: ...

    def do_rollback(self, dbapi_connection: Any) -> None: ...
