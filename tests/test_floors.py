"""The house stands: imports go down only, and each outside library has one owner."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS: dict[str, int] = {
    **dict.fromkeys(["cache", "columns", "dbt_parse", "errors", "imports", "settings", "data"], 0),
    **dict.fromkeys(
        [
            "vocabulary",
            "matrices",
            "splits",
            "blending",
            "continuing",
            "newcomers",
            "peers",
            "popularity",
            "ranking",
            "rings",
            "metrics",
            "reasons",
            "calibration",
            "exposure",
            "eligibility",
            "judging",
            "noise",
            "authenticity",
            "privacy",
            "provenance",
            "simulator",
        ],
        1,
    ),
    **dict.fromkeys(
        [
            "als",
            "tuner",
            "landing",
            "transform",
            "warehouse",
            "validation",
            "features",
            "hybrid",
            "releases",
            "report",
        ],
        2,
    ),
    "pipeline": 3,
    "cli": 4,
    "flows": 4,
}

OWNERS = {
    "dbt": {"transform", "dbt_parse"},
    "duckdb": {"landing", "warehouse"},
    "great_expectations": {"validation", "expectations"},
    "feast": {"features", "feature_repo"},
    "ibis": {"features"},
    "lightfm": {"hybrid"},
    "cryptography": {"releases"},
    "fsspec": {"releases"},
    "implicit": {"als"},
    "optuna": {"tuner"},
    "prefect": {"flows"},
    "typer": {"cli"},
    "pickle": set(),
    "joblib": set(),
}

IO_MODULES = {"os", "pathlib", "shutil", "tempfile", "socket", "subprocess", "urllib", "sqlite3"}


def room_of(path: Path) -> str:
    """The top-level module or folder that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "matinee" else parts[0]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, lazily or not, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def sources() -> list[Path]:
    folders = ["matinee", "flows", "feature_repo", "expectations"]
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if path != ROOT / "matinee/__init__.py"]


SOURCES = pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))


@SOURCES
def test_every_module_has_a_floor(path):
    assert room_of(path) in {**FLOORS, "feature_repo": 0, "expectations": 0}


@SOURCES
def test_imports_go_down_only_and_rooms_of_one_floor_do_not_meet(path):
    room = room_of(path)
    if room not in FLOORS:
        return
    for name in imports_of(path):
        if not name.startswith("matinee."):
            continue
        other = name.split(".")[1]
        if other == room or other not in FLOORS:
            continue
        # Arithmetic may use arithmetic; an outside system never another.
        allowed = FLOORS[other] < FLOORS[room] or FLOORS[other] == FLOORS[room] <= 1
        assert allowed, f"{room} (floor {FLOORS[room]}) imports {other} (floor {FLOORS[other]})"


@SOURCES
def test_each_outside_library_has_one_owner(path):
    for name in imports_of(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or room_of(path) in owners, f"{name} belongs to {owners}"


@SOURCES
def test_arithmetic_does_no_input_or_output(path):
    if FLOORS.get(room_of(path)) == 1:
        touched = {name.split(".")[0] for name in imports_of(path)} & IO_MODULES
        assert not touched, f"floor 1 does no I/O, but this imports {sorted(touched)}"


@SOURCES
def test_only_a_run_asks_what_time_it_is(path):
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    clock = calls & {"now", "utcnow", "today"}
    assert not clock or room_of(path) in {"pipeline", "cli", "flows"}, sorted(clock)


@pytest.mark.parametrize(
    "path",
    [*sources(), *sorted((ROOT / "tests").rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_file_outgrows_four_hundred_lines(path):
    assert len(path.read_text().splitlines()) <= 400
