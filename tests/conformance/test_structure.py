"""SSC §10.3, lines 1 to 15: formats, files, items."""

from __future__ import annotations

import pytest

from cardio.apdu.atr import historical_bytes
from cardio.apdu.tlv import iterate_simple
from tests.conformance.bench import OK, REGION, Bench
from tests.virtual.wire import SELECT_SSSE

PERSONAL = ("ssc-1.0", "ssc-2.0", "ssc-3.0", "combined")
CURRENT = ("ssc-2.0", "ssc-3.0", "combined")
every = pytest.mark.parametrize("product", [*PERSONAL, "ssc-employer"])
personal = pytest.mark.parametrize("product", PERSONAL)
current = pytest.mark.parametrize("product", CURRENT)

# SSC §3.1: label, files as SFI with structure, the key that reads them besides the PIN.
LINEAR_2_0 = {
    "SSSE": [0x05, 0x06],
    "DF01": [0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x15],
    "DF02": [0x05, 0x06, 0x09, 0x15],
    "DF03": [0x05, 0x06, 0x07, 0x15, 0x16, 0x17, 0x18, 0x19],
    "DF04": [0x05, 0x06],
}
CYCLIC_2_0 = {"DF02": {0x07: 0x55, 0x16: 0x12}, "DF04": {0x08: 0x1C, 0x15: 0x03}}
READ_KEYS = {"SSSE": ["RKSSSE"], "DF01": ["RK1DF01"], "DF02": ["RK1DF02"], "DF04": ["RK1DF04"]}

# SSC §4.1 to §4.5: tag and length in record order; B-TLV items with their count.
ITEMS_2_0: dict[tuple[str, int], str] = {
    ("SSSE", 0x05): "01:10 02:01 03:04 04:0C 05:04 06:04 07:09",
    ("SSSE", 0x06): "08:12 09:1E 4E:14 0A:01 0B:01 0C:03 0D:04",
    ("DF01", 0x05): "20:02 21:50 0E:03",
    ("DF01", 0x06): "23:50 24:03 28:0F 2C:32 2D:0F",
    ("DF01", 0x07): "29:01",
    ("DF01", 0x08): "2B:01",
    ("DF01", 0x09): "2E:46 30:09 32:02",
    ("DF01", 0x0A): "37:03 38:02 39:04",
    ("DF01", 0x15): "2A:01 40:34 40:34 40:34",
    ("DF02", 0x05): "42:03 41:03 43:6C 43:6C 44:65 44:65",
    ("DF02", 0x06): "4C:04 4B:05 4D:03 60:04 4F:06 50:03 3A:07",
    ("DF02", 0x09): "55:10 56:46 96:04 97:03",
    ("DF02", 0x15): "99:10 99:10 99:10 99:10 0F:04 1F:03",
    ("DF03", 0x05): "61:03 98:04 62:04 63:03 64:03 65:03 66:03",
    ("DF03", 0x06): "45:14 46:02 47:02 48:01 49:01 67:04 6B:3C 4A:61 4A:61 4A:61",
    ("DF03", 0x07): "70:03 71:03 6E:04 6C:04 6F:04 73:04",
    ("DF03", 0x15): "7A:03 7B:04 7C:04",
    ("DF03", 0x16): "51:03 5F:01",
    ("DF03", 0x17): "3B:14 3C:46 3D:01 3E:04 3F:3C",
    ("DF03", 0x18): "74:03 75:03 76:01 77:04 78:04",
    ("DF03", 0x19): "79:27 79:27 79:27 79:27",
    ("DF04", 0x05): ("81:08 84:03 87:11 8C:01 80:04 8B:1D 8A:0F 83:09 86:09 89:09 7D:09 7E:09 7F:09 8D:09 8E:09 8F:01"),
    ("DF04", 0x06): "90:01 92:04 93:02",
}
CHAINS = {
    0x40: "57:03 58:03 59:28",
    0x43: "5A:07 5B:01 5C:46 5D:04 5E:10",
    0x44: "33:03 34:46 35:04 36:10",
    0x99: "10:03 11:04 12:03",
    0x4A: "13:02 14:01 15:14 16:04 17:3C",
    0x79: "18:03 19:03 1A:04 1B:04 1C:04 1D:03 1E:04",
}


def opened(product: str, label: str) -> Bench:
    """A card with the PIN presented and the directory's read keys authenticated."""
    bench = Bench.of(product)
    bench.verify()
    bench.select(label)
    keys = ["RK1DF03", "RK2DF03"] if label == "DF03" else READ_KEYS[label]
    for key in keys:
        assert bench.authenticate(key) == OK
    return bench


def written(text: str) -> list[tuple[int, int]]:
    return [(int(pair[:2], 16), int(pair[3:], 16)) for pair in text.split()]


@every
def test_01_pin_format(product: str) -> None:
    """PIN: 4 to 16 packed digits; only the last low nibble may be a filler."""
    bench = Bench.of(product)
    for wrong in ("0112", "0A1234567890123456FF", "09123456789012345678"):
        assert bench.sw(f"002000000{wrong[1:]}") in {"6700", "6A80"} or bench.sw("0020000000").startswith("63")
    assert bench.sw("0020000000") == "63C6"
    assert bench.sw("0020000003123456") == OK
    assert bench.sw("0020000000") == OK


