"""The errors that this package raises on purpose.

* MatineeError           exit code
  x ConfigError          2  a setting or an argument is missing or wrong
  x DataError            2  the data is not what its contract says
  x RefusedError         3  a gate refused; the live release is unchanged
    + ExpectationError   3  an expectation suite did not pass
    + GateError          3  a rule of the release gate failed
  x BusyError            4  another night holds the lease
  x IntegrityError       5  something written does not verify, or counts do not reconcile
  x StorageError         6  a disk or store could not be read or written
  x InterruptError     130  the user pressed Ctrl-C

Each message is one line: what was wrong with which file, row or rule, the value, and what to do.
"""

LONGEST_NAME = 200
"""The most characters of an outside name in a message."""


def printable(text: str) -> str:
    """Text from outside on one line, with characters that control a terminal escaped.

    Escape sequences, NUL and bidirectional marks are replaced by their codes.

    >>> printable("\x1b[2Jred")
    '\\\\x1b[2Jred'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def printable_name(name: str) -> str:
    """An outside name for a message: printable, and cut to `LONGEST_NAME` characters."""
    return printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")


class MatineeError(Exception):
    """The root: catch this to catch all of them."""

    exit_code = 1


class ConfigError(MatineeError):
    """A setting or an argument is missing or wrong."""

    exit_code = 2


class DataError(MatineeError):
    """The data is not what its contract says."""

    exit_code = 2


class RefusedError(MatineeError):
    """A gate refused; the live release is unchanged."""

    exit_code = 3


class ExpectationError(RefusedError):
    """An expectation suite did not pass."""


class GateError(RefusedError):
    """A rule of the release gate failed."""


class BusyError(MatineeError):
    """Another night holds the lease."""

    exit_code = 4


class IntegrityError(MatineeError):
    """Something written does not verify, or counts do not reconcile."""

    exit_code = 5


class StorageError(MatineeError):
    """A disk or store could not be read or written."""

    exit_code = 6


class InterruptError(MatineeError):
    """The user pressed Ctrl-C."""

    exit_code = 130
