"""Bearer tokens: made by the command line, kept as hashes in a file that a running daemon watches (OPS §4.7)."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from cardio.errors import InputInvalid, StorageUnavailable
from cardiod.settings import CASHIER, ClientName, Limits, Origin, Scope, hash_token

TOKEN_BYTES = 32
OPEN_TO_OTHERS = 0o077


class Token(Limits):
    """One token, without what only its holder knows.

    Attributes:
        name: Name of the client, under which its transactions are journalled.
        sha256: SHA-256 of the token, hex.
        scopes: What it allows.
        created: When it was made.
        expires: From when on it is worthless; None for never.
        origin: The one web page that may use it; None for programs, and for the pages of the configuration.
    """

    name: ClientName
    sha256: str
    scopes: frozenset[Scope] = CASHIER
    created: AwareDatetime
    expires: AwareDatetime | None = None
    origin: Origin | None = None

    def expired(self, at: datetime) -> bool:
        """Whether it is worthless at a time."""
        return self.expires is not None and at >= self.expires


class TokenList(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[Token, ...] = ()


class TokenFile:
    """The tokens in a file; what another process changes in it holds from the next question on.

    Args:
        path: The file; made with mode 0600 when the first token is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Token] = {}

    def find(self, token: str) -> Token | None:
        """The entry of a token; None if it is not there (any more).

        A look-up by hash tells by its time at most something about a hash, which nobody can choose.

        Raises:
            StorageUnavailable: The file cannot be read or trusted.
        """
        return self._current().get(hash_token(token))

    def all(self) -> list[Token]:
        """All tokens, by name.

        Raises:
            StorageUnavailable: The file cannot be read or trusted.
        """
        return sorted(self._current().values(), key=lambda token: token.name)

    def add(self, token: Token) -> None:
        """Keep a token.

        Raises:
            InputInvalid: There is one of that name.
            StorageUnavailable: The file cannot be written.
        """
        with self._changing() as tokens:
            if any(known.name == token.name for known in tokens):
                raise InputInvalid(f"there is a token {token.name} already; revoke it first")
            tokens.append(token)

    def revoke(self, name: str) -> None:
        """Forget a token.

        Raises:
            InputInvalid: There is none of that name.
            StorageUnavailable: The file cannot be written.
        """
        with self._changing() as tokens:
            left = [token for token in tokens if token.name != name]
            if len(left) == len(tokens):
                raise InputInvalid(f"there is no token {name}")
            tokens[:] = left

    def _current(self) -> dict[str, Token]:
        with self._lock:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._seen, self._known = None, {}
                return self._known
            except OSError as error:
                raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
            # Every change is a new file, so the inode alone tells; time and size are for those who edit by hand.
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            if mark != self._seen:
                self._known = {token.sha256: token for token in self._read().tokens}
                self._seen = mark
            return self._known

    def _read(self) -> TokenList:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & OPEN_TO_OTHERS:
                    raise StorageUnavailable(f"{self._path} is open to others; its mode must be 0600")
                return TokenList.model_validate_json(file.read())
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        except ValidationError as error:
            raise StorageUnavailable(f"{self._path} is damaged: {error.error_count()} errors") from error

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """The tokens, to be changed; no two processes do so at a time."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(
                self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise StorageUnavailable(f"{self._path.parent}: {error.strerror}") from error
        try:
            _give_to_owner_of(self._path.parent, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = self.all()
            yield tokens
            self._replace(TokenList(tokens=tuple(tokens)))
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        finally:
            os.close(lock)

    def _replace(self, content: TokenList) -> None:
        """Put a new file in the old one's place at once: a reader or a power loss finds the one or the other."""
        folder = self._path.parent
        with tempfile.NamedTemporaryFile("wb", dir=folder, prefix=self._path.name, delete=False) as file:
            try:
                _give_to_owner_of(folder, file.fileno())
                file.write(content.model_dump_json(indent=2).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self._path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    """What root makes for a daemon of another user must be that user's: the mode lets nobody else read it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def new_token() -> str:
    """A token: 32 random bytes in 43 characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)
