"""The terminal's side of every vector of EW §10 that moves money, without any virtual card.

The purse gives the commands, the terminal's keys and the host the cryptograms, the script is the vector: exactly these
commands, exactly these answers. The virtual card is held to the same vectors elsewhere, so that the two cannot agree on
a mistake. The last test walks through the whole file, so that no vector is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.purse.composite import RecordUpdate
from cardio.purse.operation import Operation
from cardio.purse.purse import CardProof, Initialized, parse_proof
from cardio.purse.wallet import ED_STEPS, EP_STEPS, PurseFile, WalletPurse
from cardio.security.derived_keys import PurchaseCryptograms, Terminal
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Authorization, Mac2
from cardio.security.load_host import HostGrant
from cardio.security.psam import Psam
from cardio.security.psam_grey import GreyAuthorization
from cardio.security.software_load_host import BookingState
from cardio.transport.channel import CardProtocol
from tests.crypto import test_pboc_suite
from tests.crypto.vectors import Vector, all_vectors, of_kind
from tests.purse.scripted import (
    SELECT_MASTER_FILE,
    SELECT_WALLET_SAM,
    WALLET_SAM,
    ScriptedSlot,
    card_script,
    psam_script,
    rules,
    scripted,
)
from tests.security import test_derived_keys, test_software_load_host
from tests.security.purchases import OTHER_SESSION_INPUTS
from tests.summary import SUMMARY
from tests.virtual.vectors import entries, suite_of

Entry = dict[str, Any]
STEPS = {PurseFile.PURSE: EP_STEPS, PurseFile.PASSBOOK: ED_STEPS}
OFFLINE_KINDS = ("purchase", "purchase-two-level", "cash-withdraw", "composite", "composite-bike")
ONLINE_KINDS = ("load", "unload", "overdraft-update")
HOSTS = {case.name: case for case in test_software_load_host.CASES}
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


def with_apdus(*kinds: str) -> list[Any]:
    return [
        pytest.param(entry, id=entry["id"]) for entry in entries() if entry["kind"] in kinds and "apdus" in entry
    ]  # fmt: skip


def raw(entry: Entry, name: str, default: str = "") -> bytes:
    return bytes.fromhex(entry["inputs"].get(name) or entry["outputs"].get(name) or default)


def number(entry: Entry, name: str, default: str = "00") -> int:
    return int.from_bytes(raw(entry, name, default), "big")


def kind_of(entry: Entry) -> tuple[PurseFile, Operation]:
    """Purse and operation of the vector's transaction type."""
    (found,) = (
        (file, operation)
        for file, steps in STEPS.items()
        for operation, step in steps.items()
        if step.kind == number(entry, "type")
    )
    return found


def factors_of(entry: Entry) -> tuple[bytes, ...]:
    inputs = entry["inputs"]
    return tuple(bytes.fromhex(one) for one in inputs.get("factors_in_order_of_use", [inputs.get("factor", "")]))


def purse_of(entry: Entry, protocol: CardProtocol) -> tuple[WalletPurse, Callable[[], None]]:
    """The vector's purse over its script, and what asserts that the script is over."""
    connection, script = scripted(*card_script(entry), protocol=protocol)
    found = rules(WALLET_SAM, algorithm=suite_of(entry).algorithm)
    found = replace(found, sam=replace(WALLET_SAM, levels=len(factors_of(entry))))
    return WalletPurse(connection, found, factors_of(entry), kind_of(entry)[0]), script.assert_finished


def initialized_of(entry: Entry, counter: str, overdraft: str, mac1: bytes = b"") -> Initialized:
    sm4 = suite_of(entry).algorithm is Algorithm.SM4
    return Initialized(
        balance_fen=number(entry, "balance"),
        counter=number(entry, counter),
        key_version=number(entry, "key_version", "01"),
        algorithm_id=number(entry, "alg_id", "04" if sm4 else "00"),
        random=raw(entry, "card_random"),
        overdraft_fen=number(entry, overdraft),
        mac1=mac1,
        balance_sent=number(entry, "balance"),
    )


