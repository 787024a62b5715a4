"""Commands run in this process as from a shell, and how many cases of a kind are made."""

import contextlib
import io
import os
import sys
import traceback
from dataclasses import dataclass

import pytest

from matinee import cli

LONG = os.environ.get("MATINEE_ATTACKS") == "long"
"""Whether many more cases of each kind are made: `make attack-long`."""


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def crash(self):
        """What no command may do, or None: a traceback, or a character that controls a terminal."""
        if self.code == CRASHED:
            return self.err.strip().splitlines()[-1]
        raw = [one for one in self.out + self.err if not (one.isprintable() or one == "\n")]
        return f"raw {raw[0]!a} in the output" if raw else None


CRASHED = 1
"""As Python exits after a traceback; no error of ours has this code."""


def command(home, *arguments, **environment):
    """Run `matinee` in this process as a shell would."""
    out, err = io.StringIO(), io.StringIO()
    variables = {"MATINEE_HOME": str(home), "COLUMNS": "200"} | environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["matinee", *map(str, arguments)])
        for name, value in variables.items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:
                traceback.print_exc(file=err)
                code = CRASHED
    return Done(code, out.getvalue(), err.getvalue())
