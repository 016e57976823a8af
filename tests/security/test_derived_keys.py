"""Purchases from a keyring and from a token, held to EW §10 and SSC §9.3; what both share."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardioError, HsmFailed, SamKeyMissing
from cardio.security.derived_keys import DerivedKeys, PurchaseCryptograms, Terminal
from cardio.security.hsm import Hsm, HsmKey
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family, Mac2, PurchaseKeys, PurchaseOrder
from cardio.security.psam import Psam
from cardio.virtual import cards
from tests.purse.scripted import MEDICAL_SAM, WALLET_SAM
from tests.security.purchases import CASES, NATIONAL_ROOT, PurchaseCase, medical_cases
from tests.security.slots import EmbeddedSlot
from tests.security.softhsm import MODULE, PIN
from tests.security.test_psam import ORDER, TERMINAL

LEVELS = [pytest.param(case, levels, id=f"{case}-{levels}") for case in CASES for levels in case.levels]
IN_TOKENS = [
    pytest.param(case, levels, id=f"{case}-{levels}")
    for case in CASES
    for levels in case.levels
    if case.order.algorithm is Algorithm.TRIPLE_DES and len(case.root) == 16
]
SETTLEMENT = medical_cases()[0]


def keyring_of(case: PurchaseCase, levels: int) -> Keyring:
    return Keyring("vectors", {case.key_name: RootKey(case.levels[levels], levels)}, test=True, terminal=case.terminal)


@contextmanager
def hsm_of(case: PurchaseCase, levels: int) -> Iterator[Hsm]:
    opened = Hsm(MODULE, "test-city", PIN, {case.key_name: HsmKey(f"{case}-{levels}", levels)}, case.terminal)
    try:
        yield opened
    finally:
        opened.close()


def journalled(case: PurchaseCase) -> PurchaseOrder:
    """The order as recovery makes it again."""
    return replace(case.order, sequence=case.sequence)


# ---- vectors -----------------------------------------------------------------------------------------------------


def test_vectors_cover_both_families_both_ciphers_and_every_number_of_factors() -> None:
    covered = {
        (case.order.application.family, case.order.algorithm, len(case.root), len(case.order.factors)) for case in CASES
    }
    wallets = {(Family.PBOC, algorithm, 16, n) for algorithm in Algorithm for n in (1, 2)}
    assert covered == wallets | {
        (Family.LDT, Algorithm.TRIPLE_DES, 16, 3),
        (Family.LDT, Algorithm.SM4, 16, 3),
        (Family.PBOC, Algorithm.TRIPLE_DES, 16, 0),
        (Family.PBOC, Algorithm.TRIPLE_DES, 8, 0),
    }


@pytest.mark.parametrize(("case", "levels"), LEVELS)
def test_a_keyring_makes_both_cryptograms_of_the_vector_from_a_root_of_any_level(
    case: PurchaseCase, levels: int
) -> None:
    assert keyring_of(case, levels).purchase(case.order, case.sequence) == case.cryptograms


@pytest.mark.parametrize(("case", "levels"), IN_TOKENS)
def test_a_token_makes_both_cryptograms_of_the_vector_from_a_root_of_any_level(
    token: str, case: PurchaseCase, levels: int
) -> None:
    with hsm_of(case, levels) as hsm:
        assert hsm.purchase(case.order, case.sequence) == case.cryptograms


@pytest.mark.parametrize("case", [case for case in CASES if case.sequence == case.order.counter], ids=str)
def test_a_session_authorizes_the_vectors_whose_sequence_is_the_counter(case: PurchaseCase) -> None:
    with keyring_of(case, 0).hold() as session:
        authorization = session.authorize(case.order)
        assert (authorization.sequence, authorization.mac1) == (case.sequence, case.cryptograms.mac1)
        assert session.check_mac2(case.cryptograms.mac2) is Mac2.OK


# ---- sessions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [SETTLEMENT, CASES[0]], ids=str)
def test_sequence_is_the_counter_of_the_card(case: PurchaseCase) -> None:
    keys = keyring_of(case, 0)
    with keys.hold() as session:
        authorization = session.authorize(replace(case.order, counter=0xFFFF))
    assert authorization.sequence == 0x0000FFFF


def test_only_a_psam_counts_the_sequence_itself() -> None:
    assert Psam(EmbeddedSlot()).counted
    assert not Keyring("plain", {}, test=True).counted


def test_without_configuration_the_terminal_number_is_zeros_and_the_key_index_one() -> None:
    keys = Keyring("plain", {}, test=True)
    with keys.hold() as session:
        assert session.terminal_number() == bytes(6)
        assert (session.key_index(WALLET_SAM), session.key_index(MEDICAL_SAM)) == (1, 1)


def test_terminal_number_and_key_index_are_as_configured() -> None:
    keys = Keyring("city", {}, test=True, terminal=Terminal(bytes.fromhex("519900000001"), {Family.PBOC: 0x11}))
    with keys.hold() as session:
        assert session.terminal_number() == bytes.fromhex("519900000001")
        assert (session.key_index(WALLET_SAM), session.key_index(MEDICAL_SAM)) == (0x11, 1)


@pytest.mark.parametrize("number", [b"", bytes(5), bytes(7)])
def test_a_terminal_number_has_six_bytes(number: bytes) -> None:
    with pytest.raises(ValueError, match="6 bytes"):
        Terminal(number)


@pytest.mark.parametrize("index", [-1, 256])
def test_a_key_index_is_one_byte(index: int) -> None:
    with pytest.raises(ValueError, match="key index"):
        Terminal(key_indexes={Family.LDT: index})


def test_two_readers_hold_the_keys_at_the_same_time_and_do_not_mix() -> None:
    keys = keyring_of(SETTLEMENT, 3)
    other = replace(SETTLEMENT.order, random=bytes(4))
    with keys.hold() as first, keys.hold() as second:
        for session, order in ((first, SETTLEMENT.order), (second, other)):
            session.authorize(order)
        mine, theirs = (keys.purchase(order, order.counter).mac2 for order in (SETTLEMENT.order, other))
        assert (first.check_mac2(mine), second.check_mac2(theirs)) == (Mac2.OK, Mac2.OK)
        assert (first.check_mac2(theirs), second.check_mac2(mine)) == (Mac2.WRONG, Mac2.WRONG)


@pytest.mark.parametrize("wrong", [bytes(4), b"", bytes(8)])
def test_a_wrong_mac2_is_wrong(wrong: bytes) -> None:
    keys = keyring_of(SETTLEMENT, 3)
    with keys.hold() as session:
        session.authorize(SETTLEMENT.order)
        assert session.check_mac2(wrong) is Mac2.WRONG
    assert keys.recheck_mac2(journalled(SETTLEMENT), None, wrong) is Mac2.WRONG


def test_nothing_authorized_nothing_checked() -> None:
    keys = keyring_of(SETTLEMENT, 3)
    with keys.hold() as session:
        assert session.check_mac2(SETTLEMENT.cryptograms.mac2) is Mac2.UNCHECKED
        session.authorize(SETTLEMENT.order)
        with pytest.raises(SamKeyMissing):
            session.authorize(replace(SETTLEMENT.order, factors=()))
        assert session.check_mac2(SETTLEMENT.cryptograms.mac2) is Mac2.UNCHECKED


# ---- recovery ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_new_process_rechecks_the_mac2_of_the_vector(case: PurchaseCase) -> None:
    keys = keyring_of(case, 0)
    assert keys.recheck_mac2(journalled(case), None, case.cryptograms.mac2) is Mac2.OK
    # The terminal's number may have been configured anew meanwhile: MAC2 does not contain it.
    keys.terminal = Terminal()
    assert keys.recheck_mac2(journalled(case), None, case.cryptograms.mac2) is Mac2.OK


@pytest.mark.parametrize("forgotten", [{"sequence": None}, {"random": b""}])
def test_an_order_that_the_journal_half_forgot_cannot_be_rechecked(forgotten: dict[str, Any]) -> None:
    order = replace(journalled(SETTLEMENT), **forgotten)
    assert keyring_of(SETTLEMENT, 3).recheck_mac2(order, None, SETTLEMENT.cryptograms.mac2) is Mac2.UNCHECKED


def test_keys_that_are_gone_cannot_recheck_and_do_not_fail() -> None:
    empty = Keyring("empty", {}, test=True)
    assert empty.recheck_mac2(journalled(SETTLEMENT), None, SETTLEMENT.cryptograms.mac2) is Mac2.UNCHECKED


# The library's search objects complain when the session under them is gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_token_that_broke_cannot_recheck_and_serves_again(hsm: Hsm) -> None:
    hsm.purchase(SETTLEMENT.order, SETTLEMENT.sequence)
    hsm._session.close()
    assert hsm.recheck_mac2(journalled(SETTLEMENT), None, SETTLEMENT.cryptograms.mac2) is Mac2.UNCHECKED
    assert hsm.recheck_mac2(journalled(SETTLEMENT), None, SETTLEMENT.cryptograms.mac2) is Mac2.OK


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_token_that_broke_fails_a_purchase_before_the_card_is_touched(hsm: Hsm) -> None:
    hsm.purchase(SETTLEMENT.order, SETTLEMENT.sequence)
    hsm._session.close()
    with hsm.hold() as session, pytest.raises(HsmFailed):
        session.authorize(SETTLEMENT.order)


# ---- what is missing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [SETTLEMENT, CASES[0]], ids=str)
def test_each_family_has_a_purchase_key_of_its_own(case: PurchaseCase) -> None:
    other = "DPK" if case.key_name == "WALLET-DPK" else "WALLET-DPK"
    keys = Keyring("half", {other: RootKey(case.root, 0)}, test=True)
    with keys.hold() as session, pytest.raises(SamKeyMissing, match=case.key_name):
        session.authorize(case.order)


def test_a_root_above_the_factors_of_the_card_is_missing(token: str) -> None:
    order = replace(SETTLEMENT.order, factors=SETTLEMENT.order.factors[1:])
    with keyring_of(SETTLEMENT, 3).hold() as session, pytest.raises(SamKeyMissing, match="3 factors"):
        session.authorize(order)
    with hsm_of(SETTLEMENT, 3) as hsm, hsm.hold() as held, pytest.raises(SamKeyMissing, match="3 factors"):
        held.authorize(order)


def test_a_token_cannot_serve_sm4_cards_nor_keys_that_it_lacks(hsm: Hsm) -> None:
    with hsm.hold() as session, pytest.raises(SamKeyMissing, match="3DES only"):
        session.authorize(replace(SETTLEMENT.order, algorithm=Algorithm.SM4))
    lacking = Hsm(MODULE, "test-city", PIN, {"DPK": HsmKey("nowhere", 3)})
    with lacking.hold() as held, pytest.raises(SamKeyMissing, match="nowhere"):
        held.authorize(SETTLEMENT.order)
    lacking.close()


def test_a_key_that_is_not_mapped_is_the_topmost_root_under_its_own_name(hsm: Hsm) -> None:
    hsm.terminal = SETTLEMENT.terminal
    assert hsm.purchase(SETTLEMENT.order, SETTLEMENT.sequence) == SETTLEMENT.cryptograms
    wallet = Keyring("a", {"WALLET-DPK": RootKey(cards.test_root(cards.WALLET_ROOT, "DPK"), 1)}, test=True)
    wallet.terminal = SETTLEMENT.terminal
    assert hsm.purchase(ORDER, 1) == wallet.purchase(ORDER, 1)


# ---- all three sources -------------------------------------------------------------------------------------------


def test_psam_keyring_and_token_agree_on_mac1(token: str) -> None:
    psam = Psam(EmbeddedSlot())
    sequence = psam.authorize(ORDER).sequence
    order = replace(ORDER, counter=sequence)
    terminal = Terminal(TERMINAL)
    root = RootKey(cards.test_root(cards.WALLET_ROOT, "DPK"), 1)
    hsm = Hsm(MODULE, token, PIN, terminal=terminal)
    sources: list[PurchaseKeys] = [psam, Keyring("a", {"WALLET-DPK": root}, test=True, terminal=terminal), hsm]
    authorizations = []
    for source in sources:
        with source.hold() as session:
            assert session.terminal_number() == TERMINAL
            authorizations.append(session.authorize(order))
    hsm.close()
    assert authorizations[0] == authorizations[1] == authorizations[2]


# ---- no secrets --------------------------------------------------------------------------------------------------


def test_no_key_shows_in_what_is_printed_or_raised() -> None:
    case = SETTLEMENT
    secrets = [*case.levels.values(), bytes.fromhex("9141F2367B5BB348")]
    for levels, key in case.levels.items():
        keys: DerivedKeys = keyring_of(case, levels)
        with keys.hold() as session:
            session.authorize(case.order)
            shown = [repr(keys), str(keys), keys.name, repr(session), repr(vars(session)), repr(RootKey(key, levels))]
        for broken in ({"factors": ()}, {"factors": (b"short",) * 3}, {"counter": 1 << 16}, {"kind": 256}):
            try:
                keys.purchase(replace(case.order, **broken), case.sequence)
            except (CardioError, ValueError, OverflowError) as error:
                shown.append("".join(traceback.format_exception(error)))
        for secret in secrets:
            assert all(secret.hex() not in text.lower() and repr(secret)[2:-1] not in text for text in shown)


def test_cryptograms_are_all_that_leaves() -> None:
    made = keyring_of(SETTLEMENT, 3).purchase(SETTLEMENT.order, SETTLEMENT.sequence)
    assert made == PurchaseCryptograms(bytes.fromhex("F01120FD"), bytes.fromhex("7A0EC137"))
    assert NATIONAL_ROOT.hex() not in repr(made)
