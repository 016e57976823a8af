"""JavaCards by GlobalPlatform's commands: from the maker's keys to a secured card with its own (PERS §2.5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform import CardState as LifeCycle
from cardio.apdu.globalplatform import Privilege
from cardio.cli.personalize.dry_run import dry_run
from cardio.cli.personalize.feeding import VirtualFeeder
from cardio.crypto.check_values import check_value
from cardio.crypto.ciphers import TRIPLE_DES
from cardio.crypto.globalplatform.keys import KeyType, StaticKeys, default_test_keys
from cardio.errors import (
    CardContentRefused,
    CardDiffers,
    CardError,
    CardioError,
    CardKeysDiffer,
    CardNotBlank,
    CardRejected,
    CardRemoved,
    KeyRejected,
    LayoutInvalid,
    LoadFileInvalid,
    SamKeyMissing,
)
from cardio.personalize.attempts import CardState
from cardio.personalize.batch import Batch, Result
from cardio.personalize.globalplatform.layout import Protocol
from cardio.personalize.jobs import Job
from cardio.personalize.layouts import load_card_layout
from cardio.personalize.register import Register
from cardio.security.issuing import KeyringIssuingKeys
from cardio.security.keyring import Keyring
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.chip import Chip
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_applet import PersonalizableApplet
from cardio.virtual.globalplatform_channel import KeySet
from cardio.virtual.globalplatform_registry import Application, LoadFile
from cardio.virtual.received import Received
from tests.cli.test_cli import cardio
from tests.globalplatform.caps import APPLET, PACKAGE
from tests.globalplatform.channels import SCP03, Watched, aes_keys
from tests.personalize.java_cards import (
    OWN_KEYS,
    PRODUCT,
    WALLET,
    WALLET_KEYS,
    JavaWorkshop,
    applet_memory,
    layout_text,
    memory,
    write_layout,
)
from tests.personalize.workshop import JOB, PIN, powered

INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE, DELETE, PUT_KEY = 0x50, 0x82, 0xE4, 0xD8
PROTOCOLS = pytest.mark.parametrize("protocol", list(Protocol))


@pytest.fixture
def workshop(tmp_path: Path) -> JavaWorkshop:
    return JavaWorkshop(tmp_path)


@pytest.fixture
def register(workshop: JavaWorkshop, tmp_path: Path) -> Iterator[Register]:
    with workshop.register(tmp_path) as register:
        yield register


@dataclass
class Refused:
    """How a card was refused, and the instructions that it got before."""

    error: CardioError
    sent: list[int]


def refused(workshop: JavaWorkshop, card: JavaCard, register: Register, *, try_again: bool = False) -> Refused:
    """Present a card that cannot be made."""
    with powered(card) as channel:
        watched = Watched(channel)
        with pytest.raises(CardioError) as failed:
            workshop.maker.personalize(watched, workshop.rows[0], register, JOB, try_again=try_again)
    return Refused(failed.value, [command[1] for command in watched.commands])


# ---- a whole card ----------------------------------------------------------------------------------------------------


@PROTOCOLS
def test_a_blank_card_becomes_a_secured_one_with_its_own_keys(tmp_path: Path, protocol: Protocol) -> None:
    workshop = JavaWorkshop(tmp_path, protocol)
    card = workshop.blank(0x1234)
    with workshop.register(tmp_path) as register:
        done = workshop.make(card, register)
    assert card.registry.state is LifeCycle.SECURED
    assert list(card.registry.load_files) == [PACKAGE]
    (application,) = card.registry.applications.values()
    assert (application.aid, application.load_file, application.privileges) == (WALLET, PACKAGE, Privilege.NONE)
    _, groupings = applet_memory(application.applet)
    assert groupings[0x0101].hex().upper().startswith("9999000000000001")
    assert groupings[0x0103] == b"\x01"
    assert groupings[0x8010].rstrip(b"\x00") == bytes.fromhex(PIN) + b"\x80"
    (own,) = card.channel.key_sets.values()
    assert own.keys.version == workshop.layout.own.version
    assert own.keys.values() == workshop.own_keys(card).values()
    assert done.state is CardState.FINISHED
    keys = [groupings[0x8113][place : place + 16] for place in (0, 16, 32)]
    assert keys == [workshop.wallet_key(name) for name in ("WALLET-DPK", "WALLET-DLK", "WALLET-DTK")]
    assert done.kcvs == {
        OWN_KEYS: b"".join(own.keys.check_values()).hex().upper(),
        WALLET_KEYS: b"".join(check_value(TRIPLE_DES, key) for key in keys).hex().upper(),
    }


def test_cards_of_one_lot_get_different_keys(workshop: JavaWorkshop, register: Register) -> None:
    one, other = workshop.blank(1), workshop.blank(2)
    workshop.make(one, register)
    workshop.make(other, register, row=1)
    first, second = (next(iter(card.channel.key_sets.values())).keys.values() for card in (one, other))
    assert not set(first) & set(second)


def test_cards_of_one_atr_are_known_by_their_production_data(workshop: JavaWorkshop, register: Register) -> None:
    cards = [workshop.blank(1), workshop.blank(2)]
    assert cards[0].atr == cards[1].atr
    for row, card in enumerate(cards):
        card.faults = FaultPlan(Fault.CUT_BEFORE, 12)
        with pytest.raises(CardRemoved):
            workshop.make(card, register, row)
    assert [one.state for one in register.attempts()] == [CardState.STARTED] * 2
    for row, card in enumerate(cards):
        assert workshop.make(card, register, row).state is CardState.FINISHED
    identities = [one.identity for one in register.attempts()]
    assert [identity.partition(" ")[2] for identity in identities] == [
        "CPLC:" + "00" * 12 + "00000001" + "0000",
        "CPLC:" + "00" * 12 + "00000002" + "0000",
    ]


def test_a_card_that_tells_its_number_now_and_then_is_not_begun(workshop: JavaWorkshop, register: Register) -> None:
    card = workshop.blank()
    card.faults = FaultPlan(Fault.REFUSED, only="80CA9F7F")
    assert isinstance(refused(workshop, card, register).error, CardError)
    assert register.attempts() == []


def test_a_batch_makes_all_cards_that_the_feeder_brings(workshop: JavaWorkshop, register: Register) -> None:
    feeder = VirtualFeeder(workshop.maker, 1)
    results: list[Result] = []

    def report(result: Result) -> None:
        results.append(result)
        feeder.after(result)

    job = Job(workshop.head, tuple(workshop.rows))
    made = Batch(workshop.maker, job, register, feeder.driver, list(feeder.driver.readers()), report).run()
    assert made == {row.data.record for row in workshop.rows}
    assert [one.state for one in results] == ["finished", "finished"]
    assert len({one.kcvs[OWN_KEYS] for one in results}) == 2


def test_a_dry_run_tells_every_step_and_no_secret(workshop: JavaWorkshop) -> None:
    told = [one.document() for one in dry_run(workshop.maker, workshop.rows[0])]
    phases = list(dict.fromkeys(one["phase"] for one in told))
    assert phases == ["take-over", "structure", "content", "close"]
    assert [one["key"] for one in told if one["key"]] == [WALLET_KEYS, OWN_KEYS]
    text = repr(told).upper()
    secrets = [default_test_keys(KeyType.AES).enc, *workshop.own_keys(workshop.blank()).values()]
    secrets += [workshop.wallet_key(name) for name in ("WALLET-DPK", "WALLET-DLK", "WALLET-DTK")]
    assert PIN not in text
    assert not any(key.hex().upper() in text for key in secrets)


# ---- cards that are not blank, or have other keys --------------------------------------------------------------------


def test_a_card_with_the_application_is_not_blank_and_no_key_is_tried(
    workshop: JavaWorkshop, register: Register
) -> None:
    card = workshop.blank()
    card.registry.load_files[PACKAGE] = LoadFile(PACKAGE, (1, 0), (APPLET,), 100)
    card.registry.applications[WALLET] = Application(WALLET, PACKAGE, PersonalizableApplet(card, b""), Privilege.NONE)
    before = memory(card)
    told = refused(workshop, card, register)
    assert isinstance(told.error, CardNotBlank)
    assert not {INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE, DELETE} & set(told.sent)
    assert memory(card) == before
    assert register.attempts() == []


@PROTOCOLS
def test_a_card_with_other_keys_is_not_tried(tmp_path: Path, protocol: Protocol) -> None:
    workshop = JavaWorkshop(tmp_path, protocol)
    card = workshop.blank()
    (initial,) = card.channel.key_sets.values()
    card.channel.key_sets[0xFF] = KeySet(_other_keys(initial.keys))
    with workshop.register(tmp_path) as register:
        told = refused(workshop, card, register)
        (attempt,) = register.attempts()
    assert isinstance(told.error, CardKeysDiffer)
    assert told.sent.count(INITIALIZE_UPDATE) == 1
    assert EXTERNAL_AUTHENTICATE not in told.sent
    assert attempt.state is CardState.REJECTED
    assert attempt.reason is not None
    assert attempt.reason.startswith("take-over ISD: open a channel with the transport keys: ")


def _other_keys(keys: StaticKeys) -> StaticKeys:
    return StaticKeys(bytes(16), bytes(16), bytes(16), type=keys.type, version=keys.version)


def test_a_lot_with_other_keys_ends_the_run_at_its_first_card(workshop: JavaWorkshop, register: Register) -> None:
    cards = [workshop.blank(1), workshop.blank(2)]
    for card in cards:
        card.channel.key_sets = {0xFF: KeySet(aes_keys(16, 0xFF))}
    reader = EmbeddedReader("desk", cards[0])

    def report(result: Result) -> None:
        assert result.state == "rejected"
        reader.insert(cards[1])

    batch = Batch(
        workshop.maker, Job(workshop.head, tuple(workshop.rows)), register, EmbeddedDriver([reader]), ["desk"], report
    )
    with pytest.raises(CardKeysDiffer):
        batch.run()
    assert len(register.attempts()) == 1


def test_an_old_load_file_goes_with_what_was_made_from_it(workshop: JavaWorkshop, register: Register) -> None:
    card = workshop.blank()
    old = bytes.fromhex("D0D1D2D3D4D501FF")
    card.registry.load_files[PACKAGE] = LoadFile(PACKAGE, (0, 9), (APPLET,), 100)
    card.registry.applications[old] = Application(old, PACKAGE, PersonalizableApplet(card, b""), Privilege.NONE)
    workshop.make(card, register)
    assert list(card.registry.applications) == [WALLET]
    assert card.registry.load_files[PACKAGE].version == (1, 0)


# ---- key sets --------------------------------------------------------------------------------------------------------


def _card_with_version(workshop: JavaWorkshop, version: int) -> JavaCard:
    card = JavaCard(SCP03, keys=default_test_keys(KeyType.AES, version), serial=7)
    assert card.channel.key_sets.keys() == {version}
    assert workshop.layout.protocol is Protocol.SCP03
    return card


def test_transport_keys_that_a_card_keeps_are_deleted(tmp_path: Path) -> None:
    workshop = JavaWorkshop(tmp_path, changes={'version = "FF"': 'version = "01"'})
    card = _card_with_version(workshop, 0x01)
    with workshop.register(tmp_path) as register:
        workshop.make(card, register)
    assert list(card.channel.key_sets) == [0x30]


def test_own_keys_of_the_same_version_take_the_place_of_the_transport_keys(tmp_path: Path) -> None:
    workshop = JavaWorkshop(tmp_path, changes={'version = "FF"': 'version = "30"'})
    card = _card_with_version(workshop, 0x30)
    with workshop.register(tmp_path) as register:
        assert workshop.make(card, register).state is CardState.FINISHED
    assert card.channel.key_sets[0x30].keys.values() == workshop.own_keys(card).values()


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
@pytest.mark.parametrize("transport", [0x01, 0x30])
def test_the_card_says_which_keys_it_has_after_put_key(tmp_path: Path, transport: int, fault: Fault) -> None:
    workshop = JavaWorkshop(tmp_path, changes={'version = "FF"': f'version = "{transport:02X}"'})
    card = _card_with_version(workshop, transport)
    card.faults = FaultPlan(fault, only="84D8")
    with workshop.register(tmp_path) as register:
        with pytest.raises(CardRemoved):
            workshop.make(card, register)
        (attempt,) = register.attempts()
        assert (attempt.state, attempt.keys) == (CardState.KEY_UNCONFIRMED, {WALLET_KEYS: True, OWN_KEYS: False})
        assert workshop.make(card, register).state is CardState.FINISHED
    assert list(card.channel.key_sets) == [0x30]
    assert card.channel.failures == 0


def _torn_at(card: JavaCard, command: str, workshop: JavaWorkshop, register: Register) -> None:
    card.faults = FaultPlan(Fault.CUT_BEFORE, only=command)
    with pytest.raises(CardRemoved):
        workshop.make(card, register)
    card.faults = None


def test_a_card_with_neither_key_set_is_rejected_untried(workshop: JavaWorkshop, register: Register) -> None:
    card = workshop.blank()
    _torn_at(card, "84D8", workshop, register)
    card.channel.key_sets = {0x30: KeySet(aes_keys(16, 0x30))}
    told = refused(workshop, card, register)
    assert isinstance(told.error, CardKeysDiffer)
    assert EXTERNAL_AUTHENTICATE not in told.sent
    (attempt,) = register.attempts()
    assert attempt.state is CardState.REJECTED


def test_a_card_that_had_its_own_keys_is_not_taken_over_again(workshop: JavaWorkshop, register: Register) -> None:
    """Transport keys on a card whose own keys were confirmed: it is another card, or was reset."""
    card = workshop.blank()
    _torn_at(card, "84F0", workshop, register)
    (attempt,) = register.attempts()
    assert attempt.keys == {WALLET_KEYS: True, OWN_KEYS: True}
    card.channel.key_sets = {0xFF: KeySet(default_test_keys(KeyType.AES, 0xFF))}
    told = refused(workshop, card, register)
    assert EXTERNAL_AUTHENTICATE not in told.sent
    assert register.attempt(attempt.id).state is CardState.REJECTED


def test_a_card_that_may_have_its_keys_is_not_made_for_another_row(workshop: JavaWorkshop, register: Register) -> None:
    card = workshop.blank()
    card.faults = FaultPlan(Fault.REFUSED, only="84D8", status=0x9485)
    assert isinstance(refused(workshop, card, register).error, CardContentRefused)
    with powered(card) as channel, pytest.raises(CardRejected, match="closed for row"):
        workshop.maker.personalize(channel, workshop.rows[1], register, JOB, try_again=True)
    assert workshop.make(card, register, try_again=True).state is CardState.FINISHED


# ---- reading back ----------------------------------------------------------------------------------------------------


class Forgetful(PersonalizableApplet):
    """Tells another value than it got."""

    def process(self, command: Received) -> bytes:
        return super().process(command)[:-1] + b"?"


def test_a_card_that_tells_other_data_is_rejected(workshop: JavaWorkshop, register: Register) -> None:
    card = JavaCard(SCP03, serial=3, factory=Forgetful)
    told = refused(workshop, card, register)
    assert isinstance(told.error, CardDiffers)
    assert "ADF1/0101: differs" in told.error.detail
    (attempt,) = register.attempts()
    assert attempt.state is CardState.REJECTED


CHANGES: dict[str, tuple[Callable[[JavaCard], object], str]] = {
    "life cycle": (lambda card: setattr(card.registry, "state", LifeCycle.INITIALIZED), "ISD/life-cycle"),
    "load file": (lambda card: card.registry.load_files.clear(), f"ISD/{PACKAGE.hex().upper()}"),
    "application locked": (lambda card: setattr(card.registry.applications[WALLET], "state", 0x87), "ISD/ADF1"),
    "privileges": (
        lambda card: setattr(card.registry.applications[WALLET], "privileges", Privilege.CARD_LOCK),
        "ISD/ADF1",
    ),
    "transport keys": (
        lambda card: card.channel.key_sets.update({0xFF: KeySet(default_test_keys(KeyType.AES))}),
        "ISD/keys",
    ),
    "data": (lambda card: _groupings(card).update({0x0103: b"\x02"}), "ADF1/0103"),
}


def _groupings(card: JavaCard) -> dict[int, bytes]:
    applet = card.registry.applications[WALLET].applet
    assert isinstance(applet, PersonalizableApplet)
    return applet.groupings


def test_a_finished_card_is_read_back_whole(workshop: JavaWorkshop, register: Register) -> None:
    card = workshop.blank()
    workshop.make(card, register)
    with powered(card) as channel:
        found = workshop.maker.read_back(channel, workshop.rows[0])
    written = workshop.rows[0].content.files
    data = [
        f"ADF1/{grouping.dgi:04X}"
        for grouping in workshop.layout.applets[0].data
        if grouping.readable and (grouping.place is None or grouping.place in written)
    ]
    assert {"ADF1/0101", "ADF1/0103"} <= set(data)
    assert [one.file for one in found if one.same] == [
        "ISD/keys",
        "ISD/life-cycle",
        f"ISD/{PACKAGE.hex().upper()}",
        "ISD/ADF1",
        *data,
    ]
    assert [one.file for one in found if one.differs] == []
    assert [one.file for one in found if not one.same] == ["ADF1/8010"]


@pytest.mark.parametrize(("change", "file"), CHANGES.values(), ids=CHANGES.keys())
def test_what_is_not_as_it_was_made_is_found(
    workshop: JavaWorkshop, register: Register, change: Callable[[JavaCard], object], file: str
) -> None:
    card = workshop.blank()
    workshop.make(card, register)
    change(card)
    with powered(card) as channel:
        try:
            found = workshop.maker.read_back(channel, workshop.rows[0])
        except CardError:
            assert file == "ISD/ADF1"  # a locked application is not selected
            return
    assert [one.file for one in found if one.differs] == [file]


# ---- layouts ---------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, str, str]] = {
    "protocol": ('protocol = "scp03"', 'protocol = "scp11"', "protocol: Input should be 'scp02' or 'scp03'"),
    "own version": ('version = "30"', 'version = "80"', "own.version: 01 to 7F is needed"),
    "transport version": ('version = "FF"', 'version = "00"', "transport.version: 01 to 7F or FF is needed"),
    "level": ('level = "33"', 'level = "00"', "C-MAC is needed"),
    "diversification": ('"kdf3"', '"emv"', "emv makes no keys for scp03"),
    "life cycle": ('life_cycle = "SECURED"', 'life_cycle = "TERMINATED"', "life_cycle"),
    "privileges as a number": ("privileges = []", "privileges = 1099511627776", "a list of names is needed"),
    "privilege": ("privileges = []", 'privileges = ["EVERYTHING"]', "EVERYTHING is none of NONE, SECURITY_DOMAIN"),
    "two contents": ('constant = "01"', 'constant = "01", pin = true', "one of file, constant, pin and keys is needed"),
    "PIN in plain": (', protection = "padded"', "", "a PIN is sent padded"),
    "keys in plain": (', protection = "encrypted"', "", "keys are sent encrypted"),
    "one DGI twice": ('dgi = "0102"', 'dgi = "0101"', "ADF1 has two groupings of one DGI"),
    "place": ('"ADF1/EF15"', '"EF15"', "directory/file is needed"),
    "unknown key": ('id = "java-card"', 'id = "java-card"\ncolour = "red"', "colour: Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("before", "after", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_layout_that_cannot_be_used_is_told_with_key_and_reason(
    tmp_path: Path, before: str, after: str, reason: str
) -> None:
    text = layout_text(Protocol.SCP03)
    assert before in text
    file = write_layout(tmp_path, text.replace(before, after))
    with pytest.raises(LayoutInvalid, match=r"java-card\.toml") as failed:
        load_card_layout(file)
    assert reason in failed.value.detail


def test_a_module_must_be_in_a_package(tmp_path: Path) -> None:
    with pytest.raises(LayoutInvalid, match="no package has the module D0D1D2D3D4D501FF"):
        JavaWorkshop(tmp_path, changes={'module = "D0D1D2D3D4D50101"': 'module = "D0D1D2D3D4D501FF"'})


def test_a_file_must_be_one_of_the_product(tmp_path: Path) -> None:
    with pytest.raises(LayoutInvalid, match="ADF1/EF99: citizen-wallet has no such file"):
        JavaWorkshop(tmp_path, changes={'"ADF1/EF15"': '"ADF1/EF99"'})
    with pytest.raises(LayoutInvalid, match="holder-99 is none of"):
        JavaWorkshop(tmp_path, changes={'"holder-55"': '"holder-99"'})


def test_a_layout_is_for_one_product(tmp_path: Path) -> None:
    with pytest.raises(LayoutInvalid, match=r"layout java-card is for product ssc-2\.0, not citizen-wallet"):
        JavaWorkshop(tmp_path, changes={'product = "citizen-wallet"': 'product = "ssc-2.0"'})


def test_a_source_without_key_sets_is_refused_before_any_card(tmp_path: Path) -> None:
    with pytest.raises(SamKeyMissing, match="GP-TRANSPORT"):
        JavaWorkshop(tmp_path, keys=KeyringIssuingKeys(Keyring("city", {}, test=True)))


def test_a_cap_file_that_is_missing_is_told_before_any_card(tmp_path: Path) -> None:
    with pytest.raises(LoadFileInvalid, match=r"other\.cap"):
        JavaWorkshop(tmp_path, changes={'"wallet.cap"': '"other.cap"'})


def test_encrypted_data_must_be_whole_blocks(tmp_path: Path) -> None:
    workshop = JavaWorkshop(
        tmp_path, changes={'constant = "01", readable = true': 'constant = "01", protection = "encrypted"'}
    )
    card: Chip = workshop.blank()
    channel = EmbeddedReader("desk", card).connect()
    with pytest.raises(LayoutInvalid, match="ADF1/0103: 1 bytes are no blocks of 16"):
        workshop.maker.plan(CardConnection(channel), workshop.rows[0])


# ---- the command line ------------------------------------------------------------------------------------------------


def test_a_job_is_made_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = str(write_layout(tmp_path, layout_text(Protocol.SCP03)))
    monkeypatch.chdir(tmp_path)
    options = ("--product", PRODUCT, "--layout", layout)
    example = cardio("personalize", "--example", "--cards", "2", *options)
    (tmp_path / "job.jsonl").write_text(example.stdout, encoding="utf-8")

    planned = cardio("personalize", "job.jsonl", "--dry-run", *options)
    assert planned.exit_code == 0, planned.output
    for command in ("INITIALIZE UPDATE", "LOAD", "INSTALL", "STORE DATA", "PUT KEY", "SET STATUS", "SECURED"):
        assert command in planned.stdout
    assert "UNKNOWN COMMAND" not in planned.stdout
    assert not (tmp_path / "cards.db").exists()

    made = cardio("personalize", "job.jsonl", "--reader", "virtual", *options)
    assert made.exit_code == 0, made.output
    results = [json.loads(line) for line in (tmp_path / "job.jsonl.results.jsonl").read_text().splitlines()]
    assert [(one["record"], one["state"], one["uid"]) for one in results] == [
        ("000001", "finished", None),
        ("000002", "finished", None),
    ]
    assert len({one["cplc"] for one in results}) == 2
    chain = cardio("register", "export").stdout
    assert chain.index("card.key-unconfirmed") < chain.index('"life_cycle": "SECURED"') < chain.index("card.closed")


@pytest.mark.parametrize("shared", [("ENC", "MAC", "DEK"), ("DEK",)], ids=["all", "one"])
def test_a_card_never_leaves_with_a_key_of_the_makers_set(tmp_path: Path, shared: tuple[str, ...]) -> None:
    changes = {f'{name.lower()} = "GP-{name}"': f'{name.lower()} = "GP-TRANSPORT"' for name in shared}
    workshop = JavaWorkshop(tmp_path, changes={**changes, 'diversification = "kdf3"': ""})
    card = workshop.blank()
    before = memory(card)
    with workshop.register(tmp_path) as register:
        with pytest.raises(KeyRejected, match="transport"):
            workshop.make(card, register)
        assert register.attempts() == []
    assert memory(card) == before
