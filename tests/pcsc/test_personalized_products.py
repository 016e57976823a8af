"""A blank card of each product is personalized by the program through a real pcscd, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cardio.files.wallet.serial import ApplicationSerialNumber
from cardio.personalize.card_data import CARD_APPLICATION, NO_AUTHENTICATION_CODE, CardData
from cardio.personalize.example_job import example_job
from cardio.personalize.jobs import job_lines
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.products.catalogue import Catalogue
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.cards import psam
from cardio.virtual.issuing_keys import issuing_test_keys
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.cli.test_read import PRODUCTS
from tests.pcsc.test_commands import command
from tests.pcsc.test_products import embedded

pytestmark = pytest.mark.pcsc

ROW_GROUPS = ("card", "holder", "wallet", "medical")
ROW_FILES = ("SSSE/EF05", "SSSE/EF06", "public-pboc", "public-cjt166-30", "holder-55")
"""What a row fills with fields of its own, as `cardio read` names it."""
LOG_GROUPS = ("wallet_log", "medical_log", "trips")
LOG_FILES = ("log", "log-open", "trips", "DF04/EF08")
"""What the card itself writes when it is used."""


def told(row: CardData) -> dict[str, Any]:
    """Fields that differ from card to card, and those of a card that was not used yet, by name."""
    found: dict[str, Any] = {"balance_fen": 0, "payment_year": 0}
    if row.card_number:
        found["card_number"] = row.card_number
        found["card_id"] = f"{row.region}{CARD_APPLICATION}{row.card_serial}{NO_AUTHENTICATION_CODE}"
    if row.wallet_serial and len(row.wallet_serial) == 16:
        found["asn"] = ApplicationSerialNumber.decode(bytes.fromhex(row.wallet_serial)).show(masked=False)
    elif row.wallet_serial:
        found["serial"] = row.wallet_serial
    if row.wallet_serial:
        found |= {"starts": str(row.issued), "ends": str(row.expires)}
    if row.holder:
        found |= dict.fromkeys(("name", "name_bytes"), row.holder.name)
        found |= dict.fromkeys(("social_security_number", "identity_number"), row.holder.number)
    return found


def replaced(document: Any, fields: Mapping[str, Any]) -> Any:
    """A document with other values in the fields of these names, wherever they are."""
    if isinstance(document, dict):
        return {name: fields.get(name, replaced(value, fields)) for name, value in document.items()}
    if isinstance(document, list):
        return [replaced(value, fields) for value in document]
    return document


def as_new(example: dict[str, Any], row: CardData) -> dict[str, Any]:
    """What the example card of a product would tell if it had just been made for a row."""
    fields, files = told(row), example["files"]["data"]
    own = {name: replaced(files[name], fields) for name in ROW_FILES if name in files}
    empty = {name: {"title": files[name]["title"], "status": "absent"} for name in LOG_FILES if name in files}
    groups = {name: replaced(example[name], fields) for name in ROW_GROUPS if name in example}
    logs: dict[str, Any] = {name: {"data": []} for name in LOG_GROUPS if name in example}
    return {**example, **groups, **logs, "files": {"data": {**files, **own, **empty}}}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_blank_card_becomes_the_card_that_its_row_says(pcscd: PrivatePcscd, tmp_path: Path, name: str) -> None:
    product, reader, job = Catalogue.load()[name], pcscd.readers[0], tmp_path / "job.jsonl"
    maker = Personalizer(product, issuing_test_keys(product))
    head, (row,) = example_job(product, maker.layout, 1)
    job.write_text("\n".join(job_lines(head, [row])), encoding="utf-8")
    asked = ("--product", name, "--json")
    with VpcdLink(psam(), port=pcscd.port(1)), VpcdLink(blank_card_for(product), port=pcscd.port(0)):
        register = ("--register", str(tmp_path / "cards.db"))
        done = command("cardio", "personalize", str(job), "--reader", reader, *register, *asked)
        assert (done.returncode, json.loads(done.stdout)["made"]) == (0, 1), done.stderr
        pin = ("--pin",) if maker.needs_pin else ()
        typed = f"{pin_of(maker, row)}\n" if pin else ""
        made = json.loads(command("cardio", "read", "--reader", reader, "--all", *pin, *asked, typed=typed).stdout)
    assert made == as_new(embedded(name, "--all", "--pin"), row)
