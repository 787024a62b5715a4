"""Who refused what, read again whenever the list of withdrawals changed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property

from matinee.errors import MatineeError
from matinee.rights import consent, withdrawals
from matinee.settings import Settings


@dataclass
class Refusals:
    """The list of withdrawals of a home; without a readable list everybody is taken to refuse."""

    settings: Settings
    _signature: tuple[int, ...] | None = None
    _list: withdrawals.Withdrawals | None = field(default=None)
    problem: str = ""
    """Why the list cannot be used; '' when it can."""

    @cached_property
    def _path(self) -> str:
        return str(self.settings.home / withdrawals.FILE)

    def refresh(self) -> None:
        """Read the list if its file is another one than before."""
        try:
            status = os.stat(self._path)
            signature: tuple[int, ...] = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            signature = ()
        if signature == self._signature:
            return
        try:
            self._list, self.problem = consent.read(self.settings), ""
        except MatineeError as error:
            self._list, self.problem = None, str(error)
        self._signature = signature

    def refused(self, member_id: str, purpose: str = consent.PERSONALISATION) -> bool:
        """Whether a member refused a purpose."""
        self.refresh()
        return self._list is None or self._list.includes(member_id, purpose)
