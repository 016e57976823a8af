"""A real SoftHSM2 token, made for the tests of one session."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import KeyType

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
TOKEN, PIN = "test-city", "87654321"


def make_token(folder: Path, keys: Mapping[str, bytes], readable: Mapping[str, bytes]) -> None:
    """Initialize a token; SOFTHSM2_CONF names the configuration in `folder`.

    Args:
        folder: Where the token lies.
        keys: Keys that cannot be read out of it.
        readable: Keys that can be.
    """
    (folder / "tokens").mkdir()
    configuration(folder).write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    made = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--so-pin", "1234", "--pin", PIN]
    subprocess.run(made, check=True, capture_output=True)
    library = pkcs11.lib(str(MODULE))
    library.reinitialize()
    with library.get_token(token_label=TOKEN).open(user_pin=PIN, rw=True) as session:
        for label, value in keys.items():
            store(session, label, value)
        for label, value in readable.items():
            store(session, label, value, SENSITIVE=False, EXTRACTABLE=True)


def configuration(folder: Path) -> Path:
    """Configuration file of a token folder."""
    return folder / "softhsm2.conf"


def store(session: Any, label: str, value: bytes, **changes: bool) -> None:
    """Put one DES2 key into a token.

    Args:
        session: Its session.
        label: Label of the key.
        value: 16 bytes.
        changes: Attributes that are not as usual.
    """
    usual = {"TOKEN": True, "SENSITIVE": True, "EXTRACTABLE": False, "ENCRYPT": True, "DERIVE": True}
    attributes: dict[pkcs11.Attribute, Any] = {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
        pkcs11.Attribute.KEY_TYPE: KeyType.DES2,
        pkcs11.Attribute.LABEL: label,
        pkcs11.Attribute.VALUE: value,
    }
    attributes |= {pkcs11.Attribute[name]: on for name, on in (usual | changes).items()}
    session.create_object(attributes)
