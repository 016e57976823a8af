"""A security whose keys lie in the key files of their directories, and how a command is protected under one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cardio.virtual.fmcos_keys import FmcosKey, KeyFile, KeyKind
from cardio.virtual.received import Received, Status
from cardio.virtual.security import MAC_SIZE, Security
from cardio.virtual.tries import Secret

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

LINE_CHALLENGE = 4


class KeyFileSecurity(Security):
    """Keys and PINs by directory.

    Args:
        key_files: Keys by the label of their directory.
    """

    def __init__(self, key_files: Mapping[str, Iterable[FmcosKey]] | None = None) -> None:
        super().__init__()
        self.key_files = {label: KeyFile(keys) for label, keys in (key_files or {}).items()}

    @property
    def pin(self) -> Secret | None:
        """The first PIN of all key files; setting it changes that PIN, None takes it away.

        Raises:
            ValueError: No key file has a PIN to change.
        """
        return self._first_pin()

    @pin.setter
    def pin(self, pin: Secret | None) -> None:
        key = self._first_pin()
        if pin is None:
            for file in self.key_files.values():
                file.keys = [one for one in file.keys if one is not key]
        elif key is None:
            raise ValueError("no key file has a PIN")
        else:
            key.value, key.max_tries, key.tries_left = pin.value, pin.max_tries, pin.tries_left

    def _first_pin(self) -> FmcosKey | None:
        keys = (key for file in self.key_files.values() for key in file.keys)
        return next((key for key in keys if key.kind is KeyKind.PIN), None)


def unprotect(
    card: VirtualCard,
    command: Received,
    key: FmcosKey,
    challenge: bytes | None,
    *,
    wrong: int = 0x6988,
    last: Callable[[], None] | None = None,
) -> bytes:
    """Command data without their line protection MAC; checks in the order of EW §3.3.

    Args:
        card: The card.
        command: The protected command.
        key: Its key.
        challenge: The challenge that it may use.
        wrong: Status word of a wrong MAC.
        last: Change that goes with the key's last try.

    Raises:
        Status: 6983, 6984, 6987, `wrong`.
    """
    key.need_tries()
    if challenge is None or len(challenge) != LINE_CHALLENGE:
        raise Status(0x6984)
    if len(command.data) < MAC_SIZE:
        raise Status(0x6987)
    body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
    right = key.suite.line_mac(key.value, challenge, command.header() + body) == mac
    key.count(card, right=right, last=None if right else last)
    if not right:
        raise Status(wrong)
    return body


def decrypt_body(key: FmcosKey, body: bytes) -> bytes:
    """Body of a protected command without its encryption.

    Raises:
        Status: 6A80.
    """
    try:
        return key.suite.line_decrypt(key.value, body)
    except ValueError:
        raise Status(0x6A80) from None
