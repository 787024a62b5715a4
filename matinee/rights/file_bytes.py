"""What the bytes of a file are: text, compressed, lines of text, a key of Feast's online store."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

SQLITE, DUCKDB = b"SQLite format 3\0", b"DUCK"
ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf": "7z",
    b"\x04\x22\x4d\x18": "lz4",
}
"""First bytes of what is not opened: matinee writes none."""
GZIP, ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Longest first: UTF-32 begins as UTF-16 does."""
HEAD_BYTES, BLOCK_BYTES = 64 << 10, 8 << 20


def is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_text(head: bytes) -> bool:
    """Whether the first bytes are UTF-8 without control characters."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(byte in head for byte in range(9))


def is_zlib(head: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(head, 64)
    except zlib.error:
        return False
    return True


def gzip_header(head: bytes) -> bytes:
    """The texts in the header of gzip: extra field, file name and comment."""
    flags, place = head[3] if len(head) > 3 else 0, 10
    if flags & 4:
        place += 2 + int.from_bytes(head[10:12], "little")
    end = place
    for flag in (8, 16):
        if flags & flag:
            end = head.find(b"\0", end) + 1 or len(head)
    texts = head[10:end].replace(b"\0", b"\n")
    stems = [one.partition(b".")[0] for one in texts.split(b"\n")]
    return b"\n".join([texts, *stems])


def inflated(file: IO[bytes], *, is_gzip: bool) -> Iterator[bytes]:
    if is_gzip:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            while block := unpacked.read(BLOCK_BYTES):
                yield block
        return
    inflater = zlib.decompressobj()
    while packed := file.read(BLOCK_BYTES):
        yield inflater.decompress(packed)
        if inflater.eof:
            yield inflater.unused_data  # what follows is searched as it is
            while rest := file.read(BLOCK_BYTES):
                yield rest
            return
    yield inflater.flush()
    if not inflater.eof:
        raise EOFError("it ends before its end")


def blocks(file: IO[bytes]) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
    """Whole lines, many at a time, and where each begins."""
    rest = b""
    while block := file.read(BLOCK_BYTES):
        cut = block.rfind(b"\n") + 1
        if not cut:
            rest += block
            continue
        yield _split(rest + block[:cut])
        rest = block[cut:]
    if rest:
        yield _split(rest)


def _split(data: bytes) -> tuple[bytes, NDArray[np.int64]]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    return data, np.unique(np.concatenate([[0], ends, [len(data)]]))


def entity_id(key: bytes) -> str | None:
    """The member id in a key of Feast's online store: name, type, length, id."""
    _, name, rest = key.partition(b"member_id")
    if not name:
        return None
    length = int.from_bytes(rest[4:8], "little")
    return rest[8 : 8 + length].decode(errors="replace")
