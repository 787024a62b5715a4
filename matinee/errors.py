"""Everything this package raises on purpose.

* MatineeError           exit code
  x ConfigError          2  a setting or an argument is missing or wrong
  x DataError            2  the data is not what its contract says
  x RefusedError         3  a gate said no; the live release is untouched
    + ExpectationError   3  an expectation suite did not pass
    + GateError          3  the new release is worse than it may be
  x BusyError            4  another night holds the lease
  x IntegrityError       5  something written does not verify, or counts do not reconcile
  x StorageError         6  a disk or store could not be read or written
  x InterruptError     130  somebody pressed Ctrl-C

Each message is one line that names the file, row or rule, and what to do.
"""

LONGEST_TOLD = 200
"""Characters of a name from outside that are enough to know it by."""


def spelt(text: str) -> str:
    """Text from outside, as a terminal or a log may show it: what obeys nobody, and on one line.

    Escape sequences, NUL and the marks that turn a line around are spelt out.

    >>> spelt("\x1b[2Jred")
    '\\\\x1b[2Jred'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def told(name: str) -> str:
    """A name from outside in a message: spelt, and cut when somebody made it endless."""
    return spelt(name if len(name) <= LONGEST_TOLD else f"{name[:LONGEST_TOLD]}…")


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
    """A gate said no; the live release is untouched."""

    exit_code = 3


class ExpectationError(RefusedError):
    """An expectation suite did not pass."""


class GateError(RefusedError):
    """The new release is worse than it may be."""


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
    """Somebody pressed Ctrl-C."""

    exit_code = 130