def updates_of(entry: Entry) -> Iterator[RecordUpdate]:
    """The records of a composite purchase; `test_journeys` holds the builders to the same commands."""
    for exchange in card_script(entry):
        if exchange.command.startswith("80DC"):
            command = bytes.fromhex(exchange.command)
            assert command[3] & 0x07 == 0
            yield RecordUpdate(sfi=command[3] >> 3, record=command[2], data=command[5:])


def ours(entry: Entry) -> bool:
    """Whether the vector has the SM4 session input that we chose (EW PC-14)."""
    return not entry["id"].endswith(OTHER_SESSION_INPUTS)


# ---- off-line ----------------------------------------------------------------------------------------------------


@protocols
@pytest.mark.parametrize("entry", with_apdus(*OFFLINE_KINDS))
def test_terminal_sends_every_apdu_of_an_offline_vector(entry: Entry, protocol: CardProtocol) -> None:
    """To the card and to the PSAM, with MAC1 and MAC2 from a keyring besides."""
    purse, assert_finished = purse_of(entry, protocol)
    _, operation = kind_of(entry)
    amounts, terminal = (number(entry, "amount"),), raw(entry, "terminal")
    authorization = Authorization(number(entry, "terminal_seq"), raw(entry, "MAC1"))
    cryptograms = PurchaseCryptograms(raw(entry, "MAC1"), raw(entry, "MAC2"))

    initialized = purse.initialize(operation, amounts, terminal, purse.key_index(1))
    assert initialized == initialized_of(entry, "offline_seq", "overdraft")

    order = purse.order(operation, initialized, amounts, raw(entry, "datetime"))
    slot = ScriptedSlot(SELECT_MASTER_FILE, SELECT_WALLET_SAM, *psam_script(entry), protocol=protocol)
    psam = Psam(slot)
    assert psam.authorize(order) == authorization
    if ours(entry):
        root = RootKey(raw(entry, "master_DPK"), len(factors_of(entry)))
        keyring = Keyring("vector", {"WALLET-DPK": root}, test=True, terminal=Terminal(terminal))
        assert keyring.purchase(order, authorization.sequence) == cryptograms

    for update in updates_of(entry):
        purse.update_record(update)
    debit = purse.debit_command(operation, authorization, order.time)
    proof = CardProof(tac=raw(entry, "TAC"), mac2=cryptograms.mac2)
    assert parse_proof(operation, purse._card.call(debit)) == proof
    assert psam.check_mac2(cryptograms.mac2) is Mac2.OK
    assert purse.proof(operation, initialized.counter) == proof
    assert operation.balance_after(initialized.balance_fen, amounts[0]) == number(entry, "new_balance")
    assert_finished()
    slot.channel.assert_finished()


# ---- on-line -----------------------------------------------------------------------------------------------------


@protocols
@pytest.mark.parametrize("entry", with_apdus(*ONLINE_KINDS))
def test_terminal_sends_every_apdu_of_an_online_vector(entry: Entry, protocol: CardProtocol) -> None:
    """With the grant of a host that has the vector's keys: it takes the card's MAC1, and its proof in the end."""
    purse, assert_finished = purse_of(entry, protocol)
    _, operation = kind_of(entry)
    overdraft = operation is Operation.OVERDRAFT
    amount, terminal = number(entry, "new_limit" if overdraft else "amount"), raw(entry, "terminal")

    initialized = purse.initialize(operation, (amount,), terminal, purse.load_key_index)
    assert initialized == initialized_of(entry, "online_seq", "old_limit", raw(entry, "MAC1"))

    request = purse.host_request(operation, "T1", initialized, amount, terminal, "card")
    grant = HostGrant(raw(entry, "datetime"), raw(entry, "MAC2"))
    host = HOSTS[entry["id"]].host() if ours(entry) else None
    if host is not None:
        assert host.authorize(request) == grant

    tac = raw(entry, "MAC3" if operation is Operation.UNLOAD else "TAC")
    proof = parse_proof(operation, purse._card.call(purse.grant_command(operation, grant, amount)))
    assert proof == CardProof(tac)
    if host is not None:
        host.confirm("T1", proof.tac)
        assert host.bookings["T1"].state is BookingState.CONFIRMED
    if operation is Operation.LOAD:
        assert purse.proof(operation, initialized.counter) == proof
    after = operation.balance_after(initialized.balance_fen, amount, initialized.overdraft_fen)
    assert after == request.balance_after == number(entry, "new_balance")
    assert_finished()


