"""Issuer keys of the two worked cards, byte for byte (PERS §5.2, §5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pkcs11
import pytest

from cardio.crypto.check_values import KeyAlgorithm
from cardio.crypto.ciphers import Algorithm, cipher_for
from cardio.crypto.globalplatform.keys import Diversification, KeyIdentifier, KeyType, default_test_keys
from cardio.crypto.suites import LdtSuite
from cardio.errors import KeyRejected, SamKeyMissing, TestKeysRefused
from cardio.security.card_keys import CARD_KEYS
from cardio.security.hsm import Hsm, HsmKey
from cardio.security.hsm_issuing import HsmIssuingKeys
from cardio.security.issuing import CardKeyReference, IssuingKeys, KeyringIssuingKeys, KeySetReference
from cardio.security.keyring import Keyring, RootKey
from cardio.transport.channel import ChannelAround
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual import roots
from cardio.virtual.cards import citizen_card
from cardio.virtual.issuing_keys import GP_TRANSPORT, issuer_test_keyring
from tests.security.softhsm import MODULE, PIN, store
from tests.security.worked_cards import FACTORS, SUITE, content, issuer_places, reference, rows

CHALLENGE = bytes.fromhex("C0DE0003")
RUN_TIME = [
    ("UKSSSE", "C0DE001C5A5AA51C", "C0DE001D5A5AA51D", "8706AB8B9CD583B4"),
    ("UK1DF04", "C0DE001E5A5AA51E", "C0DE001F5A5AA51F", "5E9A427427023A8B"),
    ("DSK", "C0DE00205A5AA520", "C0DE00215A5AA521", "108D6B4E804E712F"),
]


@pytest.fixture(params=["keyring", "hsm"])
def keys(request: pytest.FixtureRequest, token: str) -> Iterator[IssuingKeys]:
    """The same keys in memory and in a real token."""
    if request.param == "keyring":
        yield KeyringIssuingKeys(issuer_test_keyring())
        return
    hsm = Hsm(MODULE, token, PIN, issuer_places())
    yield HsmIssuingKeys(hsm)
    hsm.close()


@pytest.fixture
def keyring() -> IssuingKeys:
    return KeyringIssuingKeys(issuer_test_keyring())


@pytest.mark.parametrize(("card", "name", "root_kcv", "value", "kcv"), rows("key"))
def test_card_keys_are_diversified_as_specified(
    keys: IssuingKeys, card: str, name: str, root_kcv: str, value: str, kcv: str
) -> None:
    key = reference(card, name)
    assert issuer_test_keyring().check_values(key.name)[KeyAlgorithm.TRIPLE_DES].hex().upper() == root_kcv
    assert keys.kcv(key).hex().upper() == kcv
    assert keys.plain_block(b"header", key) == b"header" + bytes.fromhex(value)


@pytest.mark.parametrize(("number", "key", "challenge", "expected"), rows("authenticate"))
def test_cryptograms_open_the_card(keys: IssuingKeys, number: str, key: str, challenge: str, expected: str) -> None:
    assert keys.cryptogram(reference(number, key), bytes.fromhex(challenge)).hex().upper() == expected


@pytest.mark.parametrize(("number", "header", "key", "expected"), rows("plain"))
def test_the_first_key_of_a_blank_card_goes_in_the_clear(
    keys: IssuingKeys, number: str, header: str, key: str, expected: str
) -> None:
    assert keys.plain_block(bytes.fromhex(header), reference(number, key)).hex().upper() == expected


@pytest.mark.parametrize(("number", "master", "challenge", "command", "header", "written", "expected"), rows("write"))
def test_keys_and_pins_are_wrapped_as_the_card_expects(
    keys: IssuingKeys,
    number: str,
    master: str,
    challenge: str,
    command: str,
    header: str,
    written: str,
    expected: str,
) -> None:
    first, second, third = map(bytes.fromhex, (command, header, challenge))
    block = keys.wrapped_block(first, second, content(number, written), reference(number, master), third)
    assert block.hex().upper() == expected


@pytest.mark.parametrize(("number", "key", "challenge", "message", "mac"), rows("mac"))
def test_commands_are_protected_by_their_mac(
    keys: IssuingKeys, number: str, key: str, challenge: str, message: str, mac: str
) -> None:
    assert keys.line_mac(reference(number, key), *map(bytes.fromhex, (challenge, message))).hex().upper() == mac


@pytest.mark.parametrize(("key", "original", "challenge", "expected"), RUN_TIME)
def test_a_social_security_card_is_authenticated_at_run_time(
    keys: IssuingKeys, key: str, original: str, challenge: str, expected: str
) -> None:
    proof = keys.authentication(reference("B", key), bytes.fromhex(challenge), bytes.fromhex(original))
    assert proof.hex().upper() == expected


def test_sm4_cards_get_blocks_of_sixteen_bytes(keyring: IssuingKeys) -> None:
    suite = LdtSuite(Algorithm.SM4)
    master, key = CardKeyReference("SMK", suite, FACTORS["B"]), CardKeyReference("UKSSSE", suite, FACTORS["B"])
    header, command = bytes.fromhex("F9F0AA0833"), bytes.fromhex("84D40102")
    block = keyring.wrapped_block(command, header, key, master, CHALLENGE)
    body, mac = block[:-4], block[-4:]
    value, under = (keyring.plain_block(b"", one) for one in (key, master))
    sm4 = cipher_for(Algorithm.SM4)
    assert sm4.decrypt(under, body) == bytes([21]) + header + value + b"\x80" + bytes(9)
    message = command + bytes([len(block)]) + body + b"\x80" + bytes(10)
    assert mac == sm4.mac_chain(under, message, CHALLENGE + bytes(12))[:4]
    block8 = sm4.encrypt(under, bytes.fromhex("C0DE00015A5AA501") + bytes(8))
    expected = bytes(a ^ b for a, b in zip(block8[:8], block8[8:], strict=True))
    assert keyring.cryptogram(master, bytes.fromhex("C0DE00015A5AA501")) == expected
    assert keyring.kcv(key) == sm4.encrypt(value, bytes(16))[:3]


def test_single_des_keys_are_written_and_protect(keyring: IssuingKeys) -> None:
    transport = CardKeyReference("TRANSPORT", SUITE)
    assert keyring.kcv(transport).hex() == "caaaaf"
    header = bytes.fromhex("36F0F0FF33")
    block = keyring.wrapped_block(bytes.fromhex("84D40100"), header, transport, transport, CHALLENGE)
    assert SUITE.line_decrypt(b"\xff" * 8, block[:-4]) == header + b"\xff" * 8
    assert len(block) == 0x14


def test_a_challenge_has_four_or_eight_bytes(keys: IssuingKeys) -> None:
    batch = CardKeyReference("BATCH", SUITE)
    with pytest.raises(ValueError, match="challenge"):
        keys.cryptogram(batch, b"123")
    with pytest.raises(ValueError, match="challenge"):
        keys.line_mac(batch, b"", b"message")


def test_a_key_that_is_missing_or_needs_more_factors_is_named_but_not_told(keys: IssuingKeys) -> None:
    with pytest.raises(SamKeyMissing, match="NOWHERE"):
        keys.kcv(CardKeyReference("NOWHERE", SUITE))
    with pytest.raises(SamKeyMissing, match="3 factors"):
        keys.kcv(CardKeyReference("UKSSSE", SUITE, FACTORS["B"][:1]))


def test_keys_of_a_card_that_des_cannot_tell_apart_are_refused(keys: IssuingKeys) -> None:
    keys.refuse_equal(reference(card, name) for card, name, *_ in rows("key") if card == "B")
    keys.refuse_equal([reference("B", "DPK"), reference("B", "DPK")])
    # the vendor's own sample has such a pair (PERS §1.1)
    purchase, load = bytes.fromhex("3E01" * 8), bytes.fromhex("3F01" * 8)
    ring = Keyring("sample", {"DPK": RootKey(purchase, 0), "DLK": RootKey(load, 0)}, test=True)
    with pytest.raises(KeyRejected, match="DLK and DPK"):
        KeyringIssuingKeys(ring).refuse_equal(CardKeyReference(name, SUITE) for name in ("DPK", "DLK"))


class Real(ChannelAround):
    """A card that is not known to be virtual."""

    virtual = False


def test_test_keys_meet_virtual_cards_only(keys: IssuingKeys) -> None:
    channel = EmbeddedReader("perso", citizen_card()).connect()
    keys.refuse_real(channel)
    with pytest.raises(TestKeysRefused, match=keys.name):
        keys.refuse_real(Real(channel))
    KeyringIssuingKeys(Keyring("city", {"BATCH": RootKey(bytes(16), 0)}, test=False)).refuse_real(Real(channel))


def test_a_source_names_itself_without_secrets(keyring: IssuingKeys) -> None:
    assert (keyring.name, keyring.test) == ("keyring:virtual-issuer", True)


# ---- tokens ------------------------------------------------------------------------------------------------------


@pytest.fixture
def special(token: str) -> Iterator[IssuingKeys]:
    """A token with keys that are not as they should be; they are gone afterwards."""
    with pkcs11.lib(str(MODULE)).get_token(token_label=token).open(user_pin=PIN, rw=True) as session:
        store(session, "underivable", bytes(range(16)), DERIVE=False)
        hsm = Hsm(MODULE, token, PIN, {"NO-DERIVE": HsmKey("underivable", 1), "SECRET": HsmKey("spec-root", 0)})
        yield HsmIssuingKeys(hsm)
        hsm.close()
        for key in session.get_objects({pkcs11.Attribute.LABEL: "underivable"}):
            key.destroy()


def test_what_a_token_cannot_do_is_said(special: IssuingKeys) -> None:
    card = FACTORS["A"]
    with pytest.raises(SamKeyMissing, match="CKA_DERIVE"):
        special.kcv(CardKeyReference("NO-DERIVE", SUITE, card))
    secret = CardKeyReference("SECRET", SUITE, card)
    assert len(special.kcv(secret)) == 3
    with pytest.raises(SamKeyMissing, match="may not leave the token"):
        special.plain_block(b"header", secret)
    with pytest.raises(SamKeyMissing, match="spec-root-LEFT"):
        special.line_mac(secret, CHALLENGE, b"a message of more than a block")
    with pytest.raises(SamKeyMissing, match="3DES only"):
        special.kcv(CardKeyReference("SECRET", LdtSuite(Algorithm.SM4), card))


TRANSPORT_SET = KeySetReference(GP_TRANSPORT, GP_TRANSPORT, GP_TRANSPORT, KeyType.AES, 0xFF)
OWN_SET = KeySetReference("GP-ENC", "GP-MAC", "GP-DEK", KeyType.TRIPLE_DES, 0x20)


def test_key_sets_of_java_cards_are_those_of_the_worked_example(keyring: IssuingKeys) -> None:
    blank = keyring.key_set(TRANSPORT_SET).for_card(bytes(10))
    assert blank.values() == default_test_keys(KeyType.AES).values()
    own = keyring.key_set(OWN_SET).for_card(bytes(10))
    assert [kcv.hex().upper() for kcv in own.check_values()] == ["682F19", "899E9A", "05CDC6"]
    assert own.version == 0x20


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (KeyType.TRIPLE_DES, Diversification.EMV),
        (KeyType.TRIPLE_DES, Diversification.VISA2),
        (KeyType.AES, Diversification.KDF3),
    ],
)
def test_each_java_card_gets_keys_of_its_own(keyring: IssuingKeys, kind: KeyType, method: Diversification) -> None:
    source = keyring.key_set(replace(OWN_SET, type=kind, diversification=method))
    cards = [source.for_card(bytes([number]) * 10) for number in (1, 2)]
    assert not set(cards[0].values()) & set(cards[1].values())
    assert cards[0].enc == method.derive(roots.test_root("GP", "ENC"), KeyIdentifier.ENC, b"\x01" * 10)


def test_a_key_set_is_of_whole_keys_and_does_not_tell_them(keyring: IssuingKeys) -> None:
    values = [roots.test_root("GP", name).hex() for name in ("ENC", "MAC", "DEK")]
    told = repr(keyring.key_set(replace(OWN_SET, diversification=Diversification.EMV))) + repr(keyring.key_set(OWN_SET))
    assert not any(value in told or value.upper() in told for value in values)
    assert "\\x" not in told
    for name, reason in (("UKSSSE", "UKSSSE is no TRIPLE_DES key of level 0 with 16 bytes"), ("NOBODY", "no NOBODY")):
        with pytest.raises(SamKeyMissing, match=reason):
            keyring.key_set(replace(OWN_SET, dek=name))


def test_a_token_says_that_it_cannot_open_java_cards(special: IssuingKeys) -> None:
    with pytest.raises(SamKeyMissing, match="GP-TRANSPORT: a token cannot compute the secure channels of JavaCards"):
        special.key_set(TRANSPORT_SET)


def test_derived_keys_do_not_stay_in_the_token(token: str) -> None:
    hsm = Hsm(MODULE, token, PIN, issuer_places())
    keys = HsmIssuingKeys(hsm)
    with pkcs11.lib(str(MODULE)).get_token(token_label=token).open() as session:
        before = len(list(session.get_objects()))
        assert before > len(CARD_KEYS)
        keys.line_mac(reference("B", "UKSSSE"), CHALLENGE, b"a message of more than a block")
        keys.plain_block(b"header", reference("B", "UKSSSE"))
        assert len(list(session.get_objects())) == before
    hsm.close()
