"""Plants a member in files of every kind, in every store: the positive control of a search."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather, orc

from matinee import durable, warehouse
from matinee.columns import MEMBER_ID
from matinee.privacy import Traces

PREFIX = ".control-"
"""How the folders of the planted files begin. They last as long as a search."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def planted(home: Path, member_id: str, *, is_full: bool = True) -> Iterator[list[str]]:
    """Plant an id in files of every kind in each store while the block runs; yields their names.

    The files are made in the private folder of the home and copied by descriptor: in `landing/`,
    where others write, nothing is followed.
    """
    sweep(home)
    with durable.drafts(home) as drafts:
        kinds = _kinds(drafts.path, member_id, is_full=is_full)
    folder = PREFIX + secrets.token_hex(8)
    names: list[str] = []
    try:
        for store in _stores(home):
            with durable.folder(home / store, [folder], make=True) as below:
                for name, content in kinds.items():
                    with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=below), "wb") as file:
                        file.write(content)
                    names.append(f"{store}/{folder}/{name}")
        yield names
    finally:
        sweep(home)


def sweep(home: Path) -> None:
    """Remove planted files, also those that a crash left."""
    for store in _stores(home):
        with durable.folder(home / store, []) as above:
            for folder in [one for one in os.listdir(above) if one.startswith(PREFIX)]:
                try:
                    with durable.folder(home / store, [folder]) as below:
                        for name in os.listdir(below):
                            os.unlink(name, dir_fd=below)
                    os.rmdir(folder, dir_fd=above)
                except durable.NotPlainError:  # not one of ours
                    os.unlink(folder, dir_fd=above)


def _stores(home: Path) -> list[str]:
    return [
        one for one in sorted(os.listdir(home)) if (home / one).is_dir() and one != durable.DRAFTS
    ]


def _kinds(folder: Path, member_id: str, *, is_full: bool) -> dict[str, bytes]:
    """File name -> content, one of each kind that a search opens."""
    line = json.dumps({MEMBER_ID: member_id}, ensure_ascii=False).encode() + b"\n"
    kinds = {
        "plain.jsonl": line,
        "escaped.jsonl": _escaped(member_id),
        "lines.json": line * 2,
        "document.json": b"[" + line + b"]",
        "fields.csv": _csv(member_id),
        "wide.jsonl": line.decode().encode("utf-16"),
        "wider.jsonl": line.decode().encode("utf-32"),
        "packed.jsonl.gz": gzip.compress(line),
        "twice.jsonl.gz": gzip.compress(gzip.compress(line)),
        "deflated.bin": zlib.compress(line),
        "online.db": _sqlite(folder / "online.db", member_id),
        "w.duckdb": _duckdb(folder / "w.duckdb", member_id),
    }
    for name, table in _tables(member_id).items():
        pq.write_table(table, folder / name, compression="zstd")
        kinds[f"{name}.parquet"] = (folder / name).read_bytes()
    plain = pa.table({MEMBER_ID: [member_id]})
    feather.write_feather(plain, str(folder / "feather"), compression="zstd")
    orc.write_table(plain, str(folder / "orc"))
    kinds |= {f"table.{one}": (folder / one).read_bytes() for one in ("feather", "orc")}
    if Traces.of([member_id]).distinctive:
        kinds["page.html"] = f"<p>{html.escape(member_id)}</p>\n".encode()
        if is_full:
            kinds["raw.npy"] = b"\x93NUMPY" + member_id.encode() + b"\0"
    return kinds


def _escaped(member_id: str) -> bytes:
    """JSON with all letters of the id as escapes."""
    units = member_id.encode("utf-16-be", "surrogatepass").hex()
    escapes = "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))
    return f'{{"{MEMBER_ID}": "{escapes}"}}\n'.encode()


def _csv(member_id: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([["title_id", MEMBER_ID], ["t1", member_id]])
    return text.getvalue().encode()


def _tables(member_id: str) -> dict[str, pa.Table]:
    ids = pa.array([member_id])
    text = pa.string()
    return {
        "text": pa.table({MEMBER_ID: ids}),
        "category": pa.table({MEMBER_ID: ids.dictionary_encode()}),
        "struct": pa.table({"who": pa.array([{MEMBER_ID: member_id}])}),
        "large_list": pa.table({MEMBER_ID: pa.array([[member_id]], pa.large_list(text))}),
        "map": pa.table({"who": pa.array([[(MEMBER_ID, member_id)]], pa.map_(text, text))}),
    }


def _sqlite(path: Path, member_id: str) -> bytes:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table planted (member_id text)")
        connection.execute("insert into planted values (?)", (member_id,))
    return path.read_bytes()


def _duckdb(path: Path, member_id: str) -> bytes:
    warehouse.plant(path, member_id)
    return path.read_bytes()
