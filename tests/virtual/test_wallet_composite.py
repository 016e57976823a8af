"""Composite purchases of a virtual wallet: the cache and what DEBIT writes (EW §2.9, §3.3, §6.4, PC-7, PC-21)."""

from typing import Any

import pytest

from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.wallet.composite import EF17_COMPOSITE
from cardio.files.wallet.trips import EF1E_TRIPS
from cardio.files.wallet.tunion import EF1A_COMPOSITE
from cardio.virtual.card import Moment
from cardio.virtual.filesystem import ElementaryFile
from tests.virtual.tearing import CHANGED, UNCHANGED, cut
from tests.virtual.till import WalletTill, corrupt
from tests.virtual.wire import SELECT_WALLET, VERIFY_RIGHT, declare


def tunion(number: int, state: int = 0, lock: int = 0) -> bytes:
    head = bytes([0x27, number, 0x7D, 0x01, 0x01, lock]) + bytes(8) + bytes([state])
    return head.ljust(128, b"\0")


def generic(identifier: int, fill: int = 0, lock: int = 0, size: int = 48) -> bytes:
    return bytes([identifier, size - 2, lock]).ljust(size, bytes([fill]))


def trip(kind: int) -> bytes:
    return bytes([kind]).ljust(48, b"\0")


VARIABLE = declare(0x0019, Structure.LINEAR_VARIABLE)
OTHER_TRIPS = declare(0x001B, Structure.CYCLIC, records=3)


class CompositeTill(WalletTill):
    """A card with composite files of every family: 17 (CJ/T 166), 19 (ETC), 1A and 1E (T-Union)."""

    def __init__(self) -> None:
        super().__init__()
        self.application.files += [
            ElementaryFile(EF17_COMPOSITE, [generic(0x01), generic(0x04, lock=1), generic(0x06)]),
            ElementaryFile(VARIABLE, [generic(0xAA, size=39), generic(0xAB, size=43), b"\xac\x00"]),
            ElementaryFile(EF1A_COMPOSITE, [tunion(0x01), tunion(0x02), tunion(0x06, lock=1)]),
            ElementaryFile(EF1E_TRIPS),
        ]

    def records(self, declaration: FileDeclaration) -> list[bytes]:
        return next(file.records for file in self.application.files if file.declaration is declaration)

    def open(self, amount: int = 100) -> str:
        return self.initialize(amount, purpose="0302")

    def cache(self, p1: int, sfi: int, record: bytes, mode: int = 0) -> str:
        return self.send(f"80DC{p1:02X}{sfi << 3 | mode:02X}{len(record):02X}{record.hex()}")

    def debit(self, opened: str, amount: int = 100) -> str:
        return self.debit_command(opened, amount, 0x09)


@pytest.fixture
def till() -> CompositeTill:
    return CompositeTill()


def state(till: CompositeTill) -> tuple[Any, ...]:
    function = till.function
    files = tuple(tuple(till.records(one)) for one in (EF17_COMPOSITE, VARIABLE, EF1A_COMPOSITE, EF1E_TRIPS))
    return function.balance, function.offline_counter, function.proof, tuple(function.log.records), files


def test_debit_writes_purse_log_and_all_cached_records(till: CompositeTill) -> None:
    opened = till.open()
    assert till.cache(0x02, 0x1A, tunion(0x02, state=1)) == "9000"
    assert till.cache(0x00, 0x1E, trip(0x03)) == "9000"
    assert till.cache(0x01, 0x17, generic(0x01, fill=7)) == "9000"
    assert state(till) == state(CompositeTill())
    assert till.send(till.debit(opened)).endswith("9000")
    assert (till.function.balance, till.function.offline_counter) == (9900, 1)
    assert till.function.log.records[0][9] == 0x09
    assert till.records(EF1A_COMPOSITE) == [tunion(0x01), tunion(0x02, state=1), tunion(0x06, lock=1)]
    assert till.records(EF1E_TRIPS) == [trip(0x03)]
    assert till.records(EF17_COMPOSITE)[0] == generic(0x01, fill=7)


def test_debit_without_any_record_is_allowed_and_stays_a_composite_one(till: CompositeTill) -> None:
    """EW PC-21."""
    assert till.send(till.debit(till.open())).endswith("9000")
    assert till.function.log.records[0][9] == 0x09
    assert state(till)[4] == state(CompositeTill())[4]


def test_amount_zero_counts_and_writes(till: CompositeTill) -> None:
    opened = till.open(0)
    till.cache(0x02, 0x1A, tunion(0x02, state=1))
    assert till.send(till.debit(opened, 0)).endswith("9000")
    assert (till.function.balance, till.function.offline_counter) == (10000, 1)
    assert till.records(EF1A_COMPOSITE)[1][14] == 1


