"""The load host in software, held to EW §10 and SSC §9.3: MAC1, MAC2, TAC and MAC3; what it books, and when."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import HostRefused
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family
from cardio.security.load_host import HostGrant, HostOperation, HostRequest, LoadHost
from cardio.security.software_load_host import Booking, BookingState, SoftwareLoadHost
from tests.crypto.vectors import Vector, all_vectors, of_kind
from tests.security.purchases import NATIONAL_ROOT, OTHER_SESSION_INPUTS
from tests.virtual.settlements import CARD_FACTOR, CITY_FACTOR, PROVINCE_FACTOR

OPERATIONS = {
    "load": (HostOperation.LOAD, "DLK"),
    "unload": (HostOperation.UNLOAD, "DULK"),
    "overdraft-update": (HostOperation.OVERDRAFT, "DUK"),
}
NOT_KNOWN_TIME = bytes.fromhex("20260101000000")


@dataclass(frozen=True)
class HostCase:
    """One on-line transaction.

    Attributes:
        name: Of the vector.
        roots: The host's keys.
        request: What is asked for.
        time: Host time.
        mac2: MAC2, None where the source gives none.
        proof: TAC or MAC3, None where the source gives none.
    """

    name: str
    roots: dict[str, RootKey]
    request: HostRequest
    time: bytes
    mac2: bytes | None
    proof: bytes | None

    def host(self, max_amount_fen: int | None = None) -> SoftwareLoadHost:
        keyring = Keyring("vectors", self.roots, test=True)
        return SoftwareLoadHost(keyring, lambda: self.time, max_amount_fen)

    def __str__(self) -> str:
        return self.name


def wallet_case(vector: Vector) -> HostCase:
    operation, key = OPERATIONS[vector.kind]
    overdraft = operation is HostOperation.OVERDRAFT
    diversified = f"master_{key}" in vector.inputs

    def number(name: str) -> int:
        return int.from_bytes(vector.input(name), "big")

    roots = {
        f"WALLET-{name}": RootKey(vector.input(f"master_{name}" if diversified else name), int(diversified))
        for name in (key, "DTK")
        if (f"master_{name}" if diversified else name) in vector.inputs
    }
    if not diversified:
        # The shortest published vector ends with MAC1 and gives no TAC key.
        roots.setdefault("WALLET-DTK", RootKey(bytes(16), 0))
    proof = "MAC3" if operation is HostOperation.UNLOAD else "TAC"
    return HostCase(
        name=vector.id,
        roots=roots,
        request=HostRequest(
            id="T1",
            operation=operation,
            family=Family.PBOC,
            algorithm=Algorithm.SM4 if vector.algorithm == "SM4" else Algorithm.TRIPLE_DES,
            factors=tuple(vector.factors) if diversified else (),
            key_index=1,
            key_version=1,
            algorithm_id=0,
            kind=vector.input("type")[0],
            balance=number("balance"),
            amount=number("new_limit" if overdraft else "amount"),
            old_limit=number("old_limit") if overdraft else 0,
            counter=number("online_seq"),
            random=vector.input("card_random"),
            terminal=vector.input("terminal"),
            mac1=vector.output("MAC1"),
            card_number="4170001234567890",
        ),
        time=vector.input("datetime") if "datetime" in vector.inputs else NOT_KNOWN_TIME,
        mac2=vector.output("MAC2") if "MAC2" in vector.outputs else None,
        proof=vector.output(proof) if proof in vector.outputs else None,
    )


MEDICAL = HostCase(
    name="medical-load",
    # DLK is the card key of the national root; DTK comes from its root by the card's factor alone (SSC §9.3).
    roots={"DLK": RootKey(NATIONAL_ROOT, 3), "DTK": RootKey(bytes.fromhex("FEDCBA98765432100123456789ABCDEF"), 1)},
    request=HostRequest(
        id="T1",
        operation=HostOperation.LOAD,
        family=Family.LDT,
        algorithm=Algorithm.TRIPLE_DES,
        factors=(PROVINCE_FACTOR, CITY_FACTOR, CARD_FACTOR),
        key_index=1,
        key_version=1,
        algorithm_id=0,
        kind=0x31,
        balance=12345,
        amount=50000,
        old_limit=0,
        counter=3,
        random=bytes.fromhex("A1B2C3D4"),
        terminal=bytes.fromhex("519900000001"),
        mac1=bytes.fromhex("1D35AE13"),
        card_number="A00000126",
    ),
    time=bytes.fromhex("20260115093045"),
    mac2=bytes.fromhex("E9596762"),
    proof=bytes.fromhex("08E44B1D"),
)
CASES = [
    *(
        wallet_case(vector)
        for vector in of_kind(*OPERATIONS)
        if "MAC1" in vector.outputs and not vector.id.endswith(OTHER_SESSION_INPUTS)
    ),
    MEDICAL,
]
LOAD = next(case for case in CASES if case.name == "3des-load-ep")
UNLOAD = next(case for case in CASES if case.name == "3des-unload")
OVERDRAFT = next(case for case in CASES if case.name == "3des-overdraft-update")
every = pytest.mark.parametrize("case", CASES, ids=str)
with_proof = pytest.mark.parametrize("case", [case for case in CASES if case.proof], ids=str)
BOOKED, CONFIRMED, REVERSED, DISPUTED = BookingState


# ---- vectors -----------------------------------------------------------------------------------------------------


def test_vectors_cover_every_operation_and_cipher_and_the_published_loads() -> None:
    wallet = {(case.request.operation, case.request.algorithm) for case in CASES if case is not MEDICAL}
    assert wallet == {(operation, algorithm) for operation in HostOperation for algorithm in Algorithm}
    published = {vector.id for vector in all_vectors() if vector.id.startswith("pub-load-")}
    assert published <= {case.name for case in CASES}


@every
def test_mac1_of_the_vector_is_accepted_and_mac2_answered(case: HostCase) -> None:
    host: LoadHost = case.host()
    grant = host.authorize(case.request)
    assert grant.time == case.time
    assert case.mac2 in {None, grant.mac2}


@with_proof
def test_the_proof_of_the_vector_confirms(case: HostCase) -> None:
    host = case.host()
    host.authorize(case.request)
    host.confirm("T1", case.proof)
    assert host.bookings["T1"] == Booking(CONFIRMED, case.request.operation, case.request.amount)


@with_proof
def test_a_wrong_proof_is_disputed_and_not_raised(case: HostCase) -> None:
    host = case.host()
    host.authorize(case.request)
    host.confirm("T1", bytes(4))
    booking = host.bookings["T1"]
    assert (booking.state, booking.dispute) == (DISPUTED, "the card's proof is wrong")


def test_the_undivided_tac_key_is_no_proof_of_an_overdraft_update() -> None:
    """The other reading of the manual (EW PC-10)."""
    (direct,) = (vector for vector in all_vectors() if vector.id == "3des-overdraft-update-dtk-direct")
    host = OVERDRAFT.host()
    host.authorize(OVERDRAFT.request)
    host.confirm("T1", direct.output("TAC"))
    assert host.bookings["T1"].state is DISPUTED


def in_mac1(request: HostRequest) -> tuple[str, ...]:
    """Fields that MAC1 depends on: of an overdraft update the old limit instead of the new one (EW §4.4)."""
    amount = "old_limit" if request.operation is HostOperation.OVERDRAFT else "amount"
    return "mac1", "random", "balance", "counter", "terminal", "kind", amount


@pytest.mark.parametrize(
    ("case", "field"),
    [pytest.param(case, field, id=f"{case}-{field}") for case in CASES for field in in_mac1(case.request)],
)
def test_a_request_that_mac1_does_not_fit_is_refused_and_nothing_booked(case: HostCase, field: str) -> None:
    value, host = getattr(case.request, field), case.host()
    other: Any = value ^ 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
    with pytest.raises(HostRefused):
        host.authorize(replace(case.request, **{field: other}))
    assert not host.bookings


# ---- what it refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [LOAD, UNLOAD, OVERDRAFT], ids=str)
def test_the_limit_itself_is_allowed_and_one_fen_more_is_not(case: HostCase) -> None:
    assert case.host(case.request.amount).authorize(case.request).mac2 == case.mac2
    host = case.host(case.request.amount - 1)
    with pytest.raises(HostRefused, match=f"more than {case.request.amount - 1} fen"):
        host.authorize(case.request)
    assert not host.bookings


@pytest.mark.parametrize(
    ("case", "changed"),
    [
        (LOAD, {"amount": 0}),
        (LOAD, {"amount": -1}),
        (LOAD, {"amount": 1 << 32}),
        (LOAD, {"balance": 0xFFFFFFFF}),
        (UNLOAD, {"amount": 0}),
        (UNLOAD, {"amount": UNLOAD.request.balance + 1}),
        (OVERDRAFT, {"amount": -1}),
        (OVERDRAFT, {"amount": 0, "old_limit": OVERDRAFT.request.balance + 1}),
        (OVERDRAFT, {"amount": 1 << 24}),
    ],
)
def test_amounts_that_no_card_can_hold_are_refused(case: HostCase, changed: dict[str, Any]) -> None:
    ask = signed(case, changed)
    with pytest.raises(HostRefused):
        ask()


@pytest.mark.parametrize(
    ("case", "changed"),
    [
        (LOAD, {"amount": 1}),
        (LOAD, {"balance": 0xFFFFFFFF - LOAD.request.amount}),
        (UNLOAD, {"amount": UNLOAD.request.balance}),
        (OVERDRAFT, {"amount": 0}),
        (OVERDRAFT, {"amount": 0xFFFFFF}),
        (OVERDRAFT, {"amount": 0, "old_limit": OVERDRAFT.request.balance}),
    ],
)
def test_amounts_at_the_edge_are_booked(case: HostCase, changed: dict[str, Any]) -> None:
    assert len(signed(case, changed)().mac2) == 4


def signed(case: HostCase, changed: dict[str, Any]) -> Callable[[], HostGrant]:
    """The changed request with a MAC1 that fits it, where one can be made."""
    host, request = case.host(), replace(case.request, **changed)
    amount, size = (request.old_limit, 3) if request.operation is HostOperation.OVERDRAFT else (request.amount, 4)
    session = next(vector for vector in all_vectors() if vector.id == case.name).output("session_key")
    if 0 <= amount < 1 << 8 * size:
        data = request.balance.to_bytes(4, "big") + amount.to_bytes(size, "big")
        mac1 = PbocSuite(Algorithm.TRIPLE_DES).mac(session, data + bytes([request.kind]) + request.terminal)
        request = replace(request, mac1=mac1)
    return lambda: host.authorize(request)


@pytest.mark.parametrize(
    "changed",
    [
        {"random": b"\x01"},
        {"terminal": bytes(5)},
        {"factors": (b"short",)},
        {"counter": 1 << 16},
        {"counter": -1},
        {"kind": 256},
        {"balance": -1},
    ],
)
def test_a_malformed_request_is_refused(changed: dict[str, Any]) -> None:
    host = LOAD.host()
    with pytest.raises(HostRefused):
        host.authorize(replace(LOAD.request, **changed))
    assert not host.bookings


@pytest.mark.parametrize("operation", [HostOperation.UNLOAD, HostOperation.OVERDRAFT])
def test_medical_accounts_are_only_loaded(operation: HostOperation) -> None:
    with pytest.raises(HostRefused, match="know no"):
        MEDICAL.host().authorize(replace(MEDICAL.request, operation=operation, balance=100_000))


@pytest.mark.parametrize("case", [LOAD, UNLOAD, OVERDRAFT, MEDICAL], ids=str)
def test_a_host_without_the_key_refuses(case: HostCase) -> None:
    for missing in case.roots:
        left = {name: root for name, root in case.roots.items() if name != missing}
        host = replace(case, roots=left).host()
        with pytest.raises(HostRefused, match=missing):
            host.authorize(case.request)
        assert not host.bookings


def test_every_wallet_operation_has_its_own_key() -> None:
    """MAC1 under the load key opens no unload."""
    roots = {**LOAD.roots, **UNLOAD.roots, **OVERDRAFT.roots}
    for case in (LOAD, UNLOAD, OVERDRAFT):
        for operation in HostOperation:
            ask = signed(replace(case, roots=roots), {"operation": operation, "balance": 100_000})
            if operation is case.request.operation:
                assert len(ask().mac2) == 4
            else:
                with pytest.raises(HostRefused, match="MAC1 is wrong"):
                    ask()


# ---- once, and in any order --------------------------------------------------------------------------------------


def test_the_same_request_is_booked_once_and_answered_the_same_later() -> None:
    times = iter([LOAD.time])
    host = SoftwareLoadHost(Keyring("vectors", LOAD.roots, test=True), lambda: next(times))
    first = host.authorize(LOAD.request)
    assert host.authorize(LOAD.request) == first
    host.confirm("T1", LOAD.proof)
    assert host.authorize(LOAD.request) == first
    assert host.bookings == {"T1": Booking(CONFIRMED, HostOperation.LOAD, LOAD.request.amount)}


@pytest.mark.parametrize("changed", [{"amount": 1}, {"card_number": "4170009999999999"}, {"mac1": bytes(4)}])
def test_the_same_id_for_something_else_is_refused(changed: dict[str, Any]) -> None:
    host = LOAD.host()
    host.authorize(LOAD.request)
    with pytest.raises(HostRefused, match="another request"):
        host.authorize(replace(LOAD.request, **changed))
    assert host.bookings["T1"] == Booking(BOOKED, HostOperation.LOAD, LOAD.request.amount)


def test_a_refused_id_may_be_used_again() -> None:
    host = LOAD.host()
    with pytest.raises(HostRefused):
        host.authorize(replace(LOAD.request, mac1=bytes(4)))
    assert host.authorize(LOAD.request).mac2 == LOAD.mac2


GOOD, NO_PROOF, BAD = LOAD.proof, None, bytes(4)
REVERSE = object()


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([], BOOKED),
        ([GOOD], CONFIRMED),
        ([NO_PROOF], CONFIRMED),
        ([GOOD, GOOD], CONFIRMED),
        ([NO_PROOF, GOOD], CONFIRMED),
        ([GOOD, NO_PROOF], CONFIRMED),
        ([REVERSE], REVERSED),
        ([REVERSE, REVERSE], REVERSED),
        ([BAD], DISPUTED),
        ([NO_PROOF, BAD], DISPUTED),
        ([GOOD, BAD], DISPUTED),
        ([BAD, GOOD], DISPUTED),
        ([BAD, REVERSE], DISPUTED),
        ([GOOD, REVERSE], DISPUTED),
        ([GOOD, REVERSE, REVERSE], DISPUTED),
        ([REVERSE, GOOD], DISPUTED),
        ([REVERSE, NO_PROOF], DISPUTED),
        ([REVERSE, GOOD, REVERSE], DISPUTED),
    ],
)
def test_ends_may_come_repeatedly_and_contradictions_are_disputed(steps: list[object], state: BookingState) -> None:
    host = LOAD.host()
    host.authorize(LOAD.request)
    for step in steps:
        if step is REVERSE:
            host.reverse("T1")
        else:
            assert step is None or isinstance(step, bytes)
            host.confirm("T1", step)
    booking = host.bookings["T1"]
    assert (booking.state, booking.amount) == (state, LOAD.request.amount)
    assert bool(booking.dispute) == (state is DISPUTED)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_reversed_or_disputed_request_gets_no_grant_any_more(confirmed: bool) -> None:
    host = LOAD.host()
    host.authorize(LOAD.request)
    if confirmed:
        host.confirm("T1", GOOD)
    host.reverse("T1")
    with pytest.raises(HostRefused, match="already"):
        host.authorize(LOAD.request)


def test_a_reversal_that_overtakes_its_request_keeps_it_from_being_booked() -> None:
    host = LOAD.host()
    host.reverse("T1")
    host.reverse("T1")
    with pytest.raises(HostRefused, match="reversed already"):
        host.authorize(LOAD.request)
    assert host.bookings == {"T1": Booking(REVERSED)}
    host.confirm("T1", GOOD)
    assert host.bookings["T1"].state is DISPUTED


def test_a_confirmation_of_nothing_is_nothing() -> None:
    host = LOAD.host()
    host.confirm("T1", GOOD)
    assert not host.bookings
    assert host.authorize(LOAD.request).mac2 == LOAD.mac2


def test_many_threads_book_once() -> None:
    ticks = iter(range(1000))
    keyring = Keyring("vectors", LOAD.roots, test=True)
    host = SoftwareLoadHost(keyring, lambda: bytes.fromhex(f"{20260101000000 + next(ticks)}"))
    grants: list[HostGrant] = []
    threads = [threading.Thread(target=lambda: grants.append(host.authorize(LOAD.request))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(grants), len(set(grants)), next(ticks)) == (8, 1, 1)


def test_the_books_are_a_copy() -> None:
    host = LOAD.host()
    before = host.bookings
    host.authorize(LOAD.request)
    assert not before
    with pytest.raises(TypeError):
        host.bookings["T2"] = Booking(BOOKED)  # type: ignore[index] # that is the test


# ---- what it tells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", [True, False])
def test_name_and_origin_come_from_the_keyring(test: bool) -> None:
    host = SoftwareLoadHost(Keyring("city", {}, test=test), lambda: NOT_KNOWN_TIME)
    assert (host.name, host.test) == ("host:keyring:city", test)


@every
def test_no_key_shows_in_what_is_printed_or_raised(case: HostCase) -> None:
    host = case.host()
    shown = [repr(host), str(host), host.name]
    for changed in ({}, {"mac1": bytes(4)}, {"id": "T2", "factors": (b"short",) * 3}, {"id": "T3", "counter": 1 << 16}):
        try:
            shown.append(repr(host.authorize(replace(case.request, **changed))))
        except HostRefused as error:
            shown.append("".join(traceback.format_exception(error)))
    host.confirm("T1", bytes(4))
    shown += [repr(host.bookings), repr(vars(host))]
    for root in case.roots.values():
        hidden = root.key.hex()
        if root.key.strip(b"\x00"):
            assert all(hidden not in text.lower() and repr(root.key)[2:-1] not in text for text in shown)
