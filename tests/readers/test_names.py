"""Ids of readers, which programs may write down."""

from __future__ import annotations

import pytest

from cardio.readers.names import reader_ids


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("ACS ACR1281 1S Dual Reader [ACR1281 PICC] 00 00", "acs-acr1281-1s-dual-reader-acr1281-picc"),
        ("Virtual PCD 00 01", "virtual-pcd"),
        ("serial:/dev/ttyUSB0", "serial-dev-ttyusb0"),
        ("citizen", "citizen"),
        ("读卡器 00 00", "reader"),
        ("OMNIKEY 5422 (K0A1B2) 01 00", "omnikey-5422-k0a1b2"),
        ("Reader 1F 0A", "reader"),
    ],
)
def test_an_id_is_the_name_without_what_pcscd_adds(name: str, identifier: str) -> None:
    assert reader_ids([name]) == {identifier: name}


def test_it_stays_when_pcscd_numbers_the_readers_anew() -> None:
    before = reader_ids(["ACS ACR39U 00 00", "OMNIKEY 5422 01 00"])
    after = reader_ids(["OMNIKEY 5422 00 00", "ACS ACR39U 01 00"])
    assert (before["acs-acr39u"], after["acs-acr39u"]) == ("ACS ACR39U 00 00", "ACS ACR39U 01 00")
    assert before.keys() == after.keys()


def test_readers_of_one_model_are_numbered_in_the_order_of_their_names() -> None:
    names = ["Virtual PCD 00 01", "Virtual PCD 00 00", "Virtual PCD 01 00"]
    assert reader_ids(names) == {
        "virtual-pcd": "Virtual PCD 00 00",
        "virtual-pcd-2": "Virtual PCD 00 01",
        "virtual-pcd-3": "Virtual PCD 01 00",
    }


def test_no_two_readers_get_one_id() -> None:
    names = ["A 00 00", "A 00 01", "A-2 00 00", "a", "读卡器 00 00", "读卡器 00 01"]
    ids = reader_ids(names)
    assert sorted(ids.values()) == sorted(names)
    assert reader_ids([]) == {}
