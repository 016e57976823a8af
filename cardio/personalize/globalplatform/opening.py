"""Opening a secure channel (PERS §2.1)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cardio.apdu.command import Command, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform_status import EXTERNAL_AUTHENTICATE, INITIALIZE_UPDATE
from cardio.apdu.tlv import find_ber
from cardio.crypto.globalplatform.keys import DIVERSIFICATION_SIZE, CardKeySource, KeyType, StaticKeys
from cardio.crypto.globalplatform.scp02 import USUAL_OPTIONS, Scp02Options, Scp02Session
from cardio.crypto.globalplatform.scp03 import COUNTER_SIZE, S8, S16, Scp03Options, Scp03Session
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.errors import CardDataInvalid, CardKeysDiffer, OperationUnsupported
from cardio.personalize.globalplatform.channel import SecureConnection

KEY_INFORMATION = DIVERSIFICATION_SIZE
"""Place of key version and protocol in the answer to INITIALIZE UPDATE."""
CARD_LOCKED = 0x6283
"""Warning of SELECT."""
SCP02, SCP03 = 0x02, 0x03
SCP02_SIZE, SCP02_CHALLENGE = 28, 6


@dataclass(frozen=True)
class ChannelChoices:
    """What a card does not tell by itself.

    Attributes:
        version: Key version to ask for, 01 to FF; 00 leaves it to the card.
        scp02: Implementation options of an SCP02 card, from its card data (`card_data.CardData`).
        size: Bytes of the challenges: 8, or 16 for an SCP03 card in mode S16.
        random: Source of the host challenge, replaceable for vectors.
    """

    version: int = 0
    scp02: Scp02Options = USUAL_OPTIONS
    size: int = S8
    random: Callable[[int], bytes] = secrets.token_bytes

    def __post_init__(self) -> None:
        if self.size not in {S8, S16}:
            raise ValueError("challenges have 8 or 16 bytes")


def select_security_domain(connection: CardConnection, name: bytes = b"") -> bytes:
    """Select a security domain and return its AID as the card tells it; without a name the issuer's.

    A locked card warns by 6283 and lets its security domain be selected all the same, to be unlocked.

    Raises:
        CardError: The card refuses.
        CardDataInvalid: Its answer has no AID.
    """
    command = select_name(name)
    response = connection.send(command)
    if not response.ok and response.sw != CARD_LOCKED:
        raise command.outcomes.error(response.sw, command.name)
    told = find_ber(response.data, 0x6F, 0x84) or name
    if not told:
        raise CardDataInvalid("the answer to SELECT has no AID")
    return told


def open_channel(
    connection: CardConnection,
    keys: CardKeySource,
    level: SecurityLevel,
    choices: ChannelChoices | None = None,
) -> SecureConnection:
    """Authenticate both ways and open a channel with the selected security domain.

    The card proves first that it has the same keys. If it does not, nothing is sent: a wrong cryptogram of ours would
    cost a try, and after three to ten of them many cards are locked for ever.

    Args:
        connection: Connection to the card.
        keys: Its keys, or master keys of many cards.
        level: What will be protected.
        choices: What the card does not tell.

    Raises:
        CardKeysDiffer: The card has other keys; no try was spent.
        SecureChannelRefused: The card refuses ours although its own proof was right.
        AuthenticationBlocked: The card takes no authentication any more.
        OperationUnsupported: The card's protocol or options do not have this level.
        CardDataInvalid: Its answer is malformed.
    """
    choices = choices or ChannelChoices()
    challenge = choices.random(choices.size)
    answer = connection.call(initialize_update(challenge, choices.version))
    if len(answer) < KEY_INFORMATION + 3:
        raise CardDataInvalid(f"INITIALIZE UPDATE answered {len(answer)} bytes")
    told = answer[:DIVERSIFICATION_SIZE]
    static = keys.for_card(told)
    session, cryptogram = _session(static, challenge, answer, choices)
    if not session.allows(level):
        raise OperationUnsupported(f"this card's SCP0{session.protocol} has no security level {level:02X}")
    if not hmac.compare_digest(session.card_cryptogram, cryptogram):
        raise CardKeysDiffer(f"card cryptogram is wrong, the card used key version {answer[KEY_INFORMATION]:02X}")
    connection.call(external_authenticate(session, level))
    session.begin(level)
    return SecureConnection(connection, session, told)


def initialize_update(host_challenge: bytes, version: int = 0) -> Command:
    """INITIALIZE UPDATE with a host challenge of 8 or 16 bytes."""
    return Command("INITIALIZE UPDATE", 0x80, 0x50, version, 0x00, host_challenge, 0, INITIALIZE_UPDATE)


def external_authenticate(session: Session, level: SecurityLevel) -> Command:
    """EXTERNAL AUTHENTICATE; moves the session on."""
    header, data = session.protect(bytes([0x80, 0x82, level, 0x00]), session.host_cryptogram)
    cla, ins, p1, p2 = header
    return Command("EXTERNAL AUTHENTICATE", cla, ins, p1, p2, data, outcomes=EXTERNAL_AUTHENTICATE, repeatable=False)


def _session(static: StaticKeys, challenge: bytes, answer: bytes, choices: ChannelChoices) -> tuple[Session, bytes]:
    """This end of the channel, and the card's cryptogram."""
    protocol = answer[KEY_INFORMATION + 1]
    if protocol == SCP02:
        return _scp02(static, challenge, answer, choices.scp02)
    if protocol == SCP03:
        return _scp03(static, challenge, answer)
    raise OperationUnsupported(f"secure channel protocol {protocol:02X}")


def _scp02(static: StaticKeys, challenge: bytes, answer: bytes, options: Scp02Options) -> tuple[Session, bytes]:
    if not options.explicit:
        raise OperationUnsupported(f"SCP02 with i={options.i:02X}: channels that begin without INITIALIZE UPDATE")
    if len(answer) != SCP02_SIZE or len(challenge) != S8:
        raise CardDataInvalid(f"INITIALIZE UPDATE answered {len(answer)} bytes to {len(challenge)}, no SCP02")
    _need_type(static, KeyType.TRIPLE_DES)
    place = KEY_INFORMATION + 2
    sequence = int.from_bytes(answer[place : place + 2], "big")
    card_challenge = answer[place + 2 : place + 2 + SCP02_CHALLENGE]
    session = Scp02Session(static, challenge, sequence, card_challenge, options)
    return session, answer[-session.mac_size :]


def _scp03(static: StaticKeys, challenge: bytes, answer: bytes) -> tuple[Session, bytes]:
    place, size = KEY_INFORMATION + 3, len(challenge)
    options = Scp03Options(answer[place - 1])
    counted = COUNTER_SIZE if options.pseudo_random else 0
    if len(answer) != place + 2 * size + counted:
        raise CardDataInvalid(f"INITIALIZE UPDATE answered {len(answer)} bytes to {size}, no SCP03 i={options.i:02X}")
    _need_type(static, KeyType.AES)
    session = Scp03Session(static, challenge, answer[place : place + size], options)
    return session, answer[place + size : place + 2 * size]


def _need_type(static: StaticKeys, wanted: KeyType) -> None:
    if static.type is not wanted:
        raise CardKeysDiffer(f"the card wants {wanted.name} keys, these are {static.type.name}")
