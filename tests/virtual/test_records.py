"""Reading and writing records and bytes: addressing, lengths, appending (SSC §5.3, PC-6; EW §3.1; PERS §1.5)."""

from dataclasses import replace

import pytest

from cardio.files.codecs import Text
from cardio.files.declaration import FREE, NEVER, Structure, any_of
from cardio.files.record import ItemRecord, item
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_security import FmcosSecurity
from tests.virtual.wire import card_of, declare, send

V, F, C, T = Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED, Structure.CYCLIC, Structure.TRANSPARENT
FIRST, SECOND, THIRD, FOURTH = "790101", "430102", "790103", "790104"


class Items(ItemRecord):
    """One item of five bytes at most."""

    text: str | None = item(0x43, Text(5), "文字", "text")


def linear(*records: str, structure: Structure = V, size: int = 0, count: int = 0) -> ElementaryFile:
    declaration = replace(declare(0xEF05, structure, records=count), size=size, content=Items)
    return ElementaryFile(declaration, [bytes.fromhex(record) for record in records])


def cyclic(*records: str) -> ElementaryFile:
    declaration = replace(declare(0xEF05, C, records=3), size=2)
    return ElementaryFile(declaration, [bytes.fromhex(record) for record in records])


def native(*files: ElementaryFile) -> VirtualCard:
    """The same on FMCOS."""
    return VirtualCard(b"\x3b\x00", Directory(0x3F00, files=list(files)), CardProtocol.T1, security=FmcosSecurity({}))


def contents(file: ElementaryFile) -> list[str]:
    return [record.hex().upper() for record in file.records]


# ---- reading -----------------------------------------------------------------------------------------------------


@pytest.fixture
def tagged() -> VirtualCard:
    return card_of(linear(FIRST, SECOND, THIRD, FOURTH))


def test_next_and_previous_instance_of_a_tag(tagged: VirtualCard) -> None:
    assert send(tagged, "00B2792800") == FIRST + "9000"
    assert send(tagged, "00B2790200") == THIRD + "9000"
    assert send(tagged, "00B2790200") == FOURTH + "9000"
    assert send(tagged, "00B2790200") == "6A83"
    assert send(tagged, "00B2790300") == THIRD + "9000"
    assert send(tagged, "00B2790300") == FIRST + "9000"
    assert send(tagged, "00B2790300") == "6A83"


def test_without_a_current_record_next_begins_at_the_first_and_previous_at_the_last(tagged: VirtualCard) -> None:
    assert send(tagged, "00B2792A00") == FIRST + "9000"
    tagged.power_on()
    assert send(tagged, "00B2792B00") == FOURTH + "9000"


def test_next_and_previous_of_any_tag(tagged: VirtualCard) -> None:
    for expected in (FIRST, SECOND, THIRD, FOURTH):
        assert send(tagged, "00B2002A00") == expected + "9000"
    assert send(tagged, "00B2002A00") == "6A83"
    assert send(tagged, "00B2002B00") == THIRD + "9000"


def test_number_00_is_the_current_record(tagged: VirtualCard) -> None:
    assert send(tagged, "00B2002C00") == "6A83"
    assert send(tagged, "00B2022C00") == SECOND + "9000"
    assert send(tagged, "00B2000400") == SECOND + "9000"
    assert send(tagged, "00B2000500") == SECOND + THIRD + FOURTH + "9000"
    assert send(tagged, "00B2092C00") == "6A83"
    assert send(tagged, "00B2000400") == SECOND + "9000"


def test_selecting_the_file_forgets_its_current_record(tagged: VirtualCard) -> None:
    send(tagged, "00B2022C00")
    assert send(tagged, "00A4020002EF05") == "9000"
    assert send(tagged, "00B2000400") == "6A83"


def test_each_file_has_its_own_current_record_while_it_is_current() -> None:
    other = ElementaryFile(declare(0xEF06, V), [bytes.fromhex(SECOND)])
    card = card_of(linear(FIRST, SECOND), other)
    send(card, "00B2022C00")
    assert send(card, "00B2003400") == "6A83"
    assert send(card, "00B2002C00") == "6A83"


def test_fixed_records_have_tags_too() -> None:
    card = card_of(linear(FIRST, SECOND, THIRD, structure=F))
    assert send(card, "00B2792800") == FIRST + "9000"
    assert send(card, "00B2792A00") == THIRD + "9000"
    assert send(card, "00B2432900") == SECOND + "9000"


def test_cyclic_records_have_no_tags_but_an_order() -> None:
    card = card_of(cyclic("0303", "0202", "0101"))
    for mode in (0, 1, 2, 3):
        assert send(card, f"00B202{0x28 | mode:02X}00") == "6A86"
    assert send(card, "00B2002A00") == "03039000"
    assert send(card, "00B2002A00") == "02029000"
    assert send(card, "00B2002B00") == "03039000"


