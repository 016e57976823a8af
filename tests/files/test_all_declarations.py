"""Every declared file against the tables of the specification: which there are, and which items each one has.

What is typed here was taken from the specification, not from the code: the files from SSC §2.4, §3.1, §3.2 and EW §2.1,
the items from SSC §4.1 to §4.6, §4.10 and PC-1.
"""

from collections.abc import Mapping

import pytest

from cardio.cli.manual.source import item_count
from cardio.files.declaration import CardDeclaration, FileDeclaration
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord, Record
from cardio.files.wallet.registry import WALLET_FILES
from tests.files.declared import CARDS, decode, encode
from tests.manual import file_sections
from tests.summary import SUMMARY

Items = str | int
"""Tags in record order, behind a bar those inside B-TLV items; or the number of fields where there are no tags."""

VERSION_2: Mapping[str, Items] = {
    "SSSE EF05": "01 02 03 04 05 06 07",
    "SSSE EF06": "08 09 4E 0A 0B 0C 0D",
    "SSSE EF07": 1,
    "SSSE EF08": 1,
    "DF01 EF05": "20 21 0E",
    "DF01 EF06": "23 24 28 2C 2D",
    "DF01 EF07": "29",
    "DF01 EF08": "2B",
    "DF01 EF09": "2E 30 32",
    "DF01 EF0A": "37 38 39",
    "DF01 EF15": "2A 40 | 57 58 59",
    "DF01 EF16": 1,
    "DF01 EF17": 1,
    "DF01 EF18": 1,
    "DF01 EF19": 1,
    "DF01 EF1A": 1,
    "DF02 EF05": "42 41 43 44 | 5A 5B 5C 5D 5E 33 34 35 36",
    "DF02 EF06": "4C 4B 4D 60 4F 50 3A",
    "DF02 EF07": 4,
    "DF02 EF09": "55 56 96 97",
    "DF02 EF15": "99 0F 1F | 10 11 12",
    "DF02 EF16": 5,
    "DF03 EF05": "61 60 98 62 63 64 65 66",
    "DF03 EF06": "45 46 47 48 49 67 6B 4A | 13 14 15 16 17",
    "DF03 EF07": "70 71 6E 6C 6F 73",
    "DF03 EF15": "7A 7B 7C",
    "DF03 EF16": "51 5F",
    "DF03 EF17": "3B 3C 3D 3E 3F",
    "DF03 EF18": "74 75 76 77 78",
    "DF03 EF19": "79 | 18 19 1A 1B 1C 1D 1E",
    "DF04 EF05": "81 84 87 8C 80 8B 8A 83 86 89 7D 7E 7F 8D 8E 8F",
    "DF04 EF06": "90 92 93",
    "DF04 EF08": 7,
    "DF04 EF15": 2,
    "DF05 EF05": "A0 A1 B9 A2 A9 A3 A4 BA BB AA AB AC AD AE AF B0 B1 B2 B3 B4 B5 B6 B7 BC B8 | A5 A6 A7 A8",
    "DF06 EF05": "C0 C2 C3 C4 C5 | E3 E4 E5 E6 E7",
    "DF06 EF06": "C6 C8 C9 CA CB CC CD CE CF D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 DA DB DC DD DE DF E0 E1 E2",
    "DF07 EF05": "F0 F1 F2 F3 F4",
    "DF07 EF06": "F5 F6 F7",
    "DF07 EF07": "F8 F9",
}
PKI: Mapping[str, Items] = {
    # SSC §2.4: a public key is a header and a key; the others are bytes.
    "SS.CERT.ADF1 EF12": 2,
    "SS.CERT.ADF1 EF13": 2,
    "SS.CERT.ADF1 EF14": 2,
    "SS.CERT.ADF1 EF15": 2,
    "SS.CERT.ADF1 EF18": 1,
    "SS.CERT.ADF1 EF19": 1,
}
VERSION_1: Mapping[str, Items] = {
    "SSSE EF05": "01 02 03 04 05 06 07",
    "SSSE EF06": "08 09 0A 0B 0C 0D",
    "SSSE EF07": 1,
    "DF01 EF05": "20 21 22",
    "DF01 EF06": "25 26 27 28",
    "DF01 EF07": "29",
    "DF01 EF08": "2B",
    "DF01 EF09": "2E 2F 30 31 32",
    "DF01 EF0A": "37 38 39",
    "DF02 EF05": "40 41 42 43 44 | 57 58 59 5A 5B 5C 5D",
    "DF02 EF06": "4B 4C 60 4D 4F 50 3A",
    "DF02 EF07": 4,
    "DF02 EF08": "52 53 94 54",
    "DF02 EF09": "55 56 95 96 97",
    "DF03 EF05": "60 98 61 62 63 64 65 66",
    "DF03 EF06": "67 68 69 6A 6B",
    "DF03 EF07": "6C 6D 6E 6F 70 71 72 73",
    "DF04 EF05": "80 81 82 83 84 85 86 87 88 89 8A 8B 8C 8F",
    "DF04 EF06": "90 92 93",
    "DF04 EF08": 5,
}
EMPLOYER: Mapping[str, Items] = {
    "SSSE EF05": "01 02 03 04 05 06 07",
    "SSSE EF06": "08 09 4E",
    "DF01 EF09": "2E 30 32",
    "DF0A EF0C": "9A 9B 9C 9D 9E",
}
SOCIAL_SECURITY: Mapping[str, Mapping[str, Items]] = {
    "ssc-1.0": VERSION_1,
    "ssc-2.0": VERSION_2,
    "ssc-3.0": {**VERSION_2, **PKI},
    "ssc-employer": EMPLOYER,
}
OTHERS: Mapping[str, str] = {
    # EW §2.1, a column each; EF01 of the master file is the DIR file of §1.3, EF05 of CJ/T 166 lies there too.
    "citizen-wallet": "MF EF01, ADF1 EF15 EF16 EF18",
    "transit-cjt166": "MF EF01 EF05, ADF1 EF15 EF16 EF17 EF18",
    "transit-jtt978": "MF EF01, ADF1 EF15 EF16 EF17 EF18 EF19 EF1A EF1E",
    "etc": "MF EF01, ADF1 EF15 EF16 EF18 EF19",
    # SSC §2.3: the environment of the other ciphers has the same children.
    "ldt-psam": "MF EF01 EF15 EF16, DF01 EF19 EF1A EF1B EF1C, DDF1 EF01 EF15 EF16, DF01 EF19 EF1A EF1B EF1C",
    # EW §5.1: two kinds of application directory.
    "pboc-psam": "MF EF01 EF15 EF16, ADF1 EF17 EF18, ADF2 EF17 EF18",
}
VARIANTS: Mapping[str, tuple[str, int]] = {
    # EW §2.1, §2.3, §2.4, §2.9: forms of a file that cards choose from, with their bytes.
    "public-pboc": ("EF15", 30),
    "public-tunion-staff": ("EF15", 40),
    "public-cjt166-30": ("EF15", 30),
    "public-cjt166-34": ("EF15", 34),
    "holder-39": ("EF16", 39),
    "holder-55": ("EF16", 55),
    "issuer": ("EF05", 30),
    "management": ("EF17", 60),
    "log": ("EF18", 23),
    "trips": ("EF1E", 48),
    "composite-tunion": ("EF1A", 128),
    "composite-tunion-local": ("EF19", 128),
    "composite-cjt166": ("EF17", 48),
    "composite-etc": ("EF19", 43),
    "guangxi-06": ("EF06", 32),
    "guangxi-06-count": ("EF06", 16),
    "guangxi-07": ("EF07", 15),
}
NOT_PUBLIC = "items not public"
NO_LAYOUT = "no layout published"
MISSING: Mapping[str, tuple[str, str]] = {
    # SSC §3.2: of the draft revision only.
    "ssc-1.0 DF03 EF08": (NOT_PUBLIC, "work injury"),
    "ssc-1.0 DF03 EF09": (NOT_PUBLIC, "maternity"),
    "ssc-1.0 DF03 EF0A": (NOT_PUBLIC, "rural pension"),
    "ssc-1.0 DF04 EF09": (NOT_PUBLIC, "residents' medical insurance"),
    # EW §2.1: named there, described nowhere.
    "citizen-wallet ADF1 EF17": (NO_LAYOUT, "free, a photo in one sample issue"),
    "citizen-wallet ADF1 EF1A": (NO_LAYOUT, "composite records of the issuer"),
    "transit-cjt166 ADF1 EF06": (NO_LAYOUT, "load log of some cities"),
    "transit-cjt166 ADF1 EF07": (NO_LAYOUT, "discount log of some cities"),
    "transit-cjt166 ADF1 EF19": (NO_LAYOUT, "composite records of the city"),
    "transit-cjt166 ADF1 EF1A": (NO_LAYOUT, "composite records of the city"),
    "transit-jtt978 ADF1 EF05": (NO_LAYOUT, "local data, length varies"),
}
"""What the specification names and cannot describe: reason, and what it is."""

