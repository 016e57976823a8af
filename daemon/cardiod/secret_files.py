"""Secrets of the configuration: files of their own, or credentials of systemd; never in the TOML (OPS §4.13)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from cardio.errors import InputInvalid

CREDENTIAL = "credential:"
"""Begins the name of a credential, as `LoadCredential=` in the unit gives it."""
OPEN_TO_OTHERS = 0o077


def _reference(value: str) -> str:
    """A name that can be printed; what a hasty hand put here instead of it is not repeated in the message."""
    name = value.removeprefix(CREDENTIAL)
    if value.startswith(CREDENTIAL) and name and "/" not in name:
        return value
    if Path(value).is_absolute():
        return value
    raise ValueError(f"an absolute path, or {CREDENTIAL}NAME; the secret itself has no place here")


SecretReference = Annotated[str, AfterValidator(_reference)]
"""Where a secret is: an absolute path, or `credential:NAME`."""


def read_secret(reference: str) -> str:
    """The secret in a file, without the line break at its end.

    Raises:
        InputInvalid: It cannot be read, is empty, or others may read it.
    """
    path = secret_path(reference, OPEN_TO_OTHERS)
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise InputInvalid(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        # The cause would quote the content.
        raise InputInvalid(f"{path} is not text") from None
    if not secret:
        raise InputInvalid(f"{path} is empty")
    return secret


def secret_path(reference: str, forbidden: int) -> Path:
    """The file with a secret, for a library that reads it itself.

    systemd itself keeps a credential from others, and shows its mode with the bits of an access list; that of a file is
    looked at here.

    Args:
        reference: Path, or `credential:NAME`.
        forbidden: Bits that the mode of the file must not have.

    Raises:
        InputInvalid: It is not there, or its mode has one of the bits.
    """
    if not reference.startswith(CREDENTIAL):
        path = Path(reference)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise InputInvalid(f"{path}: {error.strerror}") from error
        if mode & forbidden:
            raise InputInvalid(f"{path} is open to others; its mode may be {0o666 & ~forbidden:04o} at most")
        return path
    name = reference.removeprefix(CREDENTIAL)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise InputInvalid(f"systemd handed no credentials over; the unit needs LoadCredential={name}:FILE")
    return Path(folder) / name
