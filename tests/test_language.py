"""The words of the project: no identifier uses a word of the old dialect (docs/glossary.md)."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BANNED = {
    "told",
    "foreseen",
    "introducing",
    "unmet",
    "loudness",
    "newcomer",
    "newcomers",
    "rival",
    "rivals",
    "peer",
    "peers",
    "sibling",
    "siblings",
    "contender",
    "raising",
    "noising",
    "wording",
    "asking",
    "asked",
    "answered",
    "lately",
    "stranger",
    "strangers",
    "everybody",
    "nobody",
    "unheard",
    "consenting",
    "forgetting",
    "reissuing",
    "stopping",
    "promoting",
    "mirroring",
    "leasing",
}

BANNED_IN_PROSE = BANNED | {"judge", "judges", "judged", "loud", "louder", "worth", "heed", "heeds"}
"""Words that pages do not use either, outside of code."""

FOLDERS = ("matinee", "flows", "tests", "benchmarks", "scripts", "feature_repo", "expectations")


def words(identifier: str) -> set[str]:
    """The words of `snake_case`, `CamelCase` and `kebab-case`."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)}


def identifiers(path: Path) -> set[str]:
    """Every name that a Python file defines or binds."""
    names = {path.stem}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names |= {node.name.split(".")[-1], node.asname or ""}
    return names


def python_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_identifier_of_a_python_file_uses_a_banned_word():
    """docs/glossary.md has the words to use instead."""
    banned = {
        str(path.relative_to(ROOT)): found
        for path in python_files()
        if (found := sorted(name for name in identifiers(path) if words(name) & BANNED))
    }
    assert banned == {}


def test_no_dbt_model_or_macro_uses_a_banned_word():
    project = ROOT / "dbt_project"
    names = {path.stem for path in project.rglob("*.sql")}
    for path in (project / "macros").rglob("*.sql"):
        names |= set(re.findall(r"macro\s+(\w+)", path.read_text(encoding="utf-8")))
    assert not {name for name in names if words(name) & BANNED}


def pages() -> list[Path]:
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    return [*(ROOT / name for name in names), *sorted((ROOT / "docs").rglob("*.md"))]


def prose(text: str) -> set[str]:
    """The words of a page, without code blocks, code spans and targets of links."""
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)
    return {word.lower() for word in re.findall(r"[A-Za-z]+", text)}


def test_no_page_uses_a_banned_word():
    """docs/glossary.md has the words to use instead."""
    banned = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in pages()
        if (found := prose(path.read_text(encoding="utf-8")) & BANNED_IN_PROSE)
    }
    assert banned == {}
