"""An object store in memory, by fsspec: whole objects, conditional puts, and what can go wrong.

    objects.register()                    # now `fake://bucket/prefix` is a URL
    objects.Fake.fail_from(7)             # the seventh call and all after it fail
    objects.Fake.heal()

Errors are no OSError, like those of most libraries of object stores.
"""

import io
import threading
from pathlib import Path
from typing import ClassVar

import fsspec
from fsspec.spec import AbstractFileSystem

LOCK = threading.RLock()


class UnreachableError(Exception):
    """What the library of a store raises when nobody answers."""


class Fake(AbstractFileSystem):
    protocol = "fake"
    cachable = False
    async_impl = True  # as an object store says: there are no folders to make

    objects: ClassVar[dict[str, bytes]] = {}
    calls: ClassVar[list[tuple[str, str]]] = []
    fails_from: int | None = None
    garbles: str | None = None
    """What is put under a name with this end does not arrive as it was sent."""
    before: ClassVar[dict[str, object]] = {}
    """Called once before the operation of that name: another machine acts in between."""

    @classmethod
    def reset(cls):
        cls.objects, cls.calls, cls.before = {}, [], {}
        cls.heal()

    @classmethod
    def heal(cls):
        cls.fails_from = cls.garbles = None

    @classmethod
    def fail_from(cls, call):
        """Count from now on, and fail from the given call (1 is the next)."""
        cls.calls, cls.fails_from = [], call

    def reach(self, what, path):
        if act := Fake.before.pop(what, None):
            act()
        with LOCK:
            Fake.calls.append((what, path))
            if Fake.fails_from is not None and len(Fake.calls) >= Fake.fails_from:
                raise UnreachableError(f"nobody answers at https://ada:secret@host/{path}?sig=abc")

    def ls(self, path, detail=True, **kwargs):
        path = self._strip_protocol(path)
        self.reach("ls", path)
        below = {one[len(path) + 1 :] for one in Fake.objects if one.startswith(f"{path}/")}
        if not below:
            raise FileNotFoundError(path)
        files = {one for one in below if "/" not in one}
        folders = {one.partition("/")[0] for one in below if "/" in one}
        return [
            *({"name": f"{path}/{one}", "type": "file"} for one in sorted(files)),
            *({"name": f"{path}/{one}", "type": "directory"} for one in sorted(folders)),
        ]

    def cat_file(self, path, start=None, end=None, **kwargs):
        path = self._strip_protocol(path)
        self.reach("read", path)
        if path not in Fake.objects:
            raise FileNotFoundError(path)
        return Fake.objects[path][start:end]

    def _open(self, path, mode="rb", **kwargs):
        return io.BytesIO(self.cat_file(path))

    def get_file(self, rpath, lpath, **kwargs):
        Path(lpath).write_bytes(self.cat_file(rpath))

    def put_file(self, lpath, rpath, **kwargs):
        self.reach("put", rpath)
        garbled = b"!" if Fake.garbles and rpath.endswith(Fake.garbles) else b""
        Fake.objects[self._strip_protocol(rpath)] = Path(lpath).read_bytes() + garbled

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        path = self._strip_protocol(path)
        self.reach("create" if mode == "create" else "put", path)
        with LOCK:
            if mode == "create" and path in Fake.objects:
                raise FileExistsError(path)
            Fake.objects[path] = bytes(value)

    def exists(self, path, **kwargs):
        return self._strip_protocol(path) in Fake.objects

    def rm_file(self, path):
        self.reach("remove", path)
        if Fake.objects.pop(self._strip_protocol(path), None) is None:
            raise FileNotFoundError(path)

    def rm(self, path, recursive=False, maxdepth=None):
        below = [name for name in Fake.objects if name.startswith(f"{path}/")]
        if not below:
            raise FileNotFoundError(path)
        for one in below:
            self.rm_file(one)


def register():
    Fake.reset()
    fsspec.register_implementation("fake", Fake, clobber=True)
