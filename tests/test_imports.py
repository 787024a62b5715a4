"""A large import rests the garbage collector, and leaves out what nobody uses."""

import gc
import sys
from importlib import import_module

import pytest

from matinee.imports import large_import, rare_collections


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library `large` that imports `part`, of which nothing is used while it is imported."""
    (tmp_path / "large.py").write_text("import part\n\n\ndef answer():\n    return part.ANSWER\n")
    (tmp_path / "part.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield
    for name in {"large", "part"} - before:
        sys.modules.pop(name, None)


def test_a_deferred_module_loads_when_a_name_of_it_is_used(library):
    with large_import("large", "part"):
        import large
    assert "ANSWER" not in vars(sys.modules["part"])
    assert large.answer() == 42
    assert sys.modules["part"].ANSWER == 42
    import part

    assert vars(part)["ANSWER"] == 42  # the module itself by now


def test_a_deferred_module_without_a_name_says_so(library):
    with large_import("large", "part"):
        import large
    with pytest.raises(AttributeError, match="module 'part' has no attribute 'nothing'"):
        _ = large.part.nothing


def test_a_module_that_is_not_installed_is_not_deferred(library):
    with large_import("large", "not_installed"):
        import large  # noqa: F401
    assert "not_installed" not in sys.modules


def test_the_collector_rests_and_goes_on_after_a_failure():
    was_enabled = []

    def fail():
        with large_import("no_such_library"):
            was_enabled.append(gc.isenabled())
            import_module("no_such_library")

    with pytest.raises(ModuleNotFoundError):
        fail()
    assert was_enabled == [False]
    assert gc.isenabled()


def test_collections_are_rare_in_the_block_only():
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] > 100 * before[0]
    assert gc.get_threshold() == before


def test_an_imported_library_is_left_alone():
    with large_import("pytest", "part"):
        assert gc.isenabled()
    assert "part" not in sys.modules
