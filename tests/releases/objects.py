"""An object store in memory, by fsspec: whole objects, conditional puts and planted failures.

    objects.register()                    # now `fake://bucket/prefix` is a URL
    objects.Fake.fail_from(7)             # the seventh and all later calls fail
    objects.Fake.heal()

Errors are not OSErrors, as in most object store libraries.
"""

import io
import threading
from pathlib import Path
from typing import ClassVar

import fsspec
from fsspec.spec import AbstractFileSystem

LOCK = threading.RLock()


class UnreachableError(Exception):
    """Raised by a store library when the host does not answer."""


class Fake(AbstractFileSystem):
    protocol = "fake"
    cachable = False
    async_impl = True  # object stores have no folders to create

    objects: ClassVar[dict[str, bytes]] = {}
    calls: ClassVar[list[tuple[str, str]]] = []
    fails_from: int | None = None
    garbles: str | None = None
    """Uploads under a name with this suffix arrive changed."""
    before: ClassVar[dict[str, object]] = {}
    """Called once before the operation of that name: an action of another machine."""

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
        if action := Fake.before.pop(what, None):
            action()
        with LOCK:
            Fake.calls.append((what, path))
            if Fake.fails_from is not None and len(Fake.calls) >= Fake.fails_from:
                raise UnreachableError(f"no answer from https://ada:secret@host/{path}?sig=abc")

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
