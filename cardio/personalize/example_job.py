"""Example jobs: rows that run as they are, for fictional persons, with every file of a product filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from cardio.errors import CardDataInvalid
from cardio.files.check_characters import card_number_check_character, citizen_id_check_character
from cardio.files.declaration import FileDeclaration
from cardio.files.record import Record
from cardio.personalize.card_data import CardData, Holder, declarations
from cardio.personalize.derived.wallet import WALLET_LABEL
from cardio.personalize.jobs import JobLine
from cardio.personalize.layouts import CardLayout
from cardio.products.checking import encode_content
from cardio.products.model import Product
from cardio.virtual.products import REGION, example_contents

NOBODY = "999999"
"""Region of the fictional persons: it does not exist."""
FIRST_BIRTHDAY = date(1990, 1, 1).toordinal()
ISSUED, EXPIRES = date(2026, 6, 15), date(2036, 6, 14)
HEAVENLY_STEMS = "甲乙丙丁戊己庚辛壬癸"
FROM_ROW = {
    "SSSE/EF05": ("card_id", "version", "issued", "expires", "card_number"),
    "SSSE/EF06": None,
}
"""Fields that the row's own fields say; None for all of a file."""
CITIZEN_ID_SIZE = 18
CODED = {"code", "zh", "en"}


def example_job(product: Product, layout: CardLayout, cards: int) -> tuple[JobLine, list[CardData]]:
    """A job for a product.

    Args:
        product: The product.
        layout: Its files.
        cards: Number of rows, 1 to 100 000.
    """
    files = declarations(product, layout)
    person = _has_person(product, files.values())
    items = dict(_items(product, files, person=person))
    rows = [_row(product, items, number, person=person) for number in range(1, cards + 1)]
    return JobLine(job=f"example-{product.id}", product=product.id, cards=cards), rows


def _row(product: Product, items: Mapping[str, Any], number: int, *, person: bool) -> CardData:
    social, wallet = product.social_security, product.wallet
    return CardData(
        record=f"{number:06d}",
        holder=_holder(number) if person else None,
        region=REGION if social else None,
        card_number=_card_number(number) if social else None,
        card_serial=f"{number:08d}" if social else None,
        wallet_serial=_wallet_serial(product, number) if wallet else None,
        issued=ISSUED,
        expires=EXPIRES,
        items=dict(items),
    )


def _holder(number: int) -> Holder:
    born = date.fromordinal(FIRST_BIRTHDAY + number // 500)
    body = f"{NOBODY}{born:%Y%m%d}{number % 500 * 2 + 1:03d}"
    name = "测试" + "".join(HEAVENLY_STEMS[int(digit)] for digit in f"{number:03d}")
    return Holder(name=name, number=body + citizen_id_check_character(body), ethnicity="01", birthplace=NOBODY)


def _card_number(number: int) -> str:
    body = f"A{number:07d}"
    return body + card_number_check_character(body)


def _wallet_serial(product: Product, number: int) -> str:
    """After the form of the product's EF15: 20 digits, or 16 of CJ/T 166 with a binary serial (EW §2.3)."""
    if "asn" in (product.wallet.public_file.content.specs() if product.wallet else ()):
        return f"99990100{number:08X}"
    return f"0000860000{number:010d}"


def _has_person(product: Product, files: Iterable[FileDeclaration]) -> bool:
    """Whether a person with a citizen ID number fits: employers' cards name units, EF16 may be too short (EW §2.4)."""
    if product.social_security is not None and product.social_security.card == "ssc-employer":
        return False
    numbers = (file.content.specs().get("identity_number") for file in files)
    return all(number is None or number.codec.size >= CITIZEN_ID_SIZE for number in numbers)


# ---- items -----------------------------------------------------------------------------------------------------------


def _items(
    product: Product, files: Mapping[tuple[str, str], FileDeclaration], *, person: bool
) -> Iterator[tuple[str, Any]]:
    examples = example_contents(product)
    for place, file in files.items():
        name = "/".join(place)
        records = examples.get(place, ())
        if not records or (name in FROM_ROW and FROM_ROW[name] is None and person):
            continue
        if len(records) > 1 or file.records:
            yield name, [encode_content(record).hex().upper() for record in records]
            continue
        given = _given(records[0])
        if given is None:
            yield name, encode_content(records[0]).hex().upper()
            continue
        told = {*(FROM_ROW.get(name) or ()), *_told_by_row(product, place, file)}
        rest = {field: value for field, value in given.items() if field not in told}
        if rest:
            yield name, rest


def _told_by_row(product: Product, place: tuple[str, str], file: FileDeclaration) -> set[str]:
    """Fields of a wallet's files that the row's own fields say."""
    if place[0] != WALLET_LABEL or file.label not in {"EF15", "EF16"}:
        return set()
    if file.label == "EF15":
        return {"serial", "asn", "starts", "ends"}
    return set(file.content.specs()) if _has_person(product, [file]) else set()


def _given(record: Record) -> dict[str, Any] | None:
    """A record's fields as a job has them; None if they do not say all of its bytes."""
    shown = {name: _plain(value) for name, value in record.show(masked=False).items()}
    try:
        again = type(record).parse(shown)
        same = encode_content(again) == encode_content(record)
    except (ValueError, CardDataInvalid):
        return None
    return shown if same else None


def _plain(value: Any) -> Any:
    """Codes without their texts."""
    if isinstance(value, Mapping):
        if set(value) == CODED:
            return value["code"]
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