BY_ID = {card.id: card for card in CARDS}
EXPECTED_ITEMS = [(card, name, items) for card, files in SOCIAL_SECURITY.items() for name, items in files.items()]
ALL_FILES = [
    pytest.param(file, id=f"{card.id} {application.label} {file.label}")
    for card in CARDS
    for application, file in card.files()
]


def named_files(card: CardDeclaration) -> dict[str, FileDeclaration]:
    """Files of a card by directory and label."""
    return {f"{application.label} {file.label}": file for application, file in card.files()}


def items_of(file: FileDeclaration) -> Items:
    """The items of a file in the form of the tables above."""
    if not issubclass(file.content, ItemRecord):
        return len(file.content.specs())
    outer = [f"{spec.tag:02X}" for spec in file.content.specs().values()]
    inner: dict[str, None] = {}
    for spec in file.content.specs().values():
        if isinstance(spec.codec, Constructed):
            inner |= dict.fromkeys(f"{below.tag:02X}" for below in spec.codec.record.specs().values())
    return " ".join([*outer, "|", *inner] if inner else outer)


def test_every_kind_of_card_is_expected() -> None:
    assert set(BY_ID) == {*SOCIAL_SECURITY, *OTHERS}


@pytest.mark.parametrize("card", SOCIAL_SECURITY)
def test_a_social_security_card_has_the_files_of_the_specification(card: str) -> None:
    assert sorted(named_files(BY_ID[card])) == sorted(SOCIAL_SECURITY[card])