@pytest.mark.parametrize(("le", "size"), [("00", 256), ("FF", 255), ("10", 16)])
def test_runs_of_more_than_256_bytes_are_cut_to_what_le_allows(le: str, size: int) -> None:
    records = [f"43 62 {number:02X}" + "00" * 97 for number in range(3)]
    card = card_of(linear(*records))
    answer = send(card, f"00B2012D{le}")
    assert answer == "".join(records).replace(" ", "")[: 2 * size] + "9000"
    card.protocol = CardProtocol.T0
    assert send(card, f"00B2012D{le}") == answer
    assert send(card, "00B2022D00") == "6CC8"


def test_transparent_files_give_256_bytes_at_most() -> None:
    content = bytes(range(256)) + bytes(44)
    card = card_of(ElementaryFile(replace(declare(0xEF05, T), size=300), [content]))
    assert send(card, "00B0850000") == content[:256].hex().upper() + "9000"
    assert send(card, "00B08500") == content[:256].hex().upper() + "9000"
    assert send(card, "00B0000A00") == content[10:266].hex().upper() + "9000"
    assert send(card, "00B00100FF") == "00" * 44 + "9000"
    assert send(card, "00B0A50000") == "6A86"


# ---- UPDATE RECORD of social security cards ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "mode", "record", "expected"),
    [
        ("01", 4, "790109", ["790109", SECOND, THIRD]),
        ("03", 4, "790109", [FIRST, SECOND, "790109"]),
        ("04", 4, "790109", [FIRST, SECOND, THIRD, "790109"]),
        ("79", 0, "790109", ["790109", SECOND, THIRD]),
        ("79", 1, "790109", [FIRST, SECOND, "790109"]),
        ("44", 0, "440109", [FIRST, SECOND, THIRD, "440109"]),
        ("79", 2, "790109", ["790109", SECOND, THIRD]),
        ("79", 3, "790109", [FIRST, SECOND, "790109"]),
    ],
)
def test_linear_records_are_replaced_or_appended(number: str, mode: int, record: str, expected: list[str]) -> None:
    file = linear(FIRST, SECOND, THIRD)
    card = card_of(file)
    assert send(card, f"00DC{number}{0x28 | mode:02X}03{record}") == "9000"
    assert contents(file) == expected


@pytest.mark.parametrize(
    ("number", "mode", "record", "status"),
    [
        ("05", 4, FIRST, "6A83"),
        ("00", 4, FIRST, "6A83"),
        ("44", 1, "440109", "6A83"),
        ("44", 2, "440109", "6A83"),
        ("44", 3, "440109", "6A83"),
        ("79", 0, "430109", "6A80"),
        ("01", 5, FIRST, "6A86"),
        ("01", 6, FIRST, "6A86"),
        ("01", 7, FIRST, "6A86"),
        ("01", 4, "790209", "6A85"),
        ("01", 4, "790009", "6A85"),
        ("79", 0, "790409", "6A85"),
    ],
)
def test_records_that_do_not_fit_change_nothing(number: str, mode: int, record: str, status: str) -> None:
    file = linear(FIRST, SECOND, THIRD)
    card = card_of(file)
    assert send(card, f"00DC{number}{0x28 | mode:02X}03{record}") == status
    assert contents(file) == [FIRST, SECOND, THIRD]


def test_current_record_is_updated_and_stays_current() -> None:
    file = linear(FIRST, SECOND, THIRD)
    card = card_of(file)
    send(card, "00B2022C00")
    assert send(card, "00DC000403430109") == "9000"
    assert send(card, "00B2000400") == "4301099000"
    assert send(card, "00DC790203790108") == "9000"
    assert contents(file) == [FIRST, "430109", "790108"]
    assert send(card, "00DC042C03790107") == "9000"
    assert send(card, "00B2000400") == "7901079000"


def test_records_are_as_long_as_their_item_at_most() -> None:
    file = linear(FIRST, SECOND)
    card = card_of(file)
    assert send(card, "00DC022C0743053132333435") == "9000"
    assert send(card, "00DC022C084306313233343536") == "6A84"
    assert send(card, "00DC022C0443023132") == "9000"
    assert send(card, "00DC012C0479021122") == "6A84"  # a tag that nobody declared keeps its room
    assert contents(file) == [FIRST, "43023132"]


def test_empty_updates_are_6700() -> None:
    card = card_of(linear(FIRST), ElementaryFile(declare(0xEF06, T), [bytes(4)]))
    assert send(card, "00DC012C") == "6700"
    assert send(card, "00D68600") == "6700"


def test_fixed_files_are_full_at_their_number_and_keep_their_length() -> None:
    file = linear(FIRST, SECOND, structure=F, size=3, count=3)
    card = card_of(file)
    assert send(card, "00DC032C0479020304") == "6A84"
    assert send(card, "00DC032C027900") == "6700"
    assert send(card, "00DC032C03790103") == "9000"
    assert send(card, "00DC042C03790104") == "6A84"
    assert len(file.records) == 3


