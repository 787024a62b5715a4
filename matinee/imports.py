"""Use a large library at less CPU cost: with less garbage collection, and without the parts of it
that a night never uses."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def large_import(library: str, *deferred: str) -> Iterator[None]:
    """Import a library in this block; `deferred` modules load when a name of theirs is used.

    Where `library` is imported already, nothing happens.

    Notes
    -----
    A large import makes objects by the hundred thousand that live as long as the process. The
    collector would walk them again and again while they are made (a quarter of the CPU time of
    importing dbt, Great Expectations and Feast), and in every full collection after. So it rests
    in the block, and never looks again at what is there at the end (`gc.freeze`).
    """
    if library in sys.modules:
        yield
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for name in deferred:
            if name not in sys.modules and find_spec(name):
                sys.modules[name] = _Deferred(name)
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector run once in a while: for work that makes many objects and few cycles."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Deferred(ModuleType):
    """Stands for a module until a name of it is used; passes every name on to the real one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # What the import system and `inspect` look at must not load the module.
        self.__spec__ = find_spec(name)
        self.__file__ = self.__spec__.origin if self.__spec__ else None

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
