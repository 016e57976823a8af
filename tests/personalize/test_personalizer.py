"""One card in the hand: what is refused, what is rejected, what is made once more (PERS §3.2)."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cardio.errors import (
    CardDiffers,
    CardError,
    CardFull,
    CardioError,
    CardNotBlank,
    CardRejected,
    InputInvalid,
    JobInvalid,
    KeyRejected,
    PinLength,
    SamKeyMissing,
    StoreError,
    TestKeysRefused,
    TransportKeyWrong,
)
from cardio.personalize.attempts import CardState
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.personalize.steps import Step
from cardio.security.issuing import KeyringIssuingKeys
from cardio.security.keyring import Keyring, RootKey
from cardio.transport.embedded import EmbeddedChannel, EmbeddedReader
from cardio.virtual.administration import AdministrationChoices
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring
from cardio.virtual.received import Received
from tests.personalize.interruptions import memory
from tests.personalize.workshop import JOB, PIN, PRODUCTS, Workshop, key_records, powered, tries

MEMORY_FAILED = 0x6581


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    """Makes citizen wallets."""
    return Workshop("citizen-wallet", "citizen-wallet")


@pytest.fixture
def register(workshop: Workshop, tmp_path: Path) -> Iterator[Register]:
    """The register, whose chain must hold at the end."""
    with workshop.register(tmp_path) as opened:
        yield opened
        opened.verify()


def sent_to(card: VirtualCard) -> list[str]:
    """Commands that reach a card from now on, by their headers."""
    found: list[str] = []

    def watch(moment: Moment, command: Received) -> None:
        if moment is Moment.COMMAND:
            found.append(command.header()[:4].hex().upper())

    card.hook = watch
    return found


def refused_at(workshop: Workshop, register: Register, card: VirtualCard, n: int, *, only: str = "") -> None:
    """A card that is rejected, because its memory fails at the n-th command."""
    card.faults = FaultPlan(Fault.REFUSED, n, only=only, status=MEMORY_FAILED)
    with pytest.raises(CardError):
        workshop.make(card, register)
    card.faults = None
    newest = register.newest(card.atr.hex().upper())
    assert newest is not None
    assert newest.state is CardState.REJECTED


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ---- finished ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", PRODUCTS)
def test_cards_of_every_product_are_made_and_hold_what_their_rows_say(product: str, tmp_path: Path) -> None:
    made = Workshop(product)
    card = made.blank()
    with made.register(tmp_path) as register:
        attempt = made.make(card, register)
    keys = {key for directory in made.layout.master_file.walk() for key in directory.keys}
    assert attempt.state is CardState.FINISHED
    assert all(attempt.keys.values())
    assert len(attempt.keys) >= len(keys)
    assert all(len(kcv) == 6 for kcv in attempt.kcvs.values())
    assert all(key.tries_left == key.max_tries for key in key_records(card).values())
    with powered(card) as channel:
        findings = made.maker.read_back(channel, made.rows[0])
    assert findings
    assert not [found for found in findings if found.differs]


def test_a_finished_card_is_not_blank_and_nothing_is_tried_on_it(
    workshop: Workshop, register: Register, tmp_path: Path
) -> None:
    card = workshop.blank()
    workshop.make(card, register)
    before = memory(card, tmp_path)
    sent = sent_to(card)
    with pytest.raises(CardNotBlank):
        workshop.make(card, register, row=1)
    assert {command[:4] for command in sent} == {"00A4", "FFCA"}
    assert memory(card, tmp_path) == before
    assert [one.record for one in register.attempts()] == [workshop.data[0].record]


def test_a_row_is_not_made_twice(workshop: Workshop, register: Register) -> None:
    workshop.make(workshop.blank(1), register)
    other = workshop.blank(2)
    before = tries(other)
    with pytest.raises(InputInvalid):
        workshop.make(other, register)
    assert tries(other) == before
    assert workshop.make(other, register, row=1).state is CardState.FINISHED


# ---- refused before anything is tried ----------------------------------------------------------------------------


def test_test_keys_never_meet_a_real_card(workshop: Workshop, register: Register) -> None:
    class RealChannel(EmbeddedChannel):
        virtual = False

    card = workshop.blank()
    sent = sent_to(card)
    reader = EmbeddedReader("desk", card)
    channel = RealChannel(reader, card, reader.state.events)
    with pytest.raises(TestKeysRefused):
        workshop.maker.personalize(channel, workshop.rows[0], register, JOB)
    assert sent == []
    assert register.attempts() == []


def test_a_card_that_was_begun_is_for_its_row_and_job_only(workshop: Workshop, register: Register) -> None:
    card = workshop.blank()
    card.faults = FaultPlan(Fault.MUTE, 20)
    with pytest.raises(CardioError):
        workshop.make(card, register)
    card.faults = None
    before = tries(card)
    for row, job in ((1, JOB), (0, "job-2")):
        with pytest.raises(InputInvalid, match=workshop.data[0].record):
            workshop.make(card, register, row, job=job)
    assert tries(card) == before
    assert workshop.make(card, register).state is CardState.FINISHED


def test_a_row_without_its_pin_or_with_a_bad_one_is_no_card(workshop: Workshop) -> None:
    with pytest.raises(JobInvalid):
        workshop.maker.prepare(workshop.data[0], None)
    for pin in ("123", "1234567890123", "12345a", "１２３４"):
        with pytest.raises(PinLength):
            workshop.maker.prepare(workshop.data[0], pin)


# ---- rejected ----------------------------------------------------------------------------------------------------


def with_key(name: str, value: bytes) -> Personalizer:
    """Makes the same cards with another key of that name."""
    known = issuer_test_keyring()
    roots = {one: known.root(one) for one in known.names()}
    roots[name] = RootKey(value, roots[name].levels)
    keyring = Keyring("virtual-issuer", roots, test=True)
    made = Workshop("citizen-wallet", "citizen-wallet")
    return Personalizer(made.product, KeyringIssuingKeys(keyring), made.maker.layout)


def test_a_wrong_transport_key_costs_one_try_and_the_card_is_left_alone(workshop: Workshop, register: Register) -> None:
    card, wrong = workshop.blank(), with_key("TRANSPORT", bytes(range(0x11, 0x19)))
    (before,) = tries(card).values()
    for spent, again in ((1, False), (1, False), (2, True)):
        expected = TransportKeyWrong if spent == 2 or tries(card) == {("3F00", 0x39, 0): before} else CardRejected
        with powered(card) as channel, pytest.raises(expected):
            wrong.personalize(channel, workshop.rows[0], register, JOB, try_again=again)
        assert tries(card) == {("3F00", 0x39, 0): before - spent}
    assert [one.state for one in register.attempts()] == [CardState.REJECTED] * 2
    assert "authenticate with TRANSPORT" in (register.attempts()[0].reason or "")
    assert workshop.make(card, register, try_again=True).state is CardState.FINISHED


def test_keys_that_des_cannot_tell_apart_make_no_card(workshop: Workshop) -> None:
    twin = bytes(byte ^ 1 for byte in issuer_test_keyring().root("WALLET-DPK").key)
    maker = with_key("WALLET-DLK", twin)
    for _ in range(2):
        with pytest.raises(KeyRejected, match="WALLET-DLK and WALLET-DPK"):
            maker.prepare(workshop.data[0], PIN)


@pytest.mark.parametrize("missing", ["TRANSPORT", "BATCH", "WALLET-DPK"])
def test_a_key_that_is_missing_is_told_before_any_card(workshop: Workshop, missing: str) -> None:
    known = issuer_test_keyring()
    short = Keyring("short", {name: known.root(name) for name in known.names() if name != missing}, test=True)
    maker = Personalizer(workshop.product, KeyringIssuingKeys(short), workshop.maker.layout)
    with pytest.raises(SamKeyMissing, match=missing):
        maker.prepare(workshop.data[0], PIN)


@pytest.mark.parametrize("capacity", [40, 100, 200, 400, 600])
def test_a_card_without_room_is_rejected_with_the_step(workshop: Workshop, register: Register, capacity: int) -> None:
    card = blank_fmcos_card(administration=AdministrationChoices(capacity=capacity))
    with pytest.raises(CardFull):
        workshop.make(card, register)
    (attempt,) = register.attempts()
    assert attempt.state is CardState.REJECTED
    assert attempt.reason is not None
    assert attempt.reason.startswith("structure ")
    assert "create" in attempt.reason
    with pytest.raises(CardRejected):
        workshop.make(card, register)


@pytest.mark.parametrize("n", [8, 10, 11, 14, 17, 35, 49, 52, 55])
def test_a_rejected_card_is_made_once_more_when_that_is_asked_for(
    workshop: Workshop, register: Register, tmp_path: Path, n: int
) -> None:
    card, untouched = workshop.blank(1), workshop.blank(1)
    refused_at(workshop, register, card, n)
    with pytest.raises(CardRejected):
        workshop.make(card, register)
    again = workshop.make(card, register, try_again=True)
    assert again.state is CardState.FINISHED
    assert all(again.keys.values())
    folder = tmp_path / "other"
    with workshop.register(folder) as other:
        workshop.make(untouched, other)
    assert memory(card, tmp_path) == memory(untouched, tmp_path)


def test_the_row_of_a_rejected_card_is_made_on_another(workshop: Workshop, register: Register) -> None:
    card = workshop.blank(1)
    refused_at(workshop, register, card, 30)
    assert workshop.make(workshop.blank(2), register).state is CardState.FINISHED
    assert [(one.record, one.state) for one in register.attempts()] == [
        (workshop.data[0].record, CardState.REJECTED),
        (workshop.data[0].record, CardState.FINISHED),
    ]
    # The rejected card is not closed: it is erased, and made for another row.
    assert workshop.make(card, register, row=1, try_again=True).state is CardState.FINISHED
    with powered(card) as channel:
        assert all(found.same for found in workshop.maker.read_back(channel, workshop.rows[1]))


def test_a_card_that_was_closed_for_a_row_is_never_another_rows(workshop: Workshop, register: Register) -> None:
    card = workshop.blank()
    refused_at(workshop, register, card, 2, only="00B0")
    before = tries(card)
    with pytest.raises(CardRejected, match="closed for row"):
        workshop.make(card, register, row=1, try_again=True)
    assert tries(card) == before
    assert workshop.make(card, register, try_again=True).state is CardState.FINISHED


def test_what_is_known_of_a_rejected_cards_keys_goes_with_its_new_attempt(
    workshop: Workshop, register: Register
) -> None:
    card = workshop.blank()
    refused_at(workshop, register, card, 3, only="84D4")
    known = register.attempts()[0]
    begun = register.begin_again(known, JOB, known.record, "desk")
    assert begun.keys == known.keys
    assert begun.kcvs == known.kcvs
    # It is not begun at all if its row is not free, and nothing is left of the attempt.
    with pytest.raises(InputInvalid):
        register.begin_again(known, JOB, known.record, "desk")
    assert len(register.attempts()) == 2


def test_a_card_that_holds_something_else_is_rejected(workshop: Workshop, register: Register) -> None:
    """A chip that writes one byte wrong: nothing but reading back finds it."""
    card = workshop.blank()

    def spoil(moment: Moment, command: Received) -> None:
        if moment is Moment.AFTER_COMMIT and command.header()[:3].hex() == "04d696":
            (holder,) = [file for one in card.master_file.walk() for file in one.files if file.declaration.sfi == 0x16]
            holder.records[0] = holder.records[0][:-1] + b"\x5a"

    card.hook = spoil
    with pytest.raises(CardDiffers, match="ADF1/EF16"):
        workshop.make(card, register)
    assert register.attempts()[0].state is CardState.REJECTED


def test_a_card_with_another_pin_is_rejected_after_one_try(workshop: Workshop, register: Register) -> None:
    card = workshop.blank()

    def spoil(moment: Moment, command: Received) -> None:
        pin = key_records(card).get(("3F01", 0x3A, 0))
        if moment is Moment.AFTER_COMMIT and pin is not None and pin.value == bytes.fromhex(PIN):
            pin.value = bytes.fromhex("654321")

    card.hook = spoil
    with pytest.raises(CardioError) as raised:
        workshop.make(card, register)
    assert raised.value.code == "pin.wrong"
    assert tries(card)["3F01", 0x3A, 0] == 2
    assert register.attempts()[0].state is CardState.REJECTED


# ---- the register fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 11])
def test_no_key_is_sent_that_the_register_has_not_on_disk(workshop: Workshop, tmp_path: Path, n: int) -> None:
    """Nor is a key file made whose first key could not follow at once."""
    card = workshop.blank()
    sent = sent_to(card)
    steps: list[str] = []
    with workshop.register(tmp_path) as register, ExitStack() as full:

        def fill(step: Step) -> None:
            if step.key is not None:
                steps.append(step.en)
                if len(steps) == n:
                    sent.clear()
                    full.enter_context(full_disk())

        with powered(card) as channel, pytest.raises(StoreError):
            workshop.maker.personalize(channel, workshop.rows[0], register, JOB, watch=fill)
        assert sent == []
    # When there is room again, the card is gone on with.
    with workshop.register(tmp_path) as register:
        assert register.attempts()[0].state in {CardState.STARTED, CardState.KEY_UNCONFIRMED}
        assert workshop.make(card, register).state is CardState.FINISHED
        register.verify()
    assert len(steps) == n


# ---- secrets -----------------------------------------------------------------------------------------------------


def test_the_register_holds_neither_persons_nor_pins_nor_keys(tmp_path: Path) -> None:
    made = Workshop("ssc-2.0", "social-security")
    pin = "918273645"
    row = made.maker.prepare(made.data[0], pin)
    holder = made.data[0].holder
    assert holder is not None
    card = made.blank()
    with made.register(tmp_path) as register, powered(card) as channel:
        attempt = made.maker.personalize(channel, row, register, JOB)
        assert attempt.state is CardState.FINISHED
        told = repr(row) + repr(attempt) + repr(made.maker)
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    for secret in (holder.name, holder.number, pin, bytes(range(0x40, 0x50)).hex().upper()):
        assert secret not in told
        for form in {secret.encode("utf-8"), secret.encode("gb18030")}:
            assert form not in kept
    for place, key in key_records(card).items():
        assert key.value not in kept, place
