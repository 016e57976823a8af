"""The virtual wallet and the virtual PSAM, held to every money vector of EW §10."""

from typing import Any

import pytest

from cardio.files.declaration import FileDeclaration
from cardio.files.wallet.applications import WALLET_NAME
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.trips import EF1E_TRIPS
from cardio.files.wallet.tunion import EF1A_COMPOSITE
from cardio.purse.purse import CounterRule
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual import purse as virtual_purse
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.psam import PsamFunction, PsamKey
from cardio.virtual.purse_keys import PurseKeys
from cardio.virtual.wallet import WalletFunction
from cardio.virtual.wallet_purse import PurseNumber, StoredPurse
from tests.virtual.vectors import entries, suite_of
from tests.virtual.wire import SELECT_WALLET, VERIFY_RIGHT, complete, fixed, send

MONEY_KINDS = (
    "load", "purchase", "purchase-two-level", "composite", "composite-bike", "cash-withdraw", "unload",
    "overdraft-update", "grey-lock",
)  # fmt: skip
MONEY = {entry["id"]: entry for entry in entries() if entry["kind"] in MONEY_KINDS and "apdus" in entry}
"""Vectors with all their APDUs."""
CRYPTOGRAMS = {
    entry["id"]: entry
    for entry in entries()
    if entry["kind"] in {"load", "purchase"} and "apdus" not in entry
}  # fmt: skip
"""Loads and purchases that others published, and one of an 8-byte key, put into APDUs of our own."""
PURCHASES = [name for name, entry in MONEY.items() if "terminal_seq" in entry["inputs"] and name != "3des-grey-lock"]
GREY = "3des-grey-lock"
LAST_COUNTER = 0xFFFF
AT_LAST_COUNTER = [
    name
    for name, entry in MONEY.items()
    if "FFFF" in {entry["inputs"].get("offline_seq"), entry["inputs"].get("online_seq")}
]
ATR = bytes.fromhex("3B00")
PIN = bytes.fromhex("123456")
TO_PSAM = (0x70, 0x72)
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))
Entry = dict[str, Any]


def number(entry: Entry, name: str, default: str = "00") -> int:
    return int(entry["inputs"].get(name, default), 16)


def card_with(function: WalletFunction, protocol: CardProtocol, *files: ElementaryFile) -> VirtualCard:
    """A card whose only application is this wallet, selected, with the PIN presented."""
    master = Directory(0x3F00)
    master.add(Directory(0x3F01, WALLET_NAME, files=[function.log, *files], function=function))
    card = VirtualCard(ATR, master, protocol, CardPin(PIN))
    function.card = card
    assert complete(card, SELECT_WALLET + "00").endswith("9000")
    assert complete(card, VERIFY_RIGHT) == "9000"
    return card


def keys_of(entry: Entry) -> PurseKeys:
    """Card keys from the vector's masters; where it has none, its card keys."""
    inputs, suite = entry["inputs"], suite_of(entry)
    factors = [bytes.fromhex(one) for one in inputs.get("factors_in_order_of_use", [inputs.get("factor", "")])]

    def key(name: str) -> bytes:
        if f"master_{name}" in inputs:
            return suite.diversify(bytes.fromhex(inputs[f"master_{name}"]), factors)
        return bytes.fromhex(inputs.get(name, ""))

    sm4 = entry["alg"] == "SM4"
    index = number(entry, "key_index", "41" if sm4 else "01")
    return PurseKeys(
        purchase={index: key("DPK")},
        load={index: key("DLK")},
        unload={index: key("DULK")},
        overdraft={index: key("DUK")},
        tac=key("DTK"),
        version=number(entry, "key_version", "01"),
        algorithm_id=number(entry, "alg_id", "04" if sm4 else "00"),
    )


def wallet_of(
    entry: Entry,
    protocol: CardProtocol = CardProtocol.T1,
    purse: PurseNumber = PurseNumber.PURSE,
    number_rule: CounterRule = CounterRule.AFTER,
) -> tuple[VirtualCard, WalletFunction, StoredPurse]:
    """The card of a vector, and the purse that the vector uses."""
    used = StoredPurse(
        purse,
        balance=number(entry, "balance"),
        overdraft_limit=number(entry, "overdraft", entry["inputs"].get("old_limit", "00")),
        online_counter=number(entry, "online_seq"),
        offline_counter=number(entry, "offline_seq"),
    )
    other = StoredPurse(PurseNumber(3 - purse), balance=777)
    passbook, wallet = (used, other) if purse is PurseNumber.PASSBOOK else (other, used)
    function = WalletFunction(
        suite_of(entry),
        keys_of(entry),
        ElementaryFile(EF18_LOG),
        passbook=passbook,
        grey_lock=True,
        log_number=number_rule,
        proof_number=number_rule,
    )
    function.purse = wallet
    files = [ElementaryFile(EF1A_COMPOSITE, initial_records(entry)), ElementaryFile(EF1E_TRIPS)]
    card = card_with(function, protocol, *files)
    card.random = fixed(bytes.fromhex(entry["inputs"]["card_random"]))
    return card, function, used


