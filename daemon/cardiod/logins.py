"""Logins of the console: by a one-time address, for one browser, without cookies (OPS §4.7, §4.13)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cardio.errors import LoginInvalid
from cardio.ledger.ledger import now
from cardiod.settings import Scope, hash_token

CODE_LIFE = timedelta(minutes=15)
SESSION_LIFE = timedelta(hours=12)
"""A shift, with the time to hand it over."""
CONSOLE = "console"
"""Name of the console in the journal."""
CONSOLE_SCOPES = frozenset(
    {Scope.READ_CARD, Scope.EVENTS, Scope.SHIFT, Scope.BATCH, Scope.RESOLVE, Scope.REVERSE, Scope.PIN}
)
"""A console looks, recovers, resolves and closes; it charges nobody."""


def console_address(url: str, code: str) -> str:
    """The one-time address of a code; browsers keep what is behind the # to themselves."""
    return f"{url}/#login={code}"


@dataclass(frozen=True)
class Session:
    """A login.

    Attributes:
        token: Bearer token, known to the browser only.
        expires: When it ends.
    """

    token: str
    expires: datetime


class Logins:
    """One-time codes and the sessions that they opened; in memory, so that a restart ends them all."""

    def __init__(self) -> None:
        self._codes: dict[str, datetime] = {}
        self._sessions: dict[str, datetime] = {}

    def new_code(self) -> str:
        """A code for one login within `CODE_LIFE`."""
        code = secrets.token_urlsafe(24)
        self._codes[hash_token(code)] = now() + CODE_LIFE
        return code

    def login(self, code: str) -> Session:
        """Open a session; the code is worthless from now on.

        Raises:
            LoginInvalid: The code was never made, was used, or has expired.
        """
        expires = self._codes.pop(hash_token(code), None)
        if expires is None or expires < now():
            raise LoginInvalid
        session = Session(secrets.token_urlsafe(32), now() + SESSION_LIFE)
        self._sessions = {known: end for known, end in self._sessions.items() if end > now()}
        self._sessions[hash_token(session.token)] = session.expires
        return session

    def knows(self, token: str) -> bool:
        """Whether a token is that of a session which has not ended."""
        expires = self._sessions.get(hash_token(token))
        return expires is not None and expires > now()

    def logout(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(hash_token(token), None)
