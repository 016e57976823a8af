"""Configuration of the daemon: one TOML file, every key also as `CARDIO_…`; unknown keys are errors."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import tomllib
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from platformdirs import user_runtime_path, user_state_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from cardio.errors import InputInvalid
from cardio.ledger.admission import AdmissionLimits
from cardio.ledger.privacy import Retention
from cardiod.sections import (
    DisplaySection,
    HsmSection,
    KeyringSection,
    LoadHostSection,
    SerialReaderSection,
    TerminalSection,
    distinct_readers,
)

SYSTEM_CONFIG = Path("/etc/cardio/cardiod.toml")
SYSTEM_SOCKET = Path("/run/cardio/cardio.sock")
DEFAULT_PORT = 7816
ORIGIN_PATTERN = r"^https?://[a-z0-9.\-\[\]:]+$"
"""What browsers send as Origin: scheme and host in lower case, no path; `null` and `*` do not fit."""

Origin = Annotated[str, Field(pattern=ORIGIN_PATTERN)]
Fen = Annotated[int, Field(ge=1)]
ClientName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class Scope(StrEnum):
    """What a caller may do (OPS §4.7)."""

    READ_CARD = "read-card"
    READ_PERSON = "read-person"
    PIN = "pin"
    DEBIT = "debit"
    LOAD = "load"
    REVERSE = "reverse"
    SETTLE = "settle"
    SHIFT = "shift"
    BATCH = "batch"
    EVENTS = "events"
    HOTLIST = "hotlist"
    ADMIN = "admin"
    RESOLVE = "resolve"


CASHIER = frozenset(Scope) - {Scope.HOTLIST, Scope.ADMIN, Scope.RESOLVE}
"""What a caller may do of whom nothing else is said: the work of a till, not of its supervisor."""


class Limits(BaseModel):
    """How much money a caller may move; None is no limit of its own.

    Attributes:
        max_amount_fen: In one request, in fen.
        max_day_fen: In one day of the terminal, in fen, in either direction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_amount_fen: Fen | None = None
    max_day_fen: Fen | None = None

    @property
    def none(self) -> bool:
        """Whether there is no limit at all."""
        return self.max_amount_fen is None and self.max_day_fen is None


class PeerRule(Limits):
    """A caller that is known without a token: by its user, its group, or its certificate. The first that fits holds.

    Attributes:
        user: Name or number of the user of a program on the Unix socket.
        group: Name or number of one of that program's groups.
        certificate: Common name of the client certificate of a program on the LAN.
        client: Name in the journal; the user's or certificate's own if empty.
        scopes: What it may do.
    """

    user: str = ""
    group: str = ""
    certificate: str = ""
    client: ClientName | None = None
    scopes: frozenset[Scope] = CASHIER

    @model_validator(mode="after")
    def _one_mark(self) -> Self:
        if sum(bool(mark) for mark in (self.user, self.group, self.certificate)) != 1:
            raise ValueError("name one of user, group and certificate")
        return self


NOBODY_ELSE = (PeerRule(user="root", scopes=frozenset(Scope)), PeerRule(group="cardio"))
"""Without configuration only root and the group `cardio` are answered on the Unix socket (T-19)."""


