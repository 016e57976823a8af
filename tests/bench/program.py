"""The peer of cardio at the card: a straightforward program, as one would write it with pyscard and cryptography.

It knows one card of one issuer, sends hex strings, and keeps no journal: it cannot say what became of a torn debit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from smartcard.System import readers

SOCIAL_SECURITY = "7378312E73682EC9E7BBE1B1A3D5CF"
WALLET = "A00000000386980701"
TUNION = "A000000632010105"
CITIZEN_SAM, TUNION_SAM = "1001", "8011"
TEXTS = {"number": 0x08, "name": 0x09, "name extension": 0x4E, "sex": 0x0A}
DIGITS = {"ethnicity": 0x0B, "place of birth": 0x0C, "born": 0x0D}
PURCHASE, COMPOSITE = "06", "09"
ISSUER, SERIAL = slice(0, 8), slice(12, 20)
"""Where EF15 has the factors of the card's keys."""

Transmit = Callable[[bytes], bytes]


class Card:
    """A card that is sent hex strings.

    Attributes:
        commands: Commands so far, without the repeats of T=0.
        exchanges: All exchanges so far.
    """

    def __init__(self, transmit: Transmit) -> None:
        self._transmit = transmit
        self.commands = 0
        self.exchanges = 0

    def send(self, command: str) -> bytes:
        """Send a command, fetch its answer, and insist on 9000."""
        self.commands += 1
        apdu = bytes.fromhex(command)
        data, status = self._exchange(apdu)
        if status[0] == 0x6C:
            data, status = self._exchange(apdu[:4] + status[1:])
        if status[0] == 0x61:
            data, status = self._exchange(bytes.fromhex("00C00000") + status[1:])
        if status != b"\x90\x00":
            raise RuntimeError(f"{command[:8]}: {status.hex()}")
        return data

    def _exchange(self, apdu: bytes) -> tuple[bytes, bytes]:
        self.exchanges += 1
        answer = self._transmit(apdu)
        return answer[:-2], answer[-2:]


class PcscCard(Card):
    """A card in a PC/SC reader."""

    def __init__(self, reader: str) -> None:
        self.connection: Any = next(one for one in readers() if str(one) == reader).createConnection()
        self.connection.connect()
        super().__init__(self._through_pyscard)

    def _through_pyscard(self, apdu: bytes) -> bytes:
        data, sw1, sw2 = self.connection.transmit(list(apdu))
        return bytes([*data, sw1, sw2])

    def close(self) -> None:
        """Power it down, as pyscard does, and give up its context."""
        self.connection.disconnect()
        self.connection.release()


def read_holder(card: Card) -> dict[str, str]:
    """Card number and holder of a social security card 2.0, item by item."""
    card.send(f"00A404000F{SOCIAL_SECURITY}")
    found = {"card number": _item(card, 0x05, 0x07).decode("ascii")}
    for name, tag in TEXTS.items():
        found[name] = _item(card, 0x06, tag).rstrip(b"\x00").decode("gbk")
    for name, tag in DIGITS.items():
        found[name] = _item(card, 0x06, tag).hex()
    return found


def _item(card: Card, file: int, tag: int) -> bytes:
    return card.send(f"00B2{tag:02X}{file << 3:02X}00")[2:]


def balance(card: Card) -> int:
    """Fen in the wallet."""
    card.send(f"00A4040009{WALLET}00")
    return int.from_bytes(card.send("805C000204"), "big")


class Keys(Protocol):
    """Where MAC1 comes from."""

    terminal: str

    def authorize(self, opened: bytes, amount: str, kind: str, time: str, factors: list[bytes]) -> bytes:
        """Terminal sequence ‖ MAC1; factors are those of the card's key, highest authority first."""

    def check(self, mac2: bytes) -> None:
        """Insist on the card's MAC2."""