@pytest.mark.parametrize(
    ("p1", "sfi", "mode", "record", "place"),
    [
        (0x02, 0x1A, 0, tunion(0x02, state=2), 1),
        (0x02, 0x1A, 4, tunion(0x02, state=2), 1),
        (0x01, 0x1A, 4, tunion(0x01, state=2), 0),
        (0x06, 0x17, 0, generic(0x06, fill=5), 2),
        (0x03, 0x17, 4, generic(0x06, fill=5), 2),
        (0xAA, 0x19, 0, generic(0xAA, fill=5, size=39), 0),
        (0xAB, 0x19, 0, generic(0xAB, fill=5, size=43), 1),
        (0x02, 0x19, 4, generic(0xAB, fill=5, size=43), 1),
    ],
)
def test_records_are_found_by_number_and_by_identifier(
    till: CompositeTill, p1: int, sfi: int, mode: int, record: bytes, place: int
) -> None:
    opened = till.open()
    assert till.cache(p1, sfi, record, mode) == "9000"
    assert till.send(till.debit(opened)).endswith("9000")
    declaration = {0x1A: EF1A_COMPOSITE, 0x17: EF17_COMPOSITE, 0x19: VARIABLE}[sfi]
    assert till.records(declaration)[place] == record


def test_a_second_record_for_one_place_replaces_the_first(till: CompositeTill) -> None:
    opened = till.open()
    for kind in (0x03, 0x04):
        till.cache(0x00, 0x1E, trip(kind))
        till.cache(0x02, 0x1A, tunion(0x02, state=kind))
    till.send(till.debit(opened))
    assert till.records(EF1E_TRIPS) == [trip(0x04)]
    assert till.records(EF1A_COMPOSITE)[1] == tunion(0x02, state=4)


def test_trips_keep_the_newest_first(till: CompositeTill) -> None:
    for kind in range(1, 33):
        opened = till.open(0)
        till.cache(0x00, 0x1E, trip(kind))
        till.send(till.debit(opened, 0))
    assert [record[0] for record in till.records(EF1E_TRIPS)] == list(range(32, 2, -1))
    assert till.send("00B201F430")[:2] == "20"


@pytest.mark.parametrize(
    ("p1", "p2", "record", "status"),
    [
        (0x02, 0x1B << 3, tunion(0x02), "6A82"),  # no such file
        (0x02, 0x00, tunion(0x02), "6A82"),
        (0x00, 0x15 << 3, trip(0), "6981"),  # transparent
        (0x00, 0x18 << 3, bytes(23), "6981"),  # the log is the card's own
        (0x03, 0x1A << 3, tunion(0x03), "6A83"),  # no such identifier
        (0x27, 0x1A << 3, tunion(0x02), "6A83"),
        (0x04, 0x1A << 3 | 4, tunion(0x02), "6A83"),  # no such number
        (0x00, 0x1A << 3 | 4, tunion(0x02), "6A83"),
        (0x02, 0x17 << 3, generic(0x02), "6A83"),
        (0x01, 0x1E << 3, trip(3), "6A83"),
        (0x01, 0x1E << 3 | 4, trip(3), "6A83"),
        (0x02, 0x1A << 3 | 1, tunion(0x02), "6A86"),
        (0x06, 0x1A << 3, tunion(0x06), "9407"),  # locked
        (0x03, 0x1A << 3 | 4, tunion(0x06), "9407"),
        (0x04, 0x17 << 3, generic(0x04), "9407"),
        (0xAC, 0x19 << 3, b"\xac\x00", "9407"),  # too short to be open
        (0x02, 0x1A << 3, tunion(0x02) + b"\0", "6A84"),
        (0x01, 0x17 << 3, generic(0x01) + b"\0", "6A84"),
        (0x00, 0x1E << 3, trip(3) + b"\0", "6A84"),
        (0x02, 0x1A << 3, tunion(0x02)[:-1], "6700"),
        (0x01, 0x17 << 3, generic(0x01)[:-1], "6700"),
        (0x00, 0x1E << 3, trip(3)[:-1], "6700"),
        (0x00, 0x1E << 3, b"", "6700"),
    ],
)
def test_refusals_of_the_cache_leave_the_purchase_open(
    till: CompositeTill, p1: int, p2: int, record: bytes, status: str
) -> None:
    opened = till.open()
    assert till.cache(0x02, 0x1A, tunion(0x02, state=9)) == "9000"
    assert till.send(f"80DC{p1:02X}{p2:02X}" + (f"{len(record):02X}{record.hex()}" if record else "00")) == status
    assert till.send(till.debit(opened)).endswith("9000")
    assert till.records(EF1A_COMPOSITE) == [tunion(0x01), tunion(0x02, state=9), tunion(0x06, lock=1)]
    assert till.records(EF1E_TRIPS) == []
    assert [len(one) for one in till.records(VARIABLE)] == [39, 43, 2]