class Settings(BaseSettings):
    """Settings of `cardiod serve`.

    Attributes:
        host: Address to listen on; loopback only. With 127.0.0.1 also ::1 is served.
        port: TCP port.
        hosts: Names by which callers may address this service; others are refused (DNS rebinding, OPS §4.7).
        origins: Web pages, as `https://his.example`, from which any caller may be called. A token may bring one more.
        socket: Unix socket for programs of this computer; empty for none.
        socket_group: Group that may connect to it, beside the daemon's own user; if there is such a group.
        peers: Who is known without a token.
        tls_listen: Address and port for programs on the LAN, as `0.0.0.0:7817`; nothing listens there if empty.
        tls_certificate: PEM file of our certificate, with its chain.
        tls_key: PEM file of its key, or `credential:NAME`; not readable for everybody.
        tls_client_ca: PEM file of the authority whose client certificates are accepted.
        sam: Part of the name of the reader with the PSAM; found by itself if empty.
        terminal: What cards are told about the terminal when no PSAM serves.
        hsm: Keys in an HSM; they serve when no PSAM can.
        keyring: Keys in a file; they serve when neither PSAM nor HSM can.
        load_host: The host that authorizes loads; without it nothing is loaded.
        serial_readers: Readers and SAM boxes at serial ports, beside those of PC/SC.
        display: Customer display at a serial port.
        journal: SQLite file of the journal; in systemd's state folder of the service, if it names one.
        tokens: File of the bearer tokens that `cardiod token` makes; beside the journal if missing.
        profiles: Folders with more card products.
        token_sha256: SHA-256 of one more bearer token, hex.
        client: Name under which that token's holder is journalled.
        scopes: What that token allows.
        rate_per_s: Requests a second that one client may send in the long run.
        rate_burst: Requests that it may send at once after a silence.
        storage_min_free_mb: Nothing new is charged while less is free on the journal's disk, in 1 000 000 bytes.
        storage_min_free_percent: Nor while a smaller part of that disk is free.
        clock_tolerance_s: Nor while the clock is further behind the journal.
        retention_personal_days: Days after which the card numbers of transactions are destroyed; 1096 are three years.
        retention_access_log_days: Days after which it is forgotten who read personal data.
        retention_backup_days: Days after which backups of the journal from before a migration are removed.
        log_level: What is worth a line in the log, at least.
    """

    model_config = SettingsConfigDict(env_prefix="CARDIO_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(DEFAULT_PORT, ge=0, le=65535)
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    origins: tuple[Origin, ...] = ()
    socket: Path | None = Field(default_factory=lambda: _default_socket())
    socket_group: str = "cardio"
    peers: tuple[PeerRule, ...] = NOBODY_ELSE
    tls_listen: str = Field("", pattern=r"^(.+:[0-9]{1,5})?$")
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    sam: str = ""
    terminal: TerminalSection = Field(default_factory=TerminalSection)
    hsm: HsmSection | None = None
    keyring: KeyringSection | None = None
    load_host: LoadHostSection | None = None
    serial_readers: Annotated[tuple[SerialReaderSection, ...], AfterValidator(distinct_readers)] = ()
    display: DisplaySection | None = None
    journal: Path = Field(default_factory=lambda: _state_folder() / "journal.db")
    tokens: Path | None = None
    profiles: Annotated[tuple[Path, ...], NoDecode] = ()
    token_sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    client: ClientName = "cashier"
    scopes: frozenset[Scope] = CASHIER
    rate_per_s: float = Field(50.0, gt=0)
    rate_burst: int = Field(200, ge=1)
    storage_min_free_mb: int = Field(200, ge=0)
    storage_min_free_percent: float = Field(5.0, ge=0, lt=100)
    clock_tolerance_s: float = Field(10.0, ge=0)
    retention_personal_days: int = Field(1096, ge=1)
    retention_access_log_days: int = Field(1096, ge=1)
    retention_backup_days: int = Field(30, ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("profiles", mode="before")
    @classmethod
    def _folders(cls, value: object) -> object:
        """A variable holds folders as PATH does, the same for the daemon and the commands."""
        return tuple(Path(part) for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("socket", "tokens", "tls_certificate", "tls_key", "tls_client_ca", mode="before")
    @classmethod
    def _no_file(cls, value: object) -> object:
        """TOML and variables have no None."""
        return None if value == "" else value

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        """Whoever is elsewhere comes with a certificate, through `tls_listen`."""
        if not ipaddress.ip_address(value).is_loopback:
            raise ValueError("only a loopback address is served without TLS; for the LAN there is tls_listen")
        return value

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        files = (self.tls_certificate, self.tls_key, self.tls_client_ca)
        if self.tls_listen and not all(files):
            raise ValueError("tls_listen needs tls_certificate, tls_key and tls_client_ca")
        return self

    @property
    def limits(self) -> AdmissionLimits:
        """When nothing new is charged any more."""
        return AdmissionLimits(
            min_free_bytes=self.storage_min_free_mb * 1_000_000,
            min_free_share=self.storage_min_free_percent / 100,
            clock_tolerance=timedelta(seconds=self.clock_tolerance_s),
        )

    @property
    def retention(self) -> Retention:
        """How long personal data are kept."""
        return Retention(self.retention_personal_days, self.retention_access_log_days, self.retention_backup_days)

    @property
    def tokens_file(self) -> Path:
        """Where the tokens are."""
        return self.tokens or self.journal.with_name("tokens.json")


def _state_folder() -> Path:
    """The folder that systemd made for the service; elsewhere the user's own."""
    named = os.environ.get("STATE_DIRECTORY", "")
    return Path(named) if named else user_state_path("cardio")


def _default_socket() -> Path:
    """The system's place for a service; a place of the user's own for whoever may not write there."""
    system = os.geteuid() == 0 or os.access(SYSTEM_SOCKET.parent, os.W_OK)
    return SYSTEM_SOCKET if system else user_runtime_path("cardio") / SYSTEM_SOCKET.name


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
    except SettingsError as error:
        raise InputInvalid(f"environment: {error}") from error
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(str(part) for part in found['loc']) or 'configuration'}: {found['msg']}"
            for found in error.errors()
        )
        raise InputInvalid(f"{path} or environment: {reasons}") from error


def loopback_url(host: str, port: int) -> str:
    """Base address of a daemon for callers of the same computer."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def hash_token(token: str) -> str:
    """What is stored of a bearer token.

    A plain hash is enough: tokens are random 32 bytes that nobody chose, so there is no dictionary to try, which is all
    that a slow hash such as scrypt would hinder. It would cost every request its time instead.
    """
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