# ---- grey lock ---------------------------------------------------------------------------------------------------


@protocols
@pytest.mark.parametrize("entry", with_apdus("grey-lock"))
def test_terminal_sends_every_apdu_of_the_grey_lock(entry: Entry, protocol: CardProtocol) -> None:
    """The vector has no commands for the PSAM; `test_psam_grey` has them with the same values."""
    connection, script = scripted(*card_script(entry), protocol=protocol)
    purse = WalletPurse(connection, replace(rules(WALLET_SAM), grey_lock=True), factors_of(entry))
    terminal, sequence, counter = raw(entry, "terminal"), number(entry, "terminal_seq"), number(entry, "offline_seq")
    initialized = purse.initialize(Operation.GREY_LOCK, (0,), terminal, 1)
    assert initialized == initialized_of(entry, "offline_seq", "overdraft")
    order = purse.grey_order(initialized, raw(entry, "lock_datetime"))
    assert (order.kind, order.counter, order.balance) == (0x92, counter, number(entry, "balance"))
    assert (order.random, order.time, order.factors) == (
        raw(entry, "card_random"),
        raw(entry, "lock_datetime"),
        factors_of(entry),
    )
    authorization = GreyAuthorization(sequence, raw(entry, "terminal_random"), raw(entry, "MAC1"))
    locked = connection.call(purse.lock_command(authorization, raw(entry, "lock_datetime")))
    assert parse_proof(Operation.GREY_LOCK, locked) == CardProof(tac=raw(entry, "GTAC"), mac2=raw(entry, "MAC2"))
    debit = purse.debit_for_unlock_command(
        number(entry, "debit_amount"),
        counter=counter,
        terminal=terminal,
        sequence=sequence,
        time=raw(entry, "debit_datetime"),
        gmac=raw(entry, "GMAC"),
    )
    assert parse_proof(Operation.GREY_DEBIT, connection.call(debit)) == CardProof(raw(entry, "TAC"))
    assert (purse.step(Operation.GREY_DEBIT).kind, purse.card_factor) == (0x94, factors_of(entry)[-1])
    script.assert_finished()


# ---- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", of_kind("diversify"), ids=str)
def test_a_keyring_diversifies_as_the_vector_does(vector: Vector) -> None:
    keyring = Keyring("vector", {"WALLET-DPK": RootKey(vector.input("master"), len(vector.factors))}, test=True)
    suite = test_pboc_suite.suite_for(vector)
    assert keyring.card_key("WALLET-DPK", suite, tuple(vector.factors)) == vector.output("key")


# ---- the whole file ----------------------------------------------------------------------------------------------