def test_checks_of_the_cache_come_in_the_order_of_the_standard(till: CompositeTill) -> None:
    """State, file, record, lock flag, longer, shorter (EW §3.3)."""
    locked, longer = 0x06, bytes(129)
    assert till.cache(0x09, 0x1B, longer) == "6901"
    till.open()
    assert till.cache(0x09, 0x1B, longer) == "6A82"
    assert till.cache(0x09, 0x1A, longer) == "6A83"
    assert till.cache(locked, 0x1A, longer) == "9407"
    assert till.cache(0x02, 0x1A, longer) == "6A84"
    assert till.cache(0x02, 0x1A, b"\0") == "6700"


@pytest.mark.parametrize("purpose", ["0102", "0002", None])
def test_cache_without_an_open_composite_purchase_is_6901_and_ends_any_other(
    till: CompositeTill, purpose: str | None
) -> None:
    opened = till.initialize(purpose=purpose) if purpose else ""
    assert till.cache(0x02, 0x1A, tunion(0x02)) == "6901"
    if purpose == "0102":
        assert till.send(till.debit_command(opened)) == "6901"


@pytest.mark.parametrize("between", [SELECT_WALLET + "00", VERIFY_RIGHT, "805A000902000108", "power"])
def test_cache_is_lost_with_the_purchase(till: CompositeTill, between: str) -> None:
    opened = till.open()
    till.cache(0x02, 0x1A, tunion(0x02, state=1))
    debit = till.debit(opened)
    if between == "power":
        till.card.power_off()
        till.card.power_on()
        till.select()
    else:
        till.send(between)
    assert till.send(debit) == "6901"
    assert till.send(till.debit(till.open())).endswith("9000")
    assert till.records(EF1A_COMPOSITE)[1] == tunion(0x02)


def test_a_new_initialize_begins_with_an_empty_cache(till: CompositeTill) -> None:
    till.open()
    till.cache(0x02, 0x1A, tunion(0x02, state=1))
    assert till.send(till.debit(till.open())).endswith("9000")
    assert till.records(EF1A_COMPOSITE)[1] == tunion(0x02)


@pytest.mark.parametrize("between", ["805C000204", "00B201D480", "00B095001E"])
def test_reads_keep_the_cache_and_show_the_old_records(till: CompositeTill, between: str) -> None:
    opened = till.open()
    till.cache(0x01, 0x1A, tunion(0x01, state=1))
    assert till.send(between) != "6901"
    assert till.send("00B201D480") == f"{tunion(0x01).hex().upper()}9000"
    till.send(till.debit(opened))
    assert till.send("00B201D480") == f"{tunion(0x01, state=1).hex().upper()}9000"


def test_wrong_mac1_writes_no_record(till: CompositeTill) -> None:
    opened = till.open()
    till.cache(0x02, 0x1A, tunion(0x02, state=1))
    debit = till.debit(opened)
    assert till.send(corrupt(debit)) == "9302"
    assert till.send(debit) == "6901"
    assert state(till) == state(CompositeTill())


def test_type_of_a_plain_purchase_does_not_pass_for_a_composite_one(till: CompositeTill) -> None:
    assert till.send(till.debit_command(till.open(), 100, 0x06)) == "9302"


@pytest.mark.parametrize("moment", [*UNCHANGED, *CHANGED])
def test_records_and_purse_change_together_or_not_at_all(till: CompositeTill, moment: Moment) -> None:
    """EW §6.4."""
    before = state(till)
    opened = till.open()
    till.cache(0x02, 0x1A, tunion(0x02, state=1))
    till.cache(0x00, 0x1E, trip(0x03))
    debit = till.debit(opened)
    cut(till.card, moment, lambda: till.send(debit))
    if moment in UNCHANGED:
        assert state(till) == before
        return
    balance, counter, proof, log, files = state(till)
    assert (balance, counter, len(log)) == (9900, 1, 1)
    assert (proof.kind, proof.number) == (0x09, 1)
    assert files[2][1] == tunion(0x02, state=1)
    assert files[3] == (trip(0x03),)


@pytest.mark.parametrize("moment", [Moment.COMMAND, Moment.ANSWER])
def test_torn_while_the_cache_is_filled_nothing_has_changed(till: CompositeTill, moment: Moment) -> None:
    before = state(till)
    till.open()
    cut(till.card, moment, lambda: till.cache(0x02, 0x1A, tunion(0x02, state=1)))
    assert state(till) == before
