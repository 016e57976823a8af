"""Several sources of keys as one: which of them serves a transaction, and what happens when one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import CipherSuite
from cardio.errors import (
    HsmFailed,
    MaintenanceKeysMissing,
    ReaderBusy,
    SamAbsent,
    SamFailed,
    SamKeyMissing,
    TestKeysRefused,
)
from cardio.readers import key_chain
from cardio.readers.key_chain import KeyChain
from cardio.readers.owner import OwnerState, ReaderOwner
from cardio.security.authentication import AuthenticationOrder, AuthenticityCodes
from cardio.security.derived_keys import DerivedKeys, Terminal
from cardio.security.keyring import Keyring
from cardio.security.keys import Family, Mac2, PurchaseKeys, source_named
from cardio.security.maintenance import KeyOfCard
from cardio.security.psam import Psam
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam
from tests.counter import eventually
from tests.purse.scripted import MEDICAL_SAM, WALLET_SAM
from tests.readers.stuck import LIMIT, StuckCard
from tests.security.purchases import NATIONAL_ROOT, medical_cases
from tests.security.slots import EmbeddedSlot
from tests.security.test_derived_keys import journalled, keyring_of
from tests.security.test_psam import ORDER, right_mac2

SETTLEMENT = medical_cases()[0]
KEYRING = keyring_of(SETTLEMENT, 3)
"""Knows the social security cards of the vectors, and no wallets."""


class Slot(EmbeddedSlot):
    """A slot with a name of its own."""

    def __init__(self, name: str, card: VirtualCard | None = None) -> None:
        super().__init__(card)
        self.name = name


class Token(DerivedKeys):
    """A token that can be pulled off."""

    name = "hsm:token"
    test = True

    def __init__(self) -> None:
        super().__init__(Terminal())
        self.gone = False

    def session_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...], seed: bytes) -> bytes:
        if self.gone:
            raise HsmFailed("pulled off")
        return NATIONAL_ROOT

    def card_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> bytes:
        return self.session_key(name, suite, factors, b"")


def psam_in(name: str, card: VirtualCard | None = None) -> tuple[Psam, Slot]:
    slot = Slot(name, card)
    return Psam(slot), slot


def chain_of(*psams: Psam, others: tuple[Any, ...] = (), patience: float = 5) -> KeyChain:
    chain = KeyChain(*others, patience=patience)
    for one in psams:
        chain.add_psam(one)
    return chain


def only_social_security() -> VirtualCard:
    """A PSAM that knows no wallets."""
    card = psam()
    del card.master_file.directories[1:]
    return card


def served_by(chain: KeyChain) -> str:
    with chain.hold(WALLET_SAM) as session:
        return session.source.name


# ---- who serves --------------------------------------------------------------------------------------------------


def test_the_first_psam_by_name_serves_and_the_session_tells_which() -> None:
    (b, _), (a, _) = psam_in("b"), psam_in("a")
    chain: PurchaseKeys = chain_of(b, a, others=(KEYRING,))
    with chain.hold() as session:
        assert session.source is a
        assert session is a
    assert (chain.name, chain.test, chain.counted) == ("psam:a+psam:b+keyring:vectors", True, True)


def test_a_psam_that_was_pulled_out_is_passed_over_and_serves_again_when_it_is_back() -> None:
    (a, slot), (b, _) = psam_in("a"), psam_in("b")
    chain = chain_of(a, b)
    assert served_by(chain) == "psam:a"
    card = slot.reader.remove()
    assert card is not None
    with pytest.raises(SamAbsent), chain.hold() as session:
        session.authorize(ORDER)
    assert [served_by(chain), served_by(chain)] == ["psam:b", "psam:b"]
    chain.remove_psam(a)
    slot.reader.insert(card)
    chain.add_psam(a)
    assert served_by(chain) == "psam:a"


def test_the_order_is_psam_next_psam_hsm_keyring() -> None:
    token = Token()
    (a, first), (b, second) = psam_in("a"), psam_in("b")
    chain = chain_of(a, b, others=(token, KEYRING))
    assert served_by(chain) == "psam:a"
    first.reader.remove()
    with suppress(SamAbsent), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "psam:b"
    second.reader.remove()
    with suppress(SamAbsent), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "hsm:token"
    token.gone = True
    with pytest.raises(HsmFailed), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "keyring:vectors"


def test_a_source_that_failed_is_tried_again_after_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token()
    chain = chain_of(others=(token, KEYRING))
    token.gone = True
    with suppress(HsmFailed), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "keyring:vectors"
    token.gone = False
    monkeypatch.setattr(key_chain, "REST", 0)
    assert served_by(chain) == "hsm:token"


def test_the_only_source_is_tried_though_it_failed_just_now() -> None:
    token = Token()
    chain = chain_of(others=(token,))
    token.gone = True
    with suppress(HsmFailed), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "hsm:token"


def test_a_card_whose_key_is_missing_says_nothing_against_the_source() -> None:
    chain = chain_of(others=(Keyring("empty", {}, test=True), KEYRING))
    with pytest.raises(SamKeyMissing), chain.hold() as session:
        session.authorize(ORDER)
    assert served_by(chain) == "keyring:empty"


def test_a_psam_of_other_cards_is_passed_over() -> None:
    (a, _), (b, _) = psam_in("a", only_social_security()), psam_in("b")
    chain = chain_of(a, b)
    with chain.hold(WALLET_SAM) as session:
        assert session.source is b
    with chain.hold(MEDICAL_SAM) as session:
        assert session.source is a


def test_within_a_transaction_the_source_never_changes() -> None:
    (a, slot), (b, other) = psam_in("a"), psam_in("b")
    chain = chain_of(a, b)
    with chain.hold() as session:
        session.authorize(ORDER)
        slot.reader.remove()
        assert session.check_mac2(bytes(4)) is Mac2.UNCHECKED
    assert other.counts.total() == 0


def test_a_psam_that_is_well_is_asked_nothing_more_than_without_a_chain() -> None:
    (a, slot), (b, _) = psam_in("a"), psam_in("b")
    chain = chain_of(a, b)
    served_by(chain)
    before = slot.counts.total()
    with chain.hold(WALLET_SAM) as session:
        session.authorize(ORDER)
        session.check_mac2(right_mac2(slot))
    assert slot.counts.total() == before + 2


def test_when_none_can_serve_the_error_is_that_of_the_first() -> None:
    (a, slot), (b, _) = psam_in("a"), psam_in("b", only_social_security())
    slot.reader.remove()
    with pytest.raises(SamAbsent), chain_of(a, b).hold(WALLET_SAM):
        pass
    with pytest.raises(SamAbsent, match="no source"), chain_of().hold():
        pass


# ---- taking turns ------------------------------------------------------------------------------------------------


def test_purchases_at_the_same_time_share_the_psams_out() -> None:
    chain = chain_of(psam_in("a")[0], psam_in("b")[0], others=(KEYRING,))
    with chain.hold() as first, chain.hold() as second:
        assert {first.source.name, second.source.name} == {"psam:a", "psam:b"}


def test_a_keyring_does_not_serve_because_the_psams_are_in_use() -> None:
    chain = chain_of(psam_in("a")[0], others=(KEYRING,))
    with chain.hold(), at_once(chain), pytest.raises(ReaderBusy), chain.hold():
        pass
    with ThreadPoolExecutor(1) as pool:
        with chain.hold():
            waiting = pool.submit(served_by, chain)
            assert not waiting.done()
        assert waiting.result(5) == "psam:a"


def test_keys_that_belong_to_nobody_serve_many_at_a_time() -> None:
    chain = chain_of(others=(KEYRING,))
    with chain.hold() as first, chain.hold() as second:
        assert first is not second


def test_a_psam_held_by_a_thread_that_hangs_in_its_card_reader_is_taken_from_it() -> None:
    psam_a, slot = psam_in("a")
    chain = chain_of(psam_a)
    card = StuckCard(citizen_card(), bytes.fromhex("00A4"))
    owner = ReaderOwner("hangs", EmbeddedDriver([EmbeddedReader("hangs", card)]), limit=LIMIT)
    late: list[Mac2 | str] = []

    def purchase(channel: Channel) -> None:
        with chain.hold() as session:
            session.authorize(ORDER)
            channel.transmit(bytes.fromhex("00A40000023F00"))
            late.append(session.check_mac2(bytes(4)))

    future = owner.submit(purchase)
    assert card.hangs.wait(5)
    with chain.hold(WALLET_SAM) as session:
        authorization = session.authorize(ORDER)
        card.free.set()
        with pytest.raises(Exception, match=r"reader\.poisoned"):
            future.result(5)
        # The thread that came back lets go of nothing that is ours, and sends nothing to the PSAM.
        eventually(lambda: owner.state is OwnerState.READY)
        with at_once(chain), pytest.raises(ReaderBusy), chain.hold():
            pass
        assert session.check_mac2(right_mac2(slot)) is Mac2.OK
    assert (late, authorization.sequence) == ([], 1)
    owner.stop()


@contextmanager
def at_once(chain: KeyChain) -> Iterator[None]:
    """Nobody waits for a PSAM."""
    patience, chain._patience = chain._patience, 0
    yield
    chain._patience = patience


# ---- proofs that came by way of recovery -------------------------------------------------------------------------


def test_a_torn_purchase_is_rechecked_by_the_psam_that_authorized_it() -> None:
    (a, first), (b, second) = psam_in("a"), psam_in("b")
    chain = chain_of(a, b)
    with chain.hold() as one, chain.hold() as two:
        one.authorize(ORDER)
        torn = two.authorize(ORDER)
        mac2 = right_mac2(first if two.source is a else second)
    assert chain.recheck_mac2(ORDER, torn, mac2) is Mac2.OK


def test_a_keyring_does_not_judge_a_proof_of_a_psams_purchase() -> None:
    chain = chain_of(psam_in("a")[0], others=(KEYRING,))
    assert chain.recheck_mac2(journalled(SETTLEMENT), None, bytes(4)) is Mac2.UNCHECKED
    keyring = source_named(chain, "keyring:vectors")
    assert keyring is not None
    assert keyring.recheck_mac2(journalled(SETTLEMENT), None, bytes(4)) is Mac2.WRONG


def test_the_source_that_the_journal_names_is_found() -> None:
    a, _ = psam_in("a")
    chain = chain_of(a, others=(KEYRING,))
    assert source_named(chain, "psam:a") is a
    assert source_named(chain, "psam:gone") is None
    assert source_named(a, "psam:a") is a
    assert source_named(None, "psam:a") is None


# ---- authentications ---------------------------------------------------------------------------------------------


class Fails:
    """A source whose authentications fail."""

    name, test, counted = "hsm:fails", True, False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*arguments: object) -> Any:
            raise SamFailed("first")

        return fail


def test_an_authentication_is_made_by_the_first_source_that_can() -> None:
    class Answers(Token):
        def authenticate(self, order: AuthenticationOrder) -> bytes:
            return bytes(8)

    answers = Answers()
    failing: Any = Fails()
    order: Any = None
    assert KeyChain(failing, answers).authenticate(order) == bytes(8)
    with pytest.raises(SamFailed, match="first"):
        KeyChain(failing, failing).authenticate(order)
    with pytest.raises(SamAbsent):
        KeyChain().authenticate(order)


def test_maintenance_is_made_by_the_first_source_that_has_such_keys() -> None:
    a, _ = psam_in("a")
    token = Token()
    key = KeyOfCard("KEY", Family.PBOC, Algorithm.TRIPLE_DES, (bytes(8),))
    with pytest.raises(MaintenanceKeysMissing):
        chain_of(a).protect(key, bytes(4), bytes(4))
    with pytest.raises(MaintenanceKeysMissing):
        chain_of().reload_mac(key, b"")
    chain = chain_of(a, others=(token, KEYRING))
    assert chain.protect(key, bytes(4), bytes(4)) == token.protect(key, bytes(4), bytes(4))
    token.gone = True
    with pytest.raises(HsmFailed):
        chain.reload_mac(key, b"")


def test_only_psams_judge_authenticity_codes() -> None:
    chain = chain_of(others=(KEYRING,))
    assert isinstance(chain, AuthenticityCodes)
    with pytest.raises(SamAbsent):
        chain.check_authenticity_code(WALLET_SAM, bytes(9))
    psam_a, slot = psam_in("a")
    chain.add_psam(psam_a)
    chain.check_authenticity_code(WALLET_SAM, bytes(9))
    assert slot.counts["CHECK AUTHENTICITY CODE"] == 1


# ---- test keys ---------------------------------------------------------------------------------------------------


def test_test_keys_and_others_never_stand_in_one_chain() -> None:
    real = Keyring("real", {}, test=False)
    with pytest.raises(TestKeysRefused):
        KeyChain(real, KEYRING)
    chain = KeyChain(real)
    with pytest.raises(TestKeysRefused):
        chain.add_psam(psam_in("virtual")[0])
    assert not chain.test
    assert chain.name == "keyring:real"
