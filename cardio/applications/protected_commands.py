"""Commands that prove the issuer by a MAC under a key of the card (SSC §5.5, EW §4.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import MAINTENANCE, Outcomes
from cardio.applications.authority import GET_CHALLENGE
from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardDataInvalid, MaintenanceKeysMissing, TestKeysRefused
from cardio.security.keys import Family
from cardio.security.maintenance import (
    LINE_CHALLENGE_SIZE,
    SESSION_CHALLENGE_SIZE,
    KeyOfCard,
    MaintenanceKeys,
)

CHALLENGE_SIZES = {Family.LDT: SESSION_CHALLENGE_SIZE, Family.PBOC: LINE_CHALLENGE_SIZE}


@dataclass(frozen=True)
class ProtectedCommands:
    """Sends protected commands to one card; a card that refuses one is not asked a second time.

    Attributes:
        card: The card.
        keys: Source of maintenance keys; None if the terminal has none.
        family: Whose cryptography the card has.
        algorithm: Its cipher.
        factors: Diversification factors in the order of use.
    """

    card: CardConnection
    keys: MaintenanceKeys | None
    family: Family
    algorithm: Algorithm
    factors: tuple[bytes, ...]

    def send(
        self,
        name: str,
        key: str,
        header: bytes,
        data: bytes = b"",
        *,
        encrypt: bool = False,
        outcomes: Outcomes = MAINTENANCE,
    ) -> None:
        """Ask for a challenge, and send the command under it.

        Args:
            name: Name of the command in the standard.
            key: Name of the card's key.
            header: CLA INS P1 P2.
            data: Plain data.
            encrypt: Whether they go encrypted.
            outcomes: Meaning of the status words.

        Raises:
            MaintenanceRefused: The card does not accept the MAC; nothing on it was changed.
            AuthenticationBlocked: The key is blocked by earlier wrong MACs.
            MaintenanceKeysMissing: The terminal has no such keys.
            TestKeysRefused: The keys are test keys, the card is not virtual.
            SamError: The source does not have the key, or failed.
            CardError: The card refuses otherwise.
        """
        source = self.source()
        wanted = CHALLENGE_SIZES[self.family]
        challenge = self.card.call(replace(GET_CHALLENGE, le=wanted))
        if len(challenge) != wanted:
            raise CardDataInvalid(f"GET CHALLENGE answered {len(challenge)} bytes")
        body = source.protect(self.key(key), challenge, header, data, encrypt=encrypt)
        self.call(name, header, body, outcomes)

    def call(self, name: str, header: bytes, data: bytes, outcomes: Outcomes = MAINTENANCE) -> None:
        """Send a command whose data are protected already; raises as `send` does for what the card answers."""
        cla, ins, p1, p2 = header
        self.card.call(Command(name, cla, ins, p1, p2, data=data, outcomes=outcomes, repeatable=False))

    def key(self, name: str) -> KeyOfCard:
        """A key of this card."""
        return KeyOfCard(name, self.family, self.algorithm, self.factors)

    def source(self) -> MaintenanceKeys:
        """The source of keys.

        Raises:
            MaintenanceKeysMissing: There is none.
            TestKeysRefused: It has test keys, the card is not virtual.
        """
        if self.keys is None:
            raise MaintenanceKeysMissing
        if self.keys.test and not self.card.channel.virtual:
            raise TestKeysRefused(self.keys.name)
        return self.keys
