"""The card's end of a secure channel: key sets, authentication, and the counter that locks it (PERS §2.1 to §2.3)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cardio.crypto.globalplatform.keys import StaticKeys
from cardio.crypto.globalplatform.scp02 import COUNTER_LIMIT, Scp02Keys, Scp02Options, Scp02Session
from cardio.crypto.globalplatform.scp03 import S8, Scp03Options, Scp03Session, card_challenge
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.errors import SecureChannelBroken
from cardio.virtual.chip import Chip
from cardio.virtual.received import Received, Status

MAX_FAILURES = 10
"""Failed EXTERNAL AUTHENTICATEs in a row that lock a card for ever: the most that real cards allow (PERS §2.5)."""
Options = Scp02Options | Scp03Options


@dataclass
class KeySet:
    """Keys of a security domain.

    Attributes:
        keys: Their values.
        sequence: Counter of its channels, of 2 bytes in SCP02 and 3 in SCP03.
    """

    keys: StaticKeys
    sequence: int = 0


class CardChannel:
    """Authentication and protection of a security domain's commands.

    The sequence counter moves when the C-MAC of EXTERNAL AUTHENTICATE was right. PERS §2.2 says so of SCP02; that it
    is the same in SCP03 is a PROJECT CHOICE.

    Args:
        chip: The card.
        security_domain: AID of the security domain.
        options: Protocol and its implementation options.
        size: Bytes of the challenges, 8 or 16; 16 for SCP03 only.
        diversification_data: 10 bytes.

    Attributes:
        key_sets: Key sets by version; the first one answers to version 00.
        failures: Failed authentications since the last right one.
    """

    def __init__(
        self, chip: Chip, security_domain: bytes, options: Options, size: int, diversification_data: bytes
    ) -> None:
        self.options = options
        self.key_sets: dict[int, KeySet] = {}
        self.failures = 0
        self.diversification_data = diversification_data
        self._chip = chip
        self._security_domain = security_domain
        self._size = size
        self._session: Session | None = None
        self._key_set: KeySet | None = None
        self._level: SecurityLevel | None = None

    def reset(self) -> None:
        """End the channel."""
        self._session = self._key_set = self._level = None

    @property
    def level(self) -> SecurityLevel | None:
        """Security level of the open channel; None if there is none."""
        return self._level

    @property
    def session(self) -> Session:
        """The open channel.

        Raises:
            Status: 6982, there is none.
        """
        if self._session is None or self._level is None:
            raise Status(0x6982)
        return self._session

    # ---- opening ---------------------------------------------------------------------------------------------

    def initialize_update(self, command: Received) -> bytes:
        """INITIALIZE UPDATE: ends the channel before and begins the next.

        Raises:
            Status: 6983 locked, 6A88 no such key set, 6985 its counter is at the end, 6700, 6A86.
        """
        self.reset()
        self._need_tries()
        if command.p2:
            raise Status(0x6A86)
        command.need(self._size)
        version = command.p1 or next(iter(self.key_sets))
        key_set = self.key_sets.get(version)
        if key_set is None:
            raise Status(0x6A88)
        self._key_set = key_set
        told = self.diversification_data + bytes([version])
        if isinstance(self.options, Scp02Options):
            return told + self._begin_scp02(command.data, key_set, self.options)
        return told + self._begin_scp03(command.data, key_set, self.options)

    def _begin_scp02(self, host_challenge: bytes, key_set: KeySet, options: Scp02Options) -> bytes:
        if key_set.sequence >= COUNTER_LIMIT:
            raise Status(0x6985)
        if options.pseudo_random:
            keys = Scp02Keys.derive(key_set.keys, key_set.sequence, options)
            challenge = keys.card_challenge(self._security_domain)
        else:
            challenge = self._chip.random(6)
        session = Scp02Session(key_set.keys, host_challenge, key_set.sequence, challenge, options)
        self._session = session
        return b"\x02" + key_set.sequence.to_bytes(2, "big") + challenge + session.card_cryptogram

    def _begin_scp03(self, host_challenge: bytes, key_set: KeySet, options: Scp03Options) -> bytes:
        counter = key_set.sequence.to_bytes(3, "big") if options.pseudo_random else b""
        if options.pseudo_random:
            challenge = card_challenge(key_set.keys, key_set.sequence, self._security_domain, self._size)
        else:
            challenge = self._chip.random(self._size)
        session = Scp03Session(key_set.keys, host_challenge, challenge, options)
        self._session = session
        return bytes([0x03, options.i]) + challenge + session.card_cryptogram + counter

    def external_authenticate(self, command: Received) -> None:
        """EXTERNAL AUTHENTICATE: opens the channel, or spends a try.

        Raises:
            Status: 6983 locked, 6985 no INITIALIZE UPDATE before, 6A86 no such level, 6700; 6300 and 6982 wrong
                cryptogram and MAC, which cost a try.
        """
        session, key_set = self._session, self._key_set
        opened = self._level is not None
        self.reset()
        self._need_tries()
        if session is None or key_set is None or opened:
            raise Status(0x6985)
        if command.p2 or command.p1 not in session.levels or not session.allows(SecurityLevel(command.p1)):
            raise Status(0x6A86)
        command.need(2 * session.mac_size)
        try:
            _, cryptogram = session.unprotect(_header(command), command.data)
        except SecureChannelBroken:
            self._fail()
            raise Status(0x6982) from None
        if not hmac.compare_digest(cryptogram, session.host_cryptogram):
            self._fail()
            raise Status(0x6300)

        def write() -> None:
            key_set.sequence += 1
            self.failures = 0

        self._chip.commit(write)
        self._level = SecurityLevel(command.p1)
        session.begin(self._level)
        self._session, self._key_set = session, key_set

    def _need_tries(self) -> None:
        if self.failures >= MAX_FAILURES:
            raise Status(0x6983)

    def _fail(self) -> None:
        def write() -> None:
            self.failures += 1

        self._chip.commit(write)

    # ---- commands --------------------------------------------------------------------------------------------

    def unprotect(self, command: Received) -> Received:
        """Check a command and take its protection off; outside a channel it must have none.

        Raises:
            Status: 6982 the protection is missing or wrong; the channel is over.
        """
        if self._session is None or self._level is None:
            if command.protected:
                raise Status(0x6982)
            return command
        try:
            header, data = self._session.unprotect(_header(command), command.data)
        except SecureChannelBroken:
            self.reset()
            raise Status(0x6982) from None
        return Received(header[0], header[1], header[2], header[3], data, command.le)

    def seal(self, data: bytes, sw: int) -> bytes:
        """Protect an answer as the channel wants it; outside a channel it stays as it is."""
        if self._session is None or self._level is None:
            return data
        return self._session.seal(data, sw)


def _header(command: Received) -> bytes:
    return bytes([command.cla, command.ins, command.p1, command.p2])


def challenge_size(options: Options, size: int) -> int:
    """Insist on a challenge size that the protocol has.

    Raises:
        ValueError: It has not.
    """
    if size != S8 and isinstance(options, Scp02Options):
        raise ValueError("SCP02 has challenges of 8 bytes")
    return size