REPLAYED: Mapping[str, Callable[..., None]] = {
    "off-line, card and PSAM": test_terminal_sends_every_apdu_of_an_offline_vector,
    "on-line": test_terminal_sends_every_apdu_of_an_online_vector,
    "grey lock": test_terminal_sends_every_apdu_of_the_grey_lock,
    "purchases without APDUs": (
        test_derived_keys.test_a_keyring_makes_both_cryptograms_of_the_vector_from_a_root_of_any_level
    ),
    "loads without APDUs": test_software_load_host.test_mac1_of_the_vector_is_accepted_and_mac2_answered,
    "diversifications": test_a_keyring_diversifies_as_the_vector_does,
}
"""What the terminal does, and the test of it; a vector counts where it comes first."""
NOT_THE_TERMINALS: Mapping[str, tuple[str, ...]] = {
    "bare blocks and MACs": ("mac-", "pub-sm4-known-answer"),
    "TAC of the reading that our host refuses": ("3des-overdraft-update-dtk-direct",),
    "issuer's maintenance": (
        "3des-sm-",
        "sm4-sm-",
        "3des-reload-pin-",
        "sm4-reload-pin-",
        "3des-psam-app-block",
        "sm4-psam-app-block",
        "pub-enc-",
        "pub-write-key-",
    ),
    "personalizer's authentications": (
        "3des-external-authenticate",
        "sm4-external-authenticate",
        "pub-internal-auth-fmcos",
        "pub-external-auth-fmcos",
    ),
    "TACs computed anew": (
        "3des-psam-recompute-tac",
        "sm4-psam-recompute-tac",
    ),
}
"""What a terminal neither sends nor computes, and the beginnings of such vectors' names.

Bare blocks and MACs are parts of what it computes elsewhere. A TAC could be computed anew by a PSAM that has the card's
TAC key (EW §5.4): no operation of ours asks for one, a proof that is lost stays lost. The rest are commands to cards of
an issuer or a personalizer.
"""


def ids_of(*functions: Callable[..., None]) -> set[str]:
    """Names of the vectors with which test functions are parametrized."""
    known = {vector.id for vector in all_vectors()}
    found: set[str] = set()
    for function in functions:
        for mark in getattr(function, "pytestmark", ()):
            found.update(_names(mark.args[1]) if mark.name == "parametrize" else ())
    return found & known


def _names(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        for one in value.values if hasattr(value, "marks") else (value,):
            yield one["id"] if isinstance(one, dict) else str(one)


def functions_of(module: ModuleType) -> list[Callable[..., None]]:
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def test_every_vector_is_replayed_on_the_terminal_side_or_is_not_the_terminals() -> None:
    every = [vector.id for vector in all_vectors()]
    counted: dict[str, set[str]] = {}
    for name, function in REPLAYED.items():
        counted[name] = ids_of(function) - set().union(*counted.values())
    replayed = set().union(*counted.values())
    others = {
        reason: {one for one in every if one.startswith(starts)} for reason, starts in NOT_THE_TERMINALS.items()
    }  # fmt: skip
    assert all(counted.values())
    assert all(others.values())
    left_out = [one for ids in others.values() for one in ids]
    assert sorted([*replayed, *left_out]) == sorted(every)
    # The suite is held to all of these, and the virtual card to those with APDUs (`test_vector_coverage`).
    assert set(left_out) <= ids_of(*functions_of(test_pboc_suite))
    shares = ", ".join(f"{len(ids)} {name}" for name, ids in counted.items())
    reasons = ", ".join(f"{len(ids)} {reason}" for reason, ids in others.items())
    SUMMARY["terminal vectors"] = f"wallet vectors on the terminal side: {len(replayed)} of {len(every)} ({shares})"
    SUMMARY["other vectors"] = f"wallet vectors that are not the terminal's: {len(left_out)} ({reasons})"


def test_vectors_without_money_commands_are_all_that_has_no_replay_of_apdus() -> None:
    """Every vector with an INITIALIZE, a GREY LOCK or an 80 70 in it is among the replayed ones."""
    money = {
        entry["id"]
        for entry in entries()
        for apdu in entry.get("apdus", ())
        if apdu["command"].startswith(("8050", "E07A", "8070"))
    }
    assert money == ids_of(
        test_terminal_sends_every_apdu_of_an_offline_vector,
        test_terminal_sends_every_apdu_of_an_online_vector,
        test_terminal_sends_every_apdu_of_the_grey_lock,
    )