@every
def test_02_atr_fields(product: str) -> None:
    """ATR: T=0, 13 historical bytes, bytes 8 and 9 the first four digits of the region."""
    atr = Bench.of(product).card.atr
    assert atr[:2] == bytes.fromhex("3B6D")
    historical = historical_bytes(atr)
    assert len(historical) == 13
    assert historical[7:9].hex() == REGION[:4]


@every
def test_03_response_formats(product: str) -> None:
    """61xx after data, 6Cxx for a wrong length."""
    bench = Bench.of(product)
    answer = bench.card.transmit(bytes.fromhex(SELECT_SSSE))
    assert (answer[0], len(answer)) == (0x61, 2)
    length = answer[1]
    assert bench.card.transmit(bytes([0x00, 0xC0, 0x00, 0x00, length]))[-2:] == b"\x90\x00"
    assert bench.card.transmit(bytes.fromhex("00B2012C00")) == b"\x6c\x12"
    assert bench.card.transmit(bytes.fromhex("00B2012C12"))[-2:] == b"\x90\x00"


@every
def test_04_level_1_and_2_factors(product: str) -> None:
    """Factors of province and city, and the card's, lead to its keys."""
    bench = Bench.of(product)
    assert bench.authenticate("UKSSSE") == OK


@every
def test_05_region_inside_item_01(product: str) -> None:
    """Item 01 begins with the region, then D156000005."""
    item = Bench.of(product).items(0x05)[0]
    assert item.tag == 0x01
    assert item.value.hex().upper()[:16] == REGION + "D156000005"


@pytest.mark.parametrize(
    ("product", "version"),
    [("ssc-1.0", "1.00"), ("ssc-2.0", "2.00"), ("ssc-3.0", "3.00"), ("combined", "3.00"), ("ssc-employer", "2.00")],
)
def test_06_version_item(product: str, version: str) -> None:
    """Item 03 names the version of the specification."""
    assert Bench.of(product).items(0x05)[2].value == version.encode()


@every
def test_07_institution_number(product: str) -> None:
    """Item 04: 91 56 00 00 02, two regions, a running number."""
    value = Bench.of(product).items(0x05)[3].value.hex()
    assert (value[:10], value[10:16], len(value)) == ("9156000002", REGION, 24)


@current
@pytest.mark.parametrize("label", ["DF01", "DF02", "DF03", "DF04", "DF05", "DF06", "DF07"])
def test_08_required_dfs_and_efs_present(product: str, label: str) -> None:
    """Every directory and every file of the notice's tables can be selected."""
    bench = Bench.of(product)
    bench.select(label)
    for sfi in (*LINEAR_2_0.get(label, ()), *CYCLIC_2_0.get(label, ())):
        assert bench.sw(f"00A4000002EF{sfi:02X}") == OK, f"EF{sfi:02X}"


@current
@pytest.mark.parametrize("label", LINEAR_2_0)
def test_09_linear_records_are_tlv(product: str, label: str) -> None:
    """Each record of a linear file is one TLV."""
    bench = opened(product, label)
    for sfi in LINEAR_2_0[label]:
        assert bench.items(sfi)


@current
@pytest.mark.parametrize("label", ["DF01", "DF02", "DF03"])
def test_10_b_tlv_inner_structure(product: str, label: str) -> None:
    """The value of a B-TLV item is a chain of the inner items with their lengths."""
    bench = opened(product, label)
    chains = [item for sfi in LINEAR_2_0[label] for item in bench.items(sfi) if item.tag in CHAINS]
    assert chains
    for item in chains:
        inner = [(tlv.tag, len(tlv.value)) for tlv in iterate_simple(item.value)]
        assert inner == written(CHAINS[item.tag])


@current
@pytest.mark.parametrize("label", CYCLIC_2_0)
def test_11_cyclic_record_structure(product: str, label: str) -> None:
    """Records of a cyclic file have the length of the table and no tags."""
    bench = opened(product, label)
    for sfi, size in CYCLIC_2_0[label].items():
        records = bench.records(sfi)
        assert records
        assert {len(record) for record in records} == {size}


@current
@pytest.mark.parametrize(("label", "sfi"), ITEMS_2_0)
def test_12_tags_and_lengths_of_all_items(product: str, label: str, sfi: int) -> None:
    """Tags in record order, and the length of each."""
    found = [(item.tag, len(item.value)) for item in opened(product, label).items(sfi)]
    assert found == written(ITEMS_2_0[label, sfi])


@current
def test_13_ssse_not_extended(product: str) -> None:
    """No item and no record beyond those of the table."""
    bench = opened(product, "SSSE")
    assert (len(bench.records(0x05)), len(bench.records(0x06))) == (7, 7)


@current
def test_14_df02_ef07_implies_ef06_with_3a(product: str) -> None:
    """Where there is an employment history there is a present occupation."""
    bench = opened(product, "DF02")
    assert bench.records(0x07)
    assert 0x3A in {item.tag for item in bench.items(0x06)}


@current
def test_15_tag_60_exactly_once(product: str) -> None:
    """The unemployment registration stands in DF02/EF06 or in DF03/EF05, not in both."""
    tags = [item.tag for item in opened(product, "DF02").items(0x06)]
    tags += [item.tag for item in opened(product, "DF03").items(0x05)]
    assert tags.count(0x60) == 1
