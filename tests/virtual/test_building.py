"""Cards built from declarations and contents, of whatever product."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.files.codecs import Number, Text
from cardio.files.declaration import FREE, ApplicationDeclaration, FileDeclaration, Structure, any_of
from cardio.files.file_header import FileHeader
from cardio.files.record import FixedRecord, ItemRecord, Record, field, item
from cardio.transport.channel import CardProtocol
from cardio.virtual.building import build_card, find_directory, find_file
from cardio.virtual.fmcos_security import FmcosSecurity
from cardio.virtual.ldt_security import LdtSecurity
from tests.virtual.wire import send

V, F, C, T = Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED, Structure.CYCLIC, Structure.TRANSPARENT


class Items(ItemRecord):
    text: str | None = item(0x43, Text(2), "文字", "text")
    other: str | None = item(0x44, Text(1), "文字", "other")


class Fixed(FixedRecord):
    number: int = field(Number(2), "数", "number")


def declare(identifier: int, structure: Structure, content: type[Record], size: int = 0) -> FileDeclaration:
    return FileDeclaration(
        identifier,
        identifier & 0x1F,
        "文件",
        "file",
        structure,
        content,
        read=FREE,
        update=FREE,
        size=size,
        records=3,
    )


FILES = (
    declare(0xEF05, V, Items),
    declare(0xEF06, C, Fixed, 2),
    declare(0xEF07, T, Fixed, 6),
    declare(0xEF08, F, Fixed, 2),
)
AREA = ApplicationDeclaration(0xDF01, "区", "area", FILES, name=b"AREA1", label="DF01")
ENVIRONMENT = ApplicationDeclaration(
    0xDDF1, "环境", "environment", FILES[:1], name=b"ENVIRONMENT", label="ENV", applications=(AREA,)
)
CONTENTS: dict[tuple[str, str], list[Record]] = {
    ("ENV", "EF05"): [Items(text="AB", other="C")],
    ("DF01", "EF06"): [Fixed(number=2), Fixed(number=1)],
    ("DF01", "EF07"): [Fixed(number=0x1234)],
}
build = partial(build_card, ENVIRONMENT, atr=b"\x3b\x00", protocol=CardProtocol.T1)


def test_contents_lie_where_the_declaration_says() -> None:
    card = build(CONTENTS, security=LdtSecurity())
    assert send(card, "00A4000002DDF1") == "6F0D840B454E5649524F4E4D454E549000"
    assert send(card, "00B2012D00") == "430241424401439000"
    assert send(card, "00A4000002DF01").endswith("9000")
    assert send(card, "00B2013400") == "00029000"
    assert send(card, "00B2023400") == "00019000"
    assert send(card, "00B0870000") == "1234000000009000"


def test_files_without_contents_are_blank_or_missing() -> None:
    card = build(CONTENTS, security=LdtSecurity())
    area = find_directory(card, "DF01")
    assert find_file(area, "EF05").records == Items.empty().encode()
    assert find_file(area, "EF08").records == [b"\xff\xff"] * 3
    bare = build({}, security=LdtSecurity())
    assert find_file(find_directory(bare, "DF01"), "EF06").records == []
    assert find_file(find_directory(bare, "DF01"), "EF07").records == [b"\xff\xff\x00\x00\x00\x00"]
    without = build(CONTENTS, security=LdtSecurity(), blank=False)
    assert [file.declaration.label for file in find_directory(without, "DF01").files] == ["EF06", "EF07"]
    with pytest.raises(KeyError):
        find_file(find_directory(without, "DF01"), "EF08")


def test_blank_files_can_be_written() -> None:
    card = build({}, security=LdtSecurity())
    send(card, "00A4000002DDF1")
    assert send(card, "00DC43280443024142") == "9000"
    assert send(card, "00B2432800") == "430241429000"


def test_root_that_is_the_master_file_stays_it() -> None:
    root = replace(ENVIRONMENT, identifier=0x3F00, label="MF")
    card = build_card(root, {}, atr=b"\x3b\x00", protocol=CardProtocol.T1, security=FmcosSecurity({}))
    assert card.master_file.label == "MF"
    assert find_directory(card, "DF01").parent is card.master_file


def test_each_directory_may_have_its_own_security_header_and_fci() -> None:
    wallet = FmcosSecurity({})
    header = FileHeader(0x28, 0xF0, 0xEF)
    card = build(
        CONTENTS,
        security=LdtSecurity(suite=LdtSuite(Algorithm.SM4)),
        securities={"DF01": wallet},
        proprietary={"ENV": lambda directory: bytes([len(directory.files)])},
        headers={("DF01", "EF07"): header},
        names_from_master_file=True,
    )
    assert card.names_from_master_file
    assert card.security_of(find_directory(card, "DF01")) is wallet
    assert card.security_of(find_directory(card, "ENV")) is card.security
    assert send(card, "00A4000002DDF1") == "6F10840B454E5649524F4E4D454E54A501019000"
    send(card, "00A4000002DF01")
    assert find_file(card.current, "EF07").header is header
    assert send(card, "00D6870001AA") == "6982"


@pytest.mark.parametrize(
    "wrong",
    [
        {"contents": {("DF09", "EF05"): [Items.empty()]}},
        {"contents": {("DF01", "EF09"): [Items.empty()]}},
        {"securities": {"DF09": LdtSecurity()}},
        {"proprietary": {"DF09": lambda _: b""}},
        {"headers": {("DF01", "EF09"): FileHeader(0x28, 0xF0, 0xF0)}},
    ],
)
def test_labels_that_are_nowhere_are_mistakes(wrong: dict[str, Any]) -> None:
    arguments: dict[str, object] = {"contents": {}, "security": LdtSecurity(), **wrong}
    with pytest.raises(KeyError):
        build(**arguments)  # type: ignore[arg-type]


def test_directory_that_is_nowhere_is_a_mistake() -> None:
    card = build({}, security=LdtSecurity())
    with pytest.raises(KeyError):
        find_directory(card, "DF09")


def test_rights_that_fmcos_cannot_express_are_a_mistake() -> None:
    area = replace(AREA, files=(replace(FILES[0], read=any_of("RK1DF03")),))
    root = replace(ENVIRONMENT, applications=(area,))
    make = partial(build_card, root, {}, atr=b"\x3b\x00", protocol=CardProtocol.T1, security=LdtSecurity())
    make()
    with pytest.raises(ValueError, match="FMCOS"):
        make(securities={"DF01": FmcosSecurity({})})
    make(securities={"DF01": FmcosSecurity({})}, headers={("DF01", "EF05"): FileHeader(0x2C, 0xF1, 0xEF)})