class PsamKeys:
    """A PSAM in a reader, whose terminal number is read once."""

    def __init__(self, sam: Card, application: str) -> None:
        self._sam = sam
        self.terminal = sam.send("00B0960006").hex()
        sam.send(f"00A4000002{application}")

    def authorize(self, opened: bytes, amount: str, kind: str, time: str, factors: list[bytes]) -> bytes:
        """INIT SAM FOR PURCHASE."""
        seed, key = opened[11:15] + opened[4:6], opened[9:11]
        order = seed.hex() + amount + kind + time + key.hex() + b"".join(reversed(factors)).hex()
        return self._sam.send(f"80700000{len(order) // 2:02X}{order}")

    def check(self, mac2: bytes) -> None:
        """CREDIT SAM FOR PURCHASE."""
        self._sam.send(f"8072000004{mac2.hex()}")


class SoftwareKeys:
    """A root key in the program."""

    def __init__(self, root: bytes, terminal: str) -> None:
        self._root = root
        self.terminal = terminal
        self._sequence = 0
        self._expected = b""

    def authorize(self, opened: bytes, amount: str, kind: str, time: str, factors: list[bytes]) -> bytes:
        """Diversify, make the session key, compute MAC1."""
        self._sequence += 1
        sequence = self._sequence.to_bytes(4, "big")
        key = self._root
        for factor in factors:
            key = _encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))
        session = _encrypt(key, opened[11:15] + opened[4:6] + sequence[2:])
        self._expected = _mac(session, bytes.fromhex(amount))
        return sequence + _mac(session, bytes.fromhex(amount + kind + self.terminal + time))

    def check(self, mac2: bytes) -> None:
        """Compare."""
        if mac2 != self._expected:
            raise RuntimeError("wrong MAC2")


def debit(card: Card, keys: Keys, fen: int) -> bytes:
    """A purchase from a citizen card; the TAC."""
    card.send(f"00A4040009{WALLET}00")
    public = card.send("00B095001E")
    if int.from_bytes(card.send("805C000204"), "big") < fen:
        raise RuntimeError("not enough money")
    amount, time = f"{fen:08X}", _now()
    opened = card.send(f"805001020B01{amount}{keys.terminal}0F")
    authorized = keys.authorize(opened, amount, PURCHASE, time, [public[SERIAL]])
    answer = card.send(f"805401000F{authorized[:4].hex()}{time}{authorized[4:].hex()}08")
    keys.check(answer[4:])
    return answer[:4]


def ride(card: Card, keys: Keys, fen: int) -> bytes:
    """A single ride with a T-Union card, command by command as it was measured on a bus (EW §6.1); the TAC."""
    card.send(f"00A4040008{TUNION}00")
    public = card.send("00B095001E")
    card.send("00B097003C")
    trip = card.send("00B201F430")
    if int.from_bytes(card.send("805C000204"), "big") < fen:
        raise RuntimeError("not enough money")
    amount, time = f"{fen:08X}", _now()
    opened = card.send(f"805003020B01{amount}{keys.terminal}0F")
    authorized = keys.authorize(opened, amount, COMPOSITE, time, [public[ISSUER], public[SERIAL]])
    card.send(f"80DC00F030{trip.hex()}")
    answer = card.send(f"805401000F{authorized[:4].hex()}{time}{authorized[4:].hex()}08")
    keys.check(answer[4:])
    return answer[:4]


def _now() -> str:
    return f"{datetime.now():%Y%m%d%H%M%S}"  # noqa: DTZ005 (the clock on the wall)


def _encrypt(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(TripleDES(key + key[:8]), modes.ECB()).encryptor()  # noqa: S305 (what cards use)
    return encryptor.update(data) + encryptor.finalize()


def _mac(key: bytes, data: bytes) -> bytes:
    padded = data + b"\x80" + bytes(-(len(data) + 1) % 8)
    encryptor = Cipher(TripleDES(key * 3), modes.CBC(bytes(8))).encryptor()
    return (encryptor.update(padded) + encryptor.finalize())[-8:][:4]