@pytest.mark.parametrize(("card", "name", "items"), EXPECTED_ITEMS)
def test_a_file_has_the_items_of_the_specification(card: str, name: str, items: Items) -> None:
    file = named_files(BY_ID[card])[name]
    assert items_of(file) == items
    assert item_count(file) == (items if isinstance(items, int) else len(items.replace("|", "").split()))


@pytest.mark.parametrize("card", OTHERS)
def test_a_wallet_or_psam_has_the_files_of_the_specification(card: str) -> None:
    found = ", ".join(
        " ".join([application.label, *sorted(file.label for file in application.files)])
        for application in BY_ID[card].root.walk()
    )
    assert found == OTHERS[card]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_a_wallet_file_has_its_size(name: str) -> None:
    file = WALLET_FILES[name]
    assert (file.label, file.size) == VARIANTS[name]


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_not_declared_after_all(name: str) -> None:
    card, _, file = name.partition(" ")
    assert file not in named_files(BY_ID[card]), f"{name} is declared: take it off the list of what is missing"


@pytest.mark.parametrize("file", ALL_FILES)
def test_every_vector_of_a_file_is_decoded_and_encoded_to_the_same_bytes(file: FileDeclaration) -> None:
    for record in file.record_classes:
        assert record.VECTORS, record.__qualname__
        for vector in record.VECTORS:
            raw = bytes.fromhex(vector)
            decoded = decode(record, raw)
            assert encode(decoded) == raw
            if record in {file.content, *file.layouts.values()}:
                assert decoded.malformed() == ()


@pytest.mark.parametrize("file", ALL_FILES)
def test_one_vector_of_a_file_fills_every_item(file: FileDeclaration) -> None:
    for record in (file.content, *file.layouts.values()):
        assert any(full(decode(record, bytes.fromhex(vector))) for vector in record.VECTORS), record.__qualname__


def full(record: Record) -> bool:
    """Whether every item holds a value, and every item inside of them."""
    present = list(record.values())
    inner = [one for _, spec, value in present for one in (value if spec.count > 1 else (value,))]
    return len(present) == len(record.specs()) and all(full(one) for one in inner if isinstance(one, Record))


def test_every_file_is_in_the_manual_with_its_vectors() -> None:
    sections = list(file_sections())
    assert len(sections) == 2 * len(ALL_FILES)
    for name, file, text in sections:
        vectors = [vector for record in (file.content, *file.layouts.values()) for vector in record.VECTORS]
        for vector in vectors:
            size = len(vector) // 2
            assert f" {size} 字节：" in text or f"，{size} 字节：" in text or f", {size} bytes:" in text, (
                f"{name}: {size}"
            )


def test_the_declarations_are_counted_for_the_summary() -> None:
    files = {card.id: [file for _, file in card.files()] for card in CARDS}
    items = {card: sum(item_count(file) for file in found) for card, found in files.items()}
    missing: dict[tuple[str, str], list[str]] = {}
    for name, (reason, _) in MISSING.items():
        card, _, file = name.partition(" ")
        missing.setdefault((card, reason), []).append(file)
    told = "; ".join(f"{card} {', '.join(names)} ({reason})" for (card, reason), names in missing.items())
    total = sum(map(len, files.values()))
    SUMMARY["declarations"] = (
        f"declarations: {total} files, {sum(items.values())} items on {len(CARDS)} kinds of card; missing: {told}"
    )
    SUMMARY["kinds"] = "files and items: " + ", ".join(f"{card} {len(files[card])}/{items[card]}" for card in files)
    for card, expected in SOCIAL_SECURITY.items():
        assert len(files[card]) == len(expected)
        assert items[card] == sum(
            one if isinstance(one, int) else len(one.replace("|", "").split()) for one in expected.values()
        )
