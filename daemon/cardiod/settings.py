"""Configuration of the daemon: one TOML file, every key also as `CARDIO_…`; unknown keys are errors."""

from __future__ import annotations

import hashlib
import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from platformdirs import user_state_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cardio.errors import InputInvalid

SYSTEM_CONFIG = Path("/etc/cardio/cardiod.toml")
DEFAULT_PORT = 7816


class Scope(StrEnum):
    """What a token allows (OPS §4.7)."""

    READ_CARD = "read-card"
    READ_PERSON = "read-person"
    DEBIT = "debit"
    SETTLE = "settle"
    LOAD = "load"


class Settings(BaseSettings):
    """Settings of `cardiod serve`.

    Attributes:
        host: Address to listen on; loopback only.
        port: TCP port.
        hosts: Names by which callers may address this service; others are refused (DNS rebinding, OPS §4.7).
        sam: Part of the name of the reader with the PSAM; found by itself if empty.
        journal: SQLite file of the journal.
        profiles: Folders with more card products.
        token_sha256: SHA-256 of the bearer token, hex; without it nobody may call.
        client: Name under which the token's holder is journalled.
        scopes: What the token allows.
    """

    model_config = SettingsConfigDict(env_prefix="CARDIO_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(DEFAULT_PORT, ge=0, le=65535)
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    sam: str = ""
    journal: Path = Field(default_factory=lambda: user_state_path("cardio") / "journal.db")
    profiles: Annotated[tuple[Path, ...], NoDecode] = ()
    token_sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    client: str = "cashier"
    scopes: frozenset[Scope] = frozenset(Scope)

    @field_validator("profiles", mode="before")
    @classmethod
    def _folders(cls, value: object) -> object:
        """A variable holds folders as PATH does, the same for the daemon and the commands."""
        return tuple(Path(part) for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


def load_settings(file: Path | None = None) -> Settings:
    """Settings from a file (default `/etc/cardio/cardiod.toml` if it is there) and the environment, which wins.

    Raises:
        InputInvalid: The file cannot be read, or a key is unknown or wrong; the detail names file, key and reason.
    """
    path = file or SYSTEM_CONFIG
    content: dict[str, object] = {}
    if file is not None or path.exists():
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputInvalid(f"{path}: {error}") from error
    by_environment = {name.removeprefix("CARDIO_").lower() for name in os.environ if name.startswith("CARDIO_")}
    try:
        return Settings(**{key: value for key, value in content.items() if key not in by_environment})  # type: ignore[arg-type]
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()
        )
        raise InputInvalid(f"{path} or environment: {reasons}") from error


def hash_token(token: str) -> str:
    """What is stored of a bearer token."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
