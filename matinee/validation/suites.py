"""Read the suites: one file, one table, one name."""

import importlib.util
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from matinee.errors import ConfigError
from matinee.imports import large_import


def load_suites(project: Path, tables: Collection[str] = ()) -> dict[str, Any]:
    """The suites of `<project>/expectations/`, by table, in order of name.

    Parameters
    ----------
    tables
        Which to load; all by default.

    Raises
    ------
    ConfigError
        If there is none, or a file breaks the house rules: `SUITE` named as its file, a row
        count first (an empty table passes nearly everything else), notes on every expectation.
    """
    import_library()
    folder = project / "expectations"
    files = sorted(folder.glob("*.py"))
    if not files:
        raise ConfigError(f"no suites in {folder}: point MATINEE_PROJECT at a checkout of matinee")
    return {path.stem: _load(path) for path in files if not tables or path.stem in tables}


def import_library() -> None:
    """Import Great Expectations, which its suites do next, without what no suite here uses."""
    # Read when the library is first imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with large_import("great_expectations", "scipy.stats", "altair"):
        import great_expectations.expectations  # noqa: F401


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"expectations.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be read as a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    suite = getattr(module, "SUITE", None)
    if suite is None or suite.name != path.stem:
        raise ConfigError(f'{path} must hold a SUITE with name="{path.stem}", its table')
    kinds = [expectation.expectation_type for expectation in suite.expectations]
    if kinds[:1] != ["expect_table_row_count_to_be_between"]:
        raise ConfigError(f"{path} must begin with expect_table_row_count_to_be_between")
    for expectation, kind in zip(suite.expectations, kinds, strict=True):
        if not expectation.notes:
            raise ConfigError(f"{path}: {kind} has no notes; say what its breach means")
    return suite
