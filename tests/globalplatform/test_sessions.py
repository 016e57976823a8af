"""Both ends of a channel understand each other at every level, and neither takes what was changed on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yubikit.core.smartcard.scp import KeyRef, Scp03KeyParams, ScpState
from yubikit.core.smartcard.scp import StaticKeys as YubikitKeys

from cardio.crypto.globalplatform.keys import KeyType, StaticKeys
from cardio.crypto.globalplatform.scp03 import Scp03Options, Scp03Session
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.errors import SecureChannelBroken
from tests.globalplatform.channels import C_DEC, C_MAC, FULL, MAKERS, SCP03


def modes(part: SecurityLevel = SecurityLevel.NONE) -> pytest.MarkDecorator:
    """All protocols and modes with all their levels that protect this."""
    found = [
        pytest.param(make, SecurityLevel(level), id=f"{name} {level:02X}")
        for name, make in MAKERS
        for level in sorted(make().levels)
        if level & part == part and make().allows(SecurityLevel(level))
    ]
    return pytest.mark.parametrize(("make", "level"), found)


HEADERS = st.tuples(st.sampled_from([0x00, 0x80]), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)).map(
    bytes
)
ANSWERS = st.binary(max_size=200)
STATUSES = st.sampled_from([0x9000, 0x6310, 0x6283, 0x6A88, 0x6985])
Make = Callable[[], Session]


def pair(make: Make, level: SecurityLevel) -> tuple[Session, Session]:
    """Terminal and card after EXTERNAL AUTHENTICATE."""
    terminal, card = make(), make()
    header, data = terminal.protect(bytes([0x80, 0x82, level, 0x00]), terminal.host_cryptogram)
    assert card.unprotect(header, data)[1] == card.host_cryptogram
    terminal.begin(level)
    card.begin(level)
    return terminal, card


@modes()
@given(exchanges=st.lists(st.tuples(HEADERS, st.binary(max_size=220), ANSWERS, STATUSES), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_what_is_protected_comes_out_as_it_was(
    make: Make, level: SecurityLevel, exchanges: list[tuple[bytes, bytes, bytes, int]]
) -> None:
    terminal, card = pair(make, level)
    for header, data, answer, sw in exchanges:
        assert card.unprotect(*terminal.protect(header, data)) == (header, data)
        assert terminal.open(card.seal(answer, sw), sw) == answer


@modes(SecurityLevel.C_MAC)
def test_every_changed_byte_of_a_command_is_refused(make: Make, level: SecurityLevel) -> None:
    header, data = pair(make, level)[0].protect(bytes.fromhex("80F24002"), bytes.fromhex("4F00"))
    sent = header + data
    for place in range(len(sent)):
        changed = bytearray(sent)
        changed[place] ^= 0x10
        card = pair(make, level)[1]
        with pytest.raises(SecureChannelBroken):
            card.unprotect(bytes(changed[:4]), bytes(changed[4:]))


@modes(SecurityLevel.R_MAC)
def test_every_changed_byte_of_an_answer_is_refused(make: Make, level: SecurityLevel) -> None:
    def asked() -> tuple[Session, Session]:
        terminal, card = pair(make, level)
        card.unprotect(*terminal.protect(bytes.fromhex("80F24002"), bytes.fromhex("4F00")))
        return terminal, card

    sealed = asked()[1].seal(bytes.fromhex("E3054F03010203"), 0x9000)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 0x10
        with pytest.raises(SecureChannelBroken):
            asked()[0].open(bytes(changed), 0x9000)
    with pytest.raises(SecureChannelBroken):
        asked()[0].open(sealed, 0x6310)
    with pytest.raises(SecureChannelBroken):
        asked()[0].open(sealed[-4:], 0x9000)
    # As if the card had no MAC to give.
    with pytest.raises(SecureChannelBroken):
        asked()[0].open(b"", 0x9000)


@pytest.mark.parametrize("make", [make for _, make in MAKERS], ids=[name for name, _ in MAKERS])
def test_a_command_that_was_sent_before_is_refused(make: Make) -> None:
    terminal, card = pair(make, C_MAC)
    sent = terminal.protect(bytes.fromhex("80F24002"), bytes.fromhex("4F00"))
    card.unprotect(*sent)
    with pytest.raises(SecureChannelBroken):
        card.unprotect(*sent)


@modes()
def test_the_longest_command_fits_and_one_byte_more_is_not_sent(make: Make, level: SecurityLevel) -> None:
    terminal, card = pair(make, level)
    data = bytes(terminal.capacity)
    header, sent = terminal.protect(bytes.fromhex("80E80000"), data)
    assert len(sent) <= 255
    assert card.unprotect(header, sent)[1] == data
    with pytest.raises(ValueError, match="do not fit"):
        terminal.protect(bytes.fromhex("80E80001"), data + b"\x00")
    # The refused one has not moved the channel on.
    assert card.unprotect(*terminal.protect(bytes.fromhex("80E80001"), b"\x01"))[1] == b"\x01"


def test_the_logical_channel_is_no_part_of_the_mac() -> None:
    for _, make in MAKERS:
        terminal, card = pair(make, C_MAC)
        header, data = terminal.protect(bytes.fromhex("81F24002"), b"")
        assert header[0] == 0x85
        assert card.unprotect(b"\x84" + header[1:], data)[1] == b""


@pytest.mark.parametrize(
    ("i", "levels"),
    [
        (0x00, {0x00, 0x01, 0x03}),
        (0x10, {0x00, 0x01, 0x03}),
        (0x20, {0x00, 0x01, 0x03, 0x11, 0x13}),
        (0x30, {0x00, 0x01, 0x03, 0x11, 0x13}),
        (0x60, {0x00, 0x01, 0x03, 0x11, 0x13, 0x33}),
        (0x70, {0x00, 0x01, 0x03, 0x11, 0x13, 0x33}),
    ],
)
def test_options_of_scp03_say_which_levels_there_are(i: int, levels: set[int]) -> None:
    keys = StaticKeys(bytes(16), bytes(16), bytes(16), type=KeyType.AES)
    session = Scp03Session(keys, bytes(8), bytes(8), Scp03Options(i))
    assert {level for level in range(0x40) if session.allows(SecurityLevel(level))} == levels


# ---- yubikit, another implementation of SCP03 (AES-128, S8) ---------------------------------------------------------

KEY = st.binary(min_size=16, max_size=16)
CHALLENGE = st.binary(min_size=8, max_size=8)


@given(enc=KEY, mac=KEY, host=CHALLENGE, card=CHALLENGE, sent=st.lists(st.binary(min_size=1, max_size=200), max_size=4))
@settings(max_examples=60, deadline=None)
def test_yubikit_and_we_send_the_same(enc: bytes, mac: bytes, host: bytes, card: bytes, sent: list[bytes]) -> None:
    keys = StaticKeys(enc, mac, bytes(16), type=KeyType.AES)
    ours, other = (Scp03Session(keys, host, card, SCP03) for _ in range(2))

    def initialize(cla: int, ins: int, p1: int, p2: int, data: bytes) -> bytes:
        assert (cla, ins, data) == (0x80, 0x50, host)
        return bytes(10) + bytes([p1, 0x03, 0x70]) + card + ours.card_cryptogram + bytes(3)

    parameters = Scp03KeyParams(KeyRef(1, 0x30), YubikitKeys(enc, mac))
    theirs, cryptogram = ScpState.scp03_init(initialize, parameters, host_challenge=host)
    assert cryptogram == ours.host_cryptogram
    header, data = ours.protect(bytes.fromhex("80823300"), cryptogram)
    assert data == cryptogram + theirs.mac(header + b"\x10" + cryptogram)
    other.unprotect(header, data)
    for end in (ours, other):
        end.begin(FULL)
    for plain in sent:
        header, data = ours.protect(bytes.fromhex("80E20000"), plain)
        coded = theirs.encrypt(plain)
        assert data == coded + theirs.mac(header + bytes([len(coded) + 8]) + coded)
        other.unprotect(header, data)
        sealed = other.seal(plain, 0x9000)
        assert theirs.decrypt(theirs.unmac(sealed, 0x9000)) == ours.open(sealed, 0x9000) == plain


# ---- what only a faulty end sends ------------------------------------------------------------------------------------


@modes(SecurityLevel.C_MAC)
def test_a_command_that_does_not_announce_its_protection_is_refused(make: Make, level: SecurityLevel) -> None:
    terminal, card = pair(make, level)
    header, data = terminal.protect(bytes.fromhex("80F24002"), bytes.fromhex("4F00"))
    with pytest.raises(SecureChannelBroken, match="missing"):
        card.unprotect(bytes([0x80]) + header[1:], data)


@pytest.mark.parametrize("size", [1, 15, 16])
def test_data_that_were_never_encrypted_are_refused_under_a_right_mac(size: int) -> None:
    make = dict(MAKERS)["scp03 aes-128"]
    terminal, card = pair(make, C_MAC)
    card.begin(C_DEC)
    with pytest.raises(SecureChannelBroken, match="malformed"):
        card.unprotect(*terminal.protect(bytes.fromhex("80E20000"), bytes(size)))