def initial_records(entry: Entry) -> list[bytes]:
    """The records that the vector updates, before their first journey."""
    numbers = [int(apdu["command"][4:6], 16) for apdu in updates(entry) if apdu["command"][6:8] == "D0"]
    return [bytes([0x27, one, 0x7D, 1, 1]).ljust(128, b"\0") for one in numbers]


def updates(entry: Entry) -> list[Entry]:
    return [apdu for apdu in entry["apdus"] if apdu["command"].startswith("80DC")]


def of_card(entry: Entry) -> list[Entry]:
    return [apdu for apdu in entry["apdus"] if not to_psam(apdu)]


def to_psam(apdu: Entry) -> bool:
    return apdu["command"].startswith("80") and int(apdu["command"][2:4], 16) in TO_PSAM


def purse_number(entry: Entry) -> PurseNumber:
    return PurseNumber(int(entry["apdus"][0]["command"][6:8], 16))


def content(card: VirtualCard, declaration: FileDeclaration) -> list[bytes]:
    return next(file.records for file in card.current.files if file.declaration is declaration)


# ---- the card ----------------------------------------------------------------------------------------------------


@protocols
@pytest.mark.parametrize("name", MONEY)
def test_card_answers_every_apdu_of_the_vector(
    name: str, protocol: CardProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = MONEY[name]
    if name in AT_LAST_COUNTER:
        # The vector shows the cryptograms at the edge; a card refuses before (EW PC-11, next test).
        monkeypatch.setattr(virtual_purse, "MAX_COUNTER", LAST_COUNTER + 1)
    card, function, purse = wallet_of(entry, protocol, purse_number(entry))
    for apdu in of_card(entry):
        assert complete(card, apdu["command"]) == apdu["response"], apdu
    outputs = entry["outputs"]
    assert purse.balance == int(outputs["new_balance"], 16)
    for field, counter in (("new_offline_seq", purse.offline_counter), ("new_online_seq", purse.online_counter)):
        assert counter & 0xFFFF == int(outputs.get(field, f"{counter:X}"), 16)
    assert purse.overdraft_limit == int(entry["inputs"].get("new_limit", f"{purse.overdraft_limit:X}"), 16)
    (record,) = function.log.records
    assert record.hex().upper() == outputs.get("log_record", record.hex().upper())
    written = [bytes.fromhex(apdu["command"][10:]) for apdu in updates(entry)]
    assert content(card, EF1A_COMPOSITE) + content(card, EF1E_TRIPS) == written
    for other in (function.purse, function.passbook):
        assert other is purse or other == StoredPurse(PurseNumber(3 - purse.number), balance=777)


def test_bicycle_is_rented_and_returned_on_one_card() -> None:
    """The record of the return goes over that of the renting; the newest trip is the first one."""
    rent, back = MONEY["3des-bike-rent"], MONEY["3des-bike-return"]
    card, function, _ = wallet_of(rent)
    for entry in (rent, back):
        card.random = fixed(bytes.fromhex(entry["inputs"]["card_random"]))
        for apdu in of_card(entry):
            assert complete(card, apdu["command"]) == apdu["response"], apdu
    assert [record[14] for record in content(card, EF1A_COMPOSITE)] == [0x02]
    assert [record[0] for record in content(card, EF1E_TRIPS)] == [0x04, 0x03]
    assert function.balance == 0x076C


@pytest.mark.parametrize("name", AT_LAST_COUNTER)
def test_card_at_its_last_counter_refuses(name: str) -> None:
    entry = MONEY[name]
    card, _, purse = wallet_of(entry, CardProtocol.T1, purse_number(entry))
    opening, closing = of_card(entry)[:2]
    assert send(card, opening["command"]) == "9402"
    assert send(card, closing["command"]) == "6901"
    assert purse.balance == number(entry, "balance")


@pytest.mark.parametrize("name", ["3des-purchase-ep", "3des-purchase-ed", "3des-load-ep", "sm4-cash-withdraw"])
def test_card_of_the_other_counter_rule_proves_and_logs_the_number_before(name: str) -> None:
    entry = MONEY[name]
    card, function, _ = wallet_of(entry, CardProtocol.T1, purse_number(entry), CounterRule.BEFORE)
    opening, closing, prove = of_card(entry)
    send(card, opening["command"])
    send(card, closing["command"])
    counter = entry["inputs"].get("offline_seq") or entry["inputs"]["online_seq"]
    assert send(card, prove["command"]) == "9406"
    assert send(card, prove["command"][:10] + counter + "08") == prove["response"]
    assert function.log.records[0].hex().upper() == counter + entry["outputs"]["log_record"][4:]


@pytest.mark.parametrize("name", ["3des-unload", "sm4-unload", "3des-overdraft-update", "sm4-overdraft-update"])
def test_unload_and_overdraft_update_are_proven_without_mac(name: str) -> None:
    """By analogy with EW PC-18, under the on-line counter and the rule of PC-17."""
    entry = MONEY[name]
    card, _, purse = wallet_of(entry, CardProtocol.T1, PurseNumber.PASSBOOK)
    for apdu in of_card(entry):
        send(card, apdu["command"])
    answer = of_card(entry)[-1]["response"]
    counter = f"{number(entry, 'online_seq') + 1:04X}"
    assert send(card, f"805A00{entry['inputs']['type']}02{counter}08") == f"00000000{answer}"
    assert purse.online_counter == int(counter, 16)


@pytest.mark.parametrize("name", CRYPTOGRAMS)
def test_card_agrees_with_cryptograms_in_apdus_of_our_own(name: str) -> None:
    entry = CRYPTOGRAMS[name]
    given, out, load = entry["inputs"], entry["outputs"], entry["kind"] == "load"
    entry = {**entry, "apdus": [{"command": "8050"}], "inputs": {"balance": "00001000", **given}}
    card, function, _ = wallet_of(entry)
    order = f"0B01{given['amount']}{given['terminal']}"
    balance = entry["inputs"]["balance"]
    if load:
        opened = f"{balance}{given['online_seq']}0100{given['card_random']}{out['MAC1']}9000"
        assert send(card, f"80500002{order}10") == opened
        if "MAC2" in out:
            assert send(card, f"805200000B{given['datetime']}{out['MAC2']}04") == f"{out['TAC']}9000"
            assert function.balance == int(balance, 16) + int(given["amount"], 16)
        return
    assert send(card, f"80500102{order}0F") == f"{balance}{given['offline_seq']}0000000100{given['card_random']}9000"
    debit = f"805401000F{given['terminal_seq']}{given['datetime']}{out['MAC1']}08"
    assert send(card, debit) == f"{out['TAC']}{out['MAC2']}9000"
    assert function.balance == int(balance, 16) - int(given["amount"], 16)


# ---- the PSAM ----------------------------------------------------------------------------------------------------


def psam_of(entry: Entry, protocol: CardProtocol, levels: int, grey_tac: bytes | None = None) -> PsamFunction:
    master = bytes.fromhex(entry["inputs"]["master_DPK"])
    key = PsamKey(
        number(entry, "key_version", "01"), frozenset({number(entry, "alg_id")}), suite_of(entry), master, levels
    )
    function = PsamFunction(
        Family.PBOC,
        [key],
        terminal=bytes.fromhex(entry["inputs"]["terminal"]),
        sequence=number(entry, "terminal_seq"),
        grey_tac=grey_tac,
    )
    function.card = VirtualCard(ATR, Directory(0x3F00, function=function), protocol)
    return function


@protocols
@pytest.mark.parametrize("name", PURCHASES)
def test_psam_answers_every_apdu_of_the_vector(name: str, protocol: CardProtocol) -> None:
    entry = MONEY[name]
    function = psam_of(entry, protocol, len(entry["inputs"]["factors_in_order_of_use"]))
    exchanges = [apdu for apdu in entry["apdus"] if to_psam(apdu)]
    assert len(exchanges) == 2
    for apdu in exchanges:
        assert complete(function.card, apdu["command"]) == apdu["response"]
    assert function.sequence == (number(entry, "terminal_seq") + 1) & 0xFFFFFFFF


@protocols
def test_psam_makes_the_cryptograms_of_the_grey_lock(protocol: CardProtocol) -> None:
    """The vector has no APDUs for the PSAM; these are of EW §3.5 with its values. The PSAM's TAC is not in it."""
    entry = MONEY[GREY]
    given, out = entry["inputs"], entry["outputs"]
    tac_key = bytes(range(16))
    function = psam_of(entry, protocol, 1, tac_key)
    card = function.card
    card.random = fixed(bytes.fromhex(given["terminal_random"]))
    values = f"{given['card_random']}{given['offline_seq']}{given['balance']}92{given['lock_datetime']}0100"
    answer = complete(card, f"E04000001C{values}{given['factor']}0C")
    assert answer == f"{given['terminal_seq']}{given['terminal_random']}{out['MAC1']}9000"
    assert complete(card, f"E042000004{out['MAC2']}") == "9000"
    assert function.sequence == number(entry, "terminal_seq") + 1
    card.power_off()
    card.power_on()
    answer = complete(card, f"E04400000F94{given['factor']}{given['offline_seq']}{given['debit_amount']}08")
    signed = f"{given['debit_amount']}94{given['terminal']}{given['terminal_seq']}{given['lock_datetime']}"
    tac = suite_of(entry).tac(tac_key, bytes.fromhex(signed))
    assert answer == f"{out['GMAC']}{tac.hex().upper()}9000"
