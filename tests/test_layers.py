"""The layers of the package: imports go down only, and each outside library has one owner."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    {"columns", "errors", "settings", "progress", "data", "cache", "imports"},
    {
        "vocabulary",
        "matrices",
        "privacy",
        "id_tokens",
        "provenance",
        "durable",
        "duckdb_paths",
        "sealed",
    },
    {"evaluation"},
    {"slates"},
    {"insights"},
    {"models"},
    {
        "landing",
        "transform",
        "warehouse",
        "recent_events",
        "validation",
        "features",
        "releases",
        "report",
        "simulator",
    },
    {"rights"},
    {"night"},
    {"research", "operations"},
    {"pipeline"},
    {"serving"},
    {"cli", "flows"},
)
"""Lowest first. A file may import lower layers and its own folder."""

LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}

ARITHMETIC = {"vocabulary", "matrices", "evaluation", "slates", "insights", "models"}
"""Arrays in, arrays out."""

OWNERS = {
    "dbt": {"transform"},
    "duckdb": {"landing", "warehouse"},
    "great_expectations": {"validation", "expectations"},
    "feast": {"features", "feature_repo"},
    "ibis": {"features"},
    "apprise": {"operations"},
    "prometheus_client": {"operations", "serving"},
    "lightfm": {"models"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "cryptography": {"releases", "sealed"},
    "fsspec": {"releases"},
    "implicit": {"research"},
    "optuna": {"research"},
    "sklearn": {"insights"},
    "prefect": {"flows"},
    "fastapi": {"serving"},
    "starlette": {"serving"},
    "granian": {"serving"},
    "orjson": {"serving"},
    "typer": {"cli"},
    "pickle": set(),
    "joblib": set(),
}

IO_MODULES = {"os", "pathlib", "shutil", "tempfile", "socket", "subprocess", "urllib", "sqlite3"}

MOST_FILES = 25
"""In one folder of the package."""


def part_of(path: Path) -> str:
    """The top-level module or folder that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "matinee" else parts[0]


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that a file imports, lazily or for types only too, as dotted names."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def sources() -> list[Path]:
    folders = ["matinee", "flows", "feature_repo", "expectations"]
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if path != ROOT / "matinee/__init__.py"]


SOURCES = sources()
MODULES = {name_of(path): path for path in sorted((ROOT / "matinee").rglob("*.py"))}


def test_every_module_has_a_layer():
    known = {*LAYER, "feature_repo", "expectations"}
    assert [str(path) for path in SOURCES if part_of(path) not in known] == []


def imports_against_the_layers(path: Path) -> list[str]:
    """Imports of a file that go up, or across between outside systems."""
    part, wrong = part_of(path), []
    for name in imports_of(path) if part in LAYER else ():
        other = name.split(".")[1] if name.startswith("matinee.") else part
        if other == part or other not in LAYER:
            continue
        # Values and names may use each other; an outside system never another.
        if not (LAYER[other] < LAYER[part] or LAYER[other] == LAYER[part] <= 1):
            wrong.append(f"{path.relative_to(ROOT)} ({LAYER[part]}): {name} ({LAYER[other]})")
    return wrong


def test_imports_go_down_only_and_parts_of_one_layer_never_meet():
    assert [wrong for path in SOURCES for wrong in imports_against_the_layers(path)] == []


def test_the_files_of_the_package_import_each_other_in_no_circle():
    graph = {}
    for name, path in MODULES.items():
        imported = imports_of(path)
        # `from matinee.night import fit` names the package and the module: the module counts.
        packages = {one for one in imported if any(x.startswith(f"{one}.") for x in imported)}
        graph[name] = {one for one in imported - packages if one in MODULES} - {name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_each_module_can_be_the_first_import_of_its_part_without_extras():
    """Of all the package, then: lower parts cannot import it, and each is tested by itself."""
    extras = ["implicit", "optuna", "sklearn", "pytest", "hypothesis", "pyspark", "mlflow"]
    parts = {name: part_of(path) for name, path in sorted(MODULES.items()) if name != "matinee"}
    order = {name: LAYER[part] for name, part in parts.items()}
    script = f"""
import importlib, sys
sys.modules |= dict.fromkeys({extras!r})
order, failed = {order!r}, 0
for name, part in {parts!r}.items():
    # Higher parts have it imported already; the parts below stay as they are.
    for other in [one for one in sys.modules if one.startswith("matinee.")]:
        if order[other] > order[name] or other.split(".")[1] == part:
            del sys.modules[other]
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, repr(error))
        failed += 1
sys.exit(failed)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_outside_library_has_one_owner():
    strays = [
        f"{path.relative_to(ROOT)}: {name} belongs to {owners}"
        for path in SOURCES
        for name in imports_of(path)
        if (owners := OWNERS.get(name.split(".")[0])) is not None and part_of(path) not in owners
    ]
    assert strays == []


def test_arithmetic_does_no_input_or_output():
    used = {
        str(path.relative_to(ROOT)): found
        for path in SOURCES
        if part_of(path) in ARITHMETIC
        and (found := {name.split(".")[0] for name in imports_of(path)} & IO_MODULES)
    }
    assert used == {}


def reads_the_clock(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        for node in ast.walk(tree_of(path))
    )


def test_only_the_start_of_a_run_reads_the_clock():
    allowed = {"night", "rights", "operations", "research", "serving", "cli", "flows"}
    others = [path for path in SOURCES if part_of(path) not in allowed]
    assert others
    assert [str(path.relative_to(ROOT)) for path in others if reads_the_clock(path)] == []


def test_no_folder_of_the_package_has_more_than_25_files():
    for folder in {path.parent for path in MODULES.values()}:
        count = len(list(folder.glob("*.py")))
        assert count <= MOST_FILES, f"{folder.relative_to(ROOT)} has {count} files"