@pytest.mark.parametrize(("number", "mode"), [("00", 3), ("01", 4)])
def test_both_forms_append_to_a_cyclic_file(number: str, mode: int) -> None:
    file = cyclic("0303", "0202", "0101")
    card = card_of(file)
    assert send(card, f"00DC{number}{0x28 | mode:02X}020404") == "9000"
    assert contents(file) == ["0404", "0303", "0202"]
    assert send(card, "00B2000400") == "04049000"


@pytest.mark.parametrize(("number", "mode"), [("01", 3), ("00", 4), ("02", 4), ("00", 0), ("01", 0), ("00", 2)])
def test_cyclic_records_are_never_replaced(number: str, mode: int) -> None:
    file = cyclic("0303", "0202")
    assert send(card_of(file), f"00DC{number}{0x28 | mode:02X}020404") == "6A86"
    assert contents(file) == ["0303", "0202"]


def test_cyclic_records_have_one_length() -> None:
    card = card_of(cyclic("0303"))
    assert send(card, "00DC002B03040404") == "6A84"
    assert send(card, "00DC002B0104") == "6700"


def test_social_security_cards_know_no_append_record() -> None:
    assert send(card_of(cyclic("0303")), "00E2002C020404") == "6D00"


def test_structures_are_not_mixed_up_in_writing() -> None:
    card = card_of(linear(FIRST), ElementaryFile(declare(0xEF06, T), [bytes(4)]))
    assert send(card, "00D6850003790109") == "6981"
    assert send(card, "00DC013403790109") == "6981"
    assert send(card_of(), "00DC010403790109") == "6986"


def test_bytes_are_written_inside_the_file_only() -> None:
    file = ElementaryFile(declare(0xEF06, T), [bytes(4)])
    card = card_of(file)
    assert send(card, "00D6860102AABB") == "9000"
    assert contents(file) == ["00AABB00"]
    assert send(card, "00D6860401AA") == "6B00"
    assert send(card, "00D6860302AABB") == "6A84"
    send(card, "00A4020002EF06")
    assert send(card, "00D6000301CC") == "9000"
    assert contents(file) == ["00AABBCC"]


def test_structure_is_checked_before_the_right_and_the_right_before_the_record() -> None:
    closed = replace(declare(0xEF05, V), read=NEVER, update=any_of("UK1DF03"))
    card = card_of(ElementaryFile(closed, [bytes.fromhex(FIRST)]))
    assert send(card, "00D6850001AA") == "6981"
    assert send(card, "00DC092C03790109") == "6982"
    assert send(card, "00B2092C00") == "6982"


# ---- UPDATE and APPEND RECORD of FMCOS ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["012C", "7928"])
def test_fmcos_records_keep_their_length(address: str) -> None:
    file = linear("7903010203", SECOND)
    card = native(file)
    assert send(card, f"00DC{address}057903AABBCC") == "9000"
    assert send(card, f"00DC{address}067904AABBCCDD") == "6A84"
    assert send(card, f"00DC{address}047902AABB") == "6700"
    assert contents(file) == ["7903AABBCC", SECOND]


@pytest.mark.parametrize("address", ["022C", "002A"])
def test_fmcos_appends_to_linear_files_by_number_and_by_next(address: str) -> None:
    file = linear(FIRST)
    assert send(native(file), f"00DC{address}03{SECOND}") == "9000"
    assert contents(file) == [FIRST, SECOND]


def test_fmcos_creates_no_record_by_tag() -> None:
    assert send(native(linear(FIRST)), "00DC442803440109") == "6A83"


def test_fmcos_does_not_look_inside_records() -> None:
    file = linear("2701AA", structure=F, size=3)
    assert send(native(file), "00DC012C03270200") == "9000"


@pytest.mark.parametrize("command", ["00E2002C", "00E20028", "00DC002B", "00DC012B", "00DC002A", "00DC012A"])
def test_all_forms_append_to_a_cyclic_file_of_fmcos(command: str) -> None:
    file = cyclic("0303", "0202", "0101")
    assert send(native(file), f"{command}020404") == "9000"
    assert contents(file) == ["0404", "0303", "0202"]


def test_append_record_has_no_number() -> None:
    card = native(cyclic("0303"))
    assert send(card, "00E2012C020404") == "6A86"
    assert send(card, "00E2002B020404") == "6A86"
    assert send(card, "00E2002C03040404") == "6A84"


def test_variable_file_of_fmcos_is_full_at_its_size() -> None:
    file = linear(FIRST, size=7)
    card = native(file)
    assert send(card, "00E20028050103AABBCC") == "6A84"
    assert send(card, "00E20028040102AABB") == "9000"


def test_free_files_of_both_models_are_free() -> None:
    for card in (card_of(linear(FIRST)), native(linear(FIRST))):
        assert card.master_file.files[0].declaration.update is FREE
        assert send(card, "00DC012C03790109") == "9000"
