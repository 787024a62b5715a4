"""How a text file is written: what its first bytes show, before a row is read."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

from matinee.errors import printable_name
from matinee.landing.files import HEAD_BYTES, TornError

DELIMITERS = {b",": "commas", b";": "semicolons", b"\t": "tabs", b"|": "bars"}
MAGIC = {
    b"\x1f\x8b\x08": "gzip: let its name end in .gz",
    b"PK\x03\x04": "a zip file or an Excel sheet: save it as CSV",
    b"PAR1": "Parquet: let its name end in .parquet",
    b"\x28\xb5\x2f\xfd": "Zstandard: unpack it, or pack it with gzip",
    b"BZh91AY&SY": "bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "xz: unpack it, or pack it with gzip",
}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATOR = re.compile(rb'"?sep=([^"])"?[\r\n]*', re.IGNORECASE)
_ARRAY = re.compile(rb"\s*\[\s*(\{|\r?\n|$)")


@dataclass(frozen=True)
class Dialect:
    """How the fields of a CSV file are parted."""

    delimiter: bytes = b","
    lines_before_header: int = 0
    is_padded: bool = False
    """Whether a space follows each delimiter."""

    def notes(self) -> tuple[str, ...]:
        """What is not as the contract has it; nothing for plain commas."""
        found = []
        if self.delimiter != b",":
            found.append(
                f"is parted by {DELIMITERS.get(self.delimiter, printable_name(self.text))}"
            )
        if self.is_padded:
            found.append("has a space after each delimiter, which is left out")
        return tuple(found)

    @property
    def text(self) -> str:
        return self.delimiter.decode("latin-1")


def require_text(start: bytes, *, is_json: bool) -> None:
    """Refuse what is no text of lines, by its first bytes.

    Raises
    ------
    TornError
        Says what the file is, and what to do.
    """
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            raise TornError(f"its bytes are those of {what}")
    if not is_json and start.startswith(UTF_16) and b"\0" in start[:HEAD_BYTES]:
        raise TornError("it is UTF-16: save it as UTF-8")
    returns = start.rstrip(b"\r")
    if b"\n" not in start and (b"}\r{" in returns if is_json else b"\r" in returns):
        line = start.partition(b"\r")[0].decode(errors="replace")
        raise TornError(
            r"its lines end in \r alone: let them end in \n or \r\n, as `tr '\r' '\n'` does", line
        )
    if is_json and _ARRAY.match(start):
        raise TornError(
            "it is one JSON array: write one object a line, as `jq -c '.[]'` does",
            start.partition(b"\n")[0].decode(errors="replace"),
        )


def detect(start: bytes, columns: Iterable[str]) -> Dialect:
    """The dialect under which a header has most of the columns; commas when in doubt."""
    start = start.removeprefix(b"\xef\xbb\xbf")
    lines = start.splitlines(keepends=True)
    before = 0
    delimiter: bytes | None = None
    if lines and (match := _SEPARATOR.fullmatch(lines[0])):
        delimiter, before = match[1], 1
    header = next((line for line in lines[before:] if line.strip()), b"").decode(errors="replace")
    known = {folded(name) for name in columns}

    def n_known(one: bytes) -> int:
        return sum(folded(name) in known for name in fields(header, one.decode("latin-1")))

    if delimiter is None:
        delimiter = max(DELIMITERS, key=n_known)
    names = fields(header, delimiter.decode("latin-1"))
    is_padded = len(names) > 1 and all(name.startswith(" ") for name in names[1:])
    return Dialect(delimiter, before, is_padded)


def fields(line: str, delimiter: str) -> list[str]:
    """The fields of one line, as they are; none when it cannot be taken apart."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def is_column(name: str, column: str) -> bool:
    """Whether a name in a header stands for a column of the contract."""
    return folded(name.strip()) == folded(column)


def folded(name: str) -> str:
    """A name as it is compared: `MEMBER_ID`, `memberId` and `Member ID` are one."""
    return re.sub(r"[ _-]", "", name).lower()
