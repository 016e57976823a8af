"""The EE rule: version 1.0 cards that hold data of version 2.0 (SSC §4.10)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.tlv import Tlv, iterate_simple
from cardio.files.dates import CardDate
from cardio.files.declaration import FileDeclaration, Reuse
from cardio.files.record import ItemRecord, Record
from cardio.files.reuse import MARK, split_reused
from cardio.files.social_security.version1.employment import EF06_EMPLOYMENT_STATUS_V1, EF09_EMPLOYMENT_PERMIT_V1
from cardio.files.social_security.version1.insurance import EF05_UNEMPLOYMENT_V1, EF07_PENSION_V1
from cardio.files.social_security.version1.medical import EF05_MEDICAL_V1, EF06_ACCOUNT_V1
from cardio.files.social_security.version1.public import EF0A_WAGES_V1, EF09_EMPLOYER_V1
from cardio.files.social_security.version1.tree import SSC_1_0

RULE: list[tuple[FileDeclaration, str, str, object]] = [
    # file, form and length of SSC §4.10, re-used item, meaning
    (EF09_EMPLOYER_V1, "32 an02", "3131EE", "11"),
    (EF0A_WAGES_V1, "37 an03", "434845EE", "CHE"),
    (EF0A_WAGES_V1, "38 an02", "3133EEEE", "13"),
    (EF06_EMPLOYMENT_STATUS_V1, "4B an05", "3130303232EE", {"kind": "10", "form": "022"}),
    (EF06_EMPLOYMENT_STATUS_V1, "4D cn03", "519900EE", "519900"),
    (EF06_EMPLOYMENT_STATUS_V1, "4F an06", "323032303630EE", {"kind": "20", "reason": "20", "cancellation": "60"}),
    (EF06_EMPLOYMENT_STATUS_V1, "50 cn03", "999900EE", "999900"),
    (EF09_EMPLOYMENT_PERMIT_V1, "55 cn08", "9999001200000012EEEE", "9999001200000012"),
    (EF09_EMPLOYMENT_PERMIT_V1, "97 cn03", "999900EE", "999900"),
    (EF05_UNEMPLOYMENT_V1, "61 cn03", "999900EE", "999900"),
    (EF07_PENSION_V1, "71 cn03", "999900EE", "999900"),
    (
        EF05_MEDICAL_V1,
        "81 an08",
        "3331303130303031" + "EE" * 54,
        {
            "scheme": "310",
            "treatment_elsewhere": True,
            "outpatient_pooling": False,
            "major_disease": False,
            "medical_assistance": False,
            "veteran_subsidy": True,
        },
    ),
    (EF05_MEDICAL_V1, "84 cn03", "999900" + "EE" * 59, "999900"),
    (EF05_MEDICAL_V1, "87 an11", "39" * 17 + "EE" * 45, "9" * 17),
    (EF06_ACCOUNT_V1, "90 an01", "31EEEEEE", True),
    (EF06_ACCOUNT_V1, "93 an02", "3037EEEE", 7),
]
FOLLOWERS: list[tuple[FileDeclaration, str, str, str, object]] = [
    # file, re-used item, its follower, value of both ages, 2.0 meaning
    (EF0A_WAGES_V1, "38043133EEEE", "39", "20120501", CardDate(2012, 5, 1)),
    (EF09_EMPLOYMENT_PERMIT_V1, "550A9999001200000012EEEE", "56", "B2E2CAD4BED6" + "00" * 56, "测试局"),
    (EF09_EMPLOYMENT_PERMIT_V1, "550A9999001200000012EEEE", "96", "20120501", CardDate(2012, 5, 1)),
    (EF07_PENSION_V1, "7104999900EE", "6F", "20120501", CardDate(2012, 5, 1)),
    (EF07_PENSION_V1, "7104999900EE", "70", "313130", "110"),
    (EF06_ACCOUNT_V1, "900431EEEEEE", "92", "00029819", 29819),
]


def reuse_of(file: FileDeclaration) -> Reuse:
    assert file.reuse is not None
    return file.reuse


def split(file: FileDeclaration, raw: str) -> tuple[list[Tlv], list[Tlv]]:
    return split_reused(iterate_simple(bytes.fromhex(raw)), reuse_of(file))


def meaning(content: type[ItemRecord], items: list[Tlv], tag: int) -> Any:
    record = content.decode(items)
    assert record.malformed() == ()
    name = next(name for name, spec in content.specs().items() if spec.tag == tag)
    value = getattr(record, name)
    return {name: part for name, _, part in value.values()} if isinstance(value, Record) else value


def name_of(value: object) -> str:
    return f"{value.label} {value.en}" if isinstance(value, FileDeclaration) else str(value)[:24]


each_line = pytest.mark.parametrize(("file", "line", "value", "expected"), RULE, ids=name_of)
each_follower = pytest.mark.parametrize(("file", "marked", "tag", "value", "expected"), FOLLOWERS, ids=name_of)


@each_line
def test_an_item_that_ends_in_ee_has_its_2_0_meaning(
    file: FileDeclaration, line: str, value: str, expected: object
) -> None:
    tag, form, size = int(line[:2], 16), line[3:5], int(line[5:], 16)
    old, new = split_reused([Tlv(tag, bytes.fromhex(value))], reuse_of(file))
    assert old == []
    assert new == [Tlv(tag, bytes.fromhex(value).rstrip(b"\xee"))]
    assert meaning(reuse_of(file).content, new, tag) == expected
    spec = next(spec for spec in reuse_of(file).content.specs().values() if spec.tag == tag)
    assert (spec.codec.form, spec.codec.size) == (form, size)


@each_line
def test_an_item_without_ee_keeps_its_1_0_meaning(
    file: FileDeclaration,
    line: str,
    value: str,
    expected: object,
) -> None:
    tag = int(line[:2], 16)
    plain = Tlv(tag, bytes.fromhex(value.replace("EE", "00")))
    assert split_reused([plain], reuse_of(file)) == ([plain], [])


@each_follower
def test_an_item_without_room_for_the_mark_follows_another_one(
    file: FileDeclaration, marked: str, tag: str, value: str, expected: object
) -> None:
    follower = f"{tag}{len(value) // 2:02X}{value}"
    for raw in (marked + follower, follower + marked):
        old, new = split(file, raw)
        assert old == []
        assert meaning(reuse_of(file).content, new, int(tag, 16)) == expected


@each_follower
def test_a_follower_alone_keeps_its_1_0_meaning(
    file: FileDeclaration,
    marked: str,
    tag: str,
    value: str,
    expected: object,
) -> None:
    follower = f"{tag}{len(value) // 2:02X}{value}"
    assert split(file, follower) == (list(iterate_simple(bytes.fromhex(follower))), [])
    unmarked = marked.replace("EE", "00")
    assert split(file, unmarked + follower)[1] == []


def test_the_declarations_hold_the_rule_and_nothing_more() -> None:
    files = [file for _, file in SSC_1_0.files() if file.reuse is not None]
    declared = {(file.en, tag) for file in files for tag in reuse_of(file).tags}
    assert declared == {(file.en, int(line[:2], 16)) for file, line, _, _ in RULE}
    followers = {(file.en, *pair) for file in files for pair in reuse_of(file).followers.items()}
    assert followers == {(file.en, int(tag, 16), int(marked[:2], 16)) for file, marked, tag, _, _ in FOLLOWERS}


@pytest.mark.parametrize("file", [file for _, file in SSC_1_0.files() if file.reuse], ids=name_of)
def test_reused_tags_are_items_of_both_versions(file: FileDeclaration) -> None:
    reused = reuse_of(file).tags | reuse_of(file).followers.keys()
    for content in (file.content, reuse_of(file).content):
        assert reused <= {spec.tag for spec in content.specs().values()}


def test_a_registration_region_on_an_old_card() -> None:
    """SSC §9.3."""
    old, new = split(EF06_EMPLOYMENT_STATUS_V1, "4D04519900EE")
    assert (old, new) == ([], [Tlv(0x4D, bytes.fromhex("519900"))])


def test_old_and_new_items_may_lie_side_by_side() -> None:
    old, new = split(EF07_PENSION_V1, "6C0420100131 6F0420120501 7003313130 7104999900EE 720400456789 730420120502")
    assert [tlv.tag for tlv in old] == [0x6C, 0x72, 0x73]
    assert [tlv.tag for tlv in new] == [0x6F, 0x70, 0x71]


def test_old_text_of_the_full_length_may_end_in_ee_by_chance() -> None:
    hospital = Tlv(0x81, ("A" * 60 + "李").encode("gbk"))
    assert hospital.value.endswith(b"\xee")
    assert len(hospital.value) == 62
    assert split_reused([hospital], reuse_of(EF05_MEDICAL_V1)) == ([hospital], [])


def test_an_item_of_filler_alone_is_a_new_one_without_value() -> None:
    old, new = split(EF0A_WAGES_V1, "3804EEEEEEEE 390420120501")
    assert old == []
    assert meaning(reuse_of(EF0A_WAGES_V1).content, new, 0x38) is None


@given(data=st.data())
def test_splitting_loses_no_item(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from([file for _, file in SSC_1_0.files() if file.reuse]))
    tags = sorted({spec.tag or 0 for spec in file.content.specs().values()})
    values = st.builds(lambda value, marks: value + MARK * marks, st.binary(max_size=66), st.integers(0, 4))
    items = data.draw(st.lists(st.builds(Tlv, st.sampled_from(tags), values), max_size=12))
    old, new = split_reused(iter(items), reuse_of(file))

    def unmarked(found: list[Tlv]) -> Counter[tuple[int, bytes]]:
        return Counter((tlv.tag, tlv.value.rstrip(MARK)) for tlv in found)

    assert unmarked(old) + unmarked(new) == unmarked(items)
    assert [tlv for tlv in items if tlv in old] == old
