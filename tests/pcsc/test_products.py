"""`cardio read` on a virtual card of each product, through a real pcscd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cardio.products.catalogue import Catalogue
from cardio.virtual.cards import psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.products import example_card
from cardio.virtual.vpcd import VpcdLink
from tests.cli.test_cli import cardio
from tests.cli.test_read import PRODUCTS
from tests.counter import eventually
from tests.pcsc.test_commands import command

pytestmark = pytest.mark.pcsc

PIN = "123456\n"
HOLDER_COUNTS = {
    "ssc-1.0": {"SELECT": 1, "READ RECORD": 2},
    "ssc-2.0": {"SELECT": 1, "READ RECORD": 2},
    "ssc-3.0": {"SELECT": 1, "READ RECORD": 2, "GET CHALLENGE": 1, "EXTERNAL AUTHENTICATION": 1},
}


def embedded(product: str, *arguments: str) -> dict[str, Any]:
    done = cardio("read", "--reader", "virtual", "--product", product, "--json", *arguments, stdin=PIN)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_card_of_each_product_is_read_through_pcscd_as_it_is_in_process(pcscd: PrivatePcscd, product: str) -> None:
    card = example_card(Catalogue.load()[product])
    with VpcdLink(card, port=pcscd.port(0)), VpcdLink(psam(), port=pcscd.port(1)):
        eventually(lambda: command("cardio", "readers").stdout.count("card") == 2)
        reader = pcscd.readers[0]
        everything = ("--product", product, "--all", "--pin", "--stats")
        done = command("cardio", "read", "--reader", reader, *everything, "--json", typed=PIN)
        document = json.loads(done.stdout)
        assert document == embedded(product, "--all", "--pin", "--stats")
        page = command("cardio", "read", "--reader", reader, *everything, typed=PIN)
        assert "APDUs: " in page.stderr
        if product in HOLDER_COUNTS:
            counted = command("cardio", "read", "--reader", reader, "--group", "holder", "--json", "--stats")
            stats = json.loads(counted.stdout)["stats"]
            assert stats.pop("INTERNAL AUTHENTICATION") == 1
            assert stats == HOLDER_COUNTS[product]
    print(f"{product}: {sum(document['stats'].values())} APDUs for all groups")
