"""The version 1.0 card: its files, rights, items in record order and split texts (SSC §3.2, §4.10)."""

from datetime import datetime

import pytest

from cardio.apdu.tlv import Tlv, iterate_simple
from cardio.files.codecs import joined_text
from cardio.files.dates import CARD_TIMEZONE, CardDate
from cardio.files.declaration import Access, FileDeclaration, Structure
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord
from cardio.files.social_security.environment import SSSE_NAME, IssuerData
from cardio.files.social_security.version1.employment import (
    EmploymentPermitV1,
    EmploymentStatusV1,
    SkillsV1,
    WorkPermitCardV1,
)
from cardio.files.social_security.version1.environment import EF05_ISSUER_V1, EF06_HOLDER_V1, HolderDataV1
from cardio.files.social_security.version1.insurance import (
    CapacityAppraisalV1,
    PensionInsuranceV1,
    UnemploymentInsuranceV1,
)
from cardio.files.social_security.version1.medical import MedicalAccountV1, MedicalDataV1, MedicalLogRecordV1
from cardio.files.social_security.version1.public import CommunicationV1, EmployerV1, HouseholdV1, WagesV1
from cardio.files.social_security.version1.tree import SSC_1_0, SSSE_V1

V, F, C, T = Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED, Structure.CYCLIC, Structure.TRANSPARENT
FILES: list[tuple[str, str, str, str, Structure, int, int]] = [
    # directory, file, read (| or, & and), update, structure, size, records: SSC §3.2
    ("SSSE", "EF05", "", "UKSSSE", V, 0, 0),
    ("SSSE", "EF06", "", "UKSSSE", V, 0, 0),
    ("SSSE", "EF07", "", "UKSSSE", T, 0x300, 0),
    ("DF01", "EF05", "PIN", "UK1DF01", V, 0, 0),
    ("DF01", "EF06", "PIN", "UK4DF01", V, 0, 0),
    ("DF01", "EF07", "PIN|UK2DF01", "UK2DF01", F, 3, 0),
    ("DF01", "EF08", "PIN", "UK3DF01", V, 0, 0),
    ("DF01", "EF09", "PIN|UK2DF01", "UK2DF01", V, 0, 0),
    ("DF01", "EF0A", "PIN", "UK5DF01", V, 0, 0),
    ("DF02", "EF05", "PIN|UK1DF02", "UK1DF02", V, 0, 0),
    ("DF02", "EF06", "PIN|UK2DF02", "UK2DF02", V, 0, 0),
    ("DF02", "EF07", "PIN|UK3DF02", "UK3DF02", C, 0x55, 4),
    ("DF02", "EF08", "PIN|UK4DF02", "UK4DF02", V, 0, 0),
    ("DF02", "EF09", "PIN|UK5DF02", "UK5DF02", V, 0, 0),
    ("DF03", "EF05", "PIN&RK2DF03", "UK1DF03", V, 0, 0),
    ("DF03", "EF06", "PIN", "UK2DF03", V, 0, 0),
    ("DF03", "EF07", "PIN&RK1DF03", "UK3DF03", V, 0, 0),
    ("DF04", "EF05", "PIN", "UK1DF04", V, 0, 0),
    ("DF04", "EF06", "PIN&RK1DF04", "UK2DF04", V, 0, 0),
    ("DF04", "EF08", "PIN", "never", C, 28, 10),  # the longer of its two forms
]
ITEMS: list[tuple[str, str, str]] = [
    # directory, file, items in record order with form and length: SSC §4.10; DF01 EF07 and EF08: SSC §4.2
    ("SSSE", "EF06", "08 an12, 09 an1E, 0A an01, 0B cn01, 0C cn03, 0D cn04"),
    ("DF01", "EF05", "20 an01, 21 an3E, 22 an12"),
    ("DF01", "EF06", "25 an3E, 26 an12, 27 cn03, 28 an0F"),
    ("DF01", "EF07", "29 an01"),
    ("DF01", "EF08", "2B an01"),
    ("DF01", "EF09", "2E an3E, 2F an08, 30 an09, 31 an01, 32 an03"),
    ("DF01", "EF0A", "37 cn04, 38 cn04, 39 cn04"),
    ("DF02", "EF05", "40 B-TLV34, 41 B-TLV34, 42 cn03, 43 B-TLV1D, 44 B-TLV1D"),
    ("DF02", "EF06", "4B cn04, 4C cn04, 60 cn04, 4D cn04, 4F cn04, 50 cn04, 3A an07"),
    ("DF02", "EF08", "52 cn0A, 53 an3E, 94 an08, 54 cn04"),
    ("DF02", "EF09", "55 cn0A, 56 an3E, 95 an08, 96 cn04, 97 cn04"),
    ("DF03", "EF05", "60 cn04, 98 cn04, 61 cn04, 62 cn04, 63 an03, 64 an03, 65 an03, 66 an03"),
    ("DF03", "EF06", "67 cn04, 68 an3E, 69 an3E, 6A an10, 6B an3C"),
    ("DF03", "EF07", "6C cn04, 6D cn04, 6E cn04, 6F cn04, 70 an03, 71 cn04, 72 cn04, 73 cn04"),
    (
        "DF04",
        "EF05",
        (
            "80 cn04, 81 an3E, 82 an08, 83 an09, 84 an3E, 85 an08, 86 an09, 87 an3E, 88 an08, 89 an09, "
            "8A an0F, 8B an0A, 8C an01, 8F an01"
        ),
    ),
    ("DF04", "EF06", "90 cn04, 92 cn04, 93 cn04"),
]


def declared(directory: str, file: str) -> FileDeclaration:
    application = SSSE_V1.application(directory)
    assert application is not None
    found = application.file(file)
    assert found is not None
    return found


def access(text: str) -> Access:
    if text == "never":
        return Access(())
    return Access(tuple(frozenset(filter(None, one.split("&"))) for one in text.split("|")))


def sample(cls: type[ItemRecord]) -> ItemRecord:
    return cls.decode_concatenated(bytes.fromhex(cls.VECTORS[-1]))


# ---- the tree ------------------------------------------------------------------------------------------------


def test_the_card_has_the_files_of_the_table_and_no_others() -> None:
    found = [(application.label, file.label) for application, file in SSC_1_0.files()]
    assert found == [(directory, file) for directory, file, *_ in FILES]


@pytest.mark.parametrize(("directory", "file", "read", "update", "structure", "size", "records"), FILES)
def test_a_file_has_the_rights_and_the_structure_of_the_table(
    directory: str, file: str, read: str, update: str, structure: Structure, size: int, records: int
) -> None:
    found = declared(directory, file)
    assert set(found.read.alternatives) == set(access(read).alternatives)
    assert set(found.update.alternatives) == set(access(update).alternatives)
    assert (found.structure, found.size, found.records) == (structure, size, records)


def test_the_directories_have_their_names() -> None:
    names = {application.label: application.name for application in SSSE_V1.walk()}
    assert names == {
        "SSSE": SSSE_NAME,
        "DF01": bytes.fromhex("D15600000500"),
        "DF02": bytes.fromhex("D15600000501"),
        "DF03": bytes.fromhex("D15600000502"),
        "DF04": bytes.fromhex("D15600000503"),
    }
    assert SSC_1_0.id == "ssc-1.0"


# ---- items in record order -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("directory", "file", "expected"), ITEMS)
def test_items_stand_in_record_order_with_form_and_length(directory: str, file: str, expected: str) -> None:
    specs = declared(directory, file).content.specs().values()
    assert ", ".join(f"{spec.tag:02X} {spec.codec.form}{spec.codec.size:02X}" for spec in specs) == expected
    assert all(spec.count == 1 for spec in specs)


def test_all_item_files_are_compared() -> None:
    linear = {(application.label, file.label) for application, file in SSC_1_0.files() if file.structure in {V, F}}
    assert linear == {(directory, file) for directory, file, _ in ITEMS} | {("SSSE", "EF05")}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [(0x40, "57 an03, 58 cn03, 59 an28"), (0x43, "5A cn07, 5B cn01, 5C an09, 5D cn04")],
)
def test_nested_items_have_form_and_length(tag: int, expected: str) -> None:
    codec = next(spec.codec for spec in SkillsV1.specs().values() if spec.tag == tag)
    assert isinstance(codec, Constructed)
    specs = codec.record.specs().values()
    assert ", ".join(f"{spec.tag:02X} {spec.codec.form}{spec.codec.size:02X}" for spec in specs) == expected


# ---- published bytes -----------------------------------------------------------------------------------------


def test_the_issuer_of_the_published_card_is_read() -> None:
    """SSC §9.1."""
    assert EF05_ISSUER_V1.content is IssuerData
    raw = bytes.fromhex("0110330100D1560000050100ABCD00000000 0304312E3030")
    record = IssuerData.decode_concatenated(raw)
    assert record.card_id == bytes.fromhex("330100D1560000050100ABCD00000000")
    assert record.version == "1.00"
    assert b"".join(record.encode()) == raw


def test_the_holder_of_the_published_card_is_read() -> None:
    """SSC §9.1: sex, and a name that is filled with 20."""
    assert EF06_HOLDER_V1.content is HolderDataV1
    name = "测试甲".encode("gbk").ljust(30, b" ")
    record = HolderDataV1.decode([Tlv(0x09, name), *iterate_simple(bytes.fromhex("0A0131"))])
    assert (record.name, record.sex) == ("测试甲", "1")
    assert record.encode() == [b"\x09\x1e" + name, bytes.fromhex("0A0131")]


def test_a_name_extension_is_no_item_of_this_version() -> None:
    record = HolderDataV1.decode([Tlv(0x4E, b"A")])
    assert record.name is None
    assert record.unknown == (Tlv(0x4E, b"A"),)


# ---- split texts ---------------------------------------------------------------------------------------------

HOUSEHOLD = "测试省测试市测试区测试街道测试社区测试路1号测试小区2号楼3单元测试室甲乙丙丁"
POSTAL = "测试省测试市测试区测试街道测试社区测试路8号测试信箱测试收发室测试处"
EMPLOYER = "测试省测试市A测试机械设备制造有限责任公司第一分公司测试车间测试班组部"
AUTHORITY = "测试省测试市{}测试区人力资源和社会保障局测试街道劳动就业服务管理所"
HOSPITAL = "测试省测试市{}测试区测试街道测试社区卫生服务中心测试分院测试门诊部"
CONCLUSION = "A" + "测试鉴定结论" * 11 + "完毕"


@pytest.mark.parametrize(
    ("cls", "texts", "properties"),
    [
        (HouseholdV1, [HOUSEHOLD], ["address"]),
        (CommunicationV1, [POSTAL], ["address"]),
        (EmployerV1, [EMPLOYER], ["name"]),
        (WorkPermitCardV1, [AUTHORITY.format("A")], ["authority"]),
        (EmploymentPermitV1, [AUTHORITY.format("B")], ["authority"]),
        (CapacityAppraisalV1, [CONCLUSION], ["conclusion"]),
        (MedicalDataV1, [HOSPITAL.format(n) for n in "123"], ["hospitals"]),
    ],
)
def test_a_text_in_parts_is_joined_before_it_is_decoded(
    cls: type[ItemRecord], texts: list[str], properties: list[str]
) -> None:
    record = sample(cls)
    (name,) = properties
    value = getattr(record, name)
    assert (list(value) if isinstance(value, tuple) else [value]) == texts
    with pytest.raises(UnicodeDecodeError):
        texts[0].encode("gbk")[:62].decode("gbk")


@pytest.mark.parametrize("cls", [HouseholdV1, CommunicationV1, EmployerV1, WorkPermitCardV1, EmploymentPermitV1])
def test_a_text_that_is_not_there_is_absent(cls: type[ItemRecord]) -> None:
    name = next(name for name, value in vars(cls).items() if isinstance(value, property))
    assert getattr(cls.empty(), name) is None
    assert getattr(cls.decode_concatenated(b"".join(cls.empty().encode())), name) is None
    assert CapacityAppraisalV1.empty().conclusion is None
    assert MedicalDataV1.empty().hospitals == (None, None, None)


@pytest.mark.parametrize("filler", [b"\x00", b" ", b"\xff"])
def test_parts_are_joined_without_their_filler(filler: bytes) -> None:
    assert joined_text(b"AB".ljust(5, filler), filler * 3, filler * 2) == "AB"
    assert joined_text(b"ABCDE", b"F".ljust(3, filler), None) == "ABCDEF"
    assert joined_text(filler * 5, None) is None


def test_parts_may_be_absent_and_a_space_between_them_is_text() -> None:
    assert joined_text() is None
    assert joined_text(None, None) is None
    assert joined_text(b"AB", None, b"C") == "ABC"
    assert joined_text(b"AB ", b"CD ") == "AB CD"


def test_a_conclusion_may_be_split_twice_in_the_middle_of_a_character() -> None:
    raw = ("A" + "测" * 69).encode("gbk")
    record = CapacityAppraisalV1.decode([Tlv(0x68, raw[:62]), Tlv(0x69, raw[62:124]), Tlv(0x6A, raw[124:])])
    assert record.conclusion == "A" + "测" * 69


# ---- values --------------------------------------------------------------------------------------------------


def test_pension_totals_are_read() -> None:
    record = PensionInsuranceV1.decode_concatenated(bytes.fromhex("7003313638 710401234567 720400456789 6D0400198765"))
    assert (record.paid_months, record.own_total_fen, record.employer_total_fen) == (168, 1234567, 456789)
    assert record.pension_fen == 198765


def test_the_medical_account_is_read() -> None:
    record = MedicalAccountV1.decode_concatenated(bytes.fromhex("900400029819 920400100000 930400250050"))
    assert (record.balance_fen, record.self_paid_fen, record.pool_fen) == (29819, 100000, 250050)


def test_unemployment_months_and_benefit_are_read() -> None:
    record = UnemploymentInsuranceV1.decode_concatenated(bytes.fromhex("610400056000 6503303036 6603303035"))
    assert (record.benefit_fen, record.granted_months, record.received_months) == (56000, 6, 5)


def test_contract_dates_and_wages_are_read() -> None:
    status = EmploymentStatusV1.decode_concatenated(bytes.fromhex("4D0420060104 4F0420081231 500420060105"))
    assert status.contract_signed == CardDate(2006, 1, 4)
    assert status.contract_started == CardDate(2006, 1, 5)
    assert status.contract_ended == CardDate(2008, 12, 31)
    wages = WagesV1.decode_concatenated(bytes.fromhex("370400312345 380404123456 390420090701"))
    assert (wages.contribution_base_fen, wages.last_year_wages_fen) == (312345, 4123456)


def test_a_log_record_of_20_bytes_has_the_account_only() -> None:
    record = MedicalLogRecordV1.decode(bytes.fromhex(MedicalLogRecordV1.VECTORS[0]))
    assert (record.number, record.kind, record.account_fen) == (1, "2", 4000)
    assert record.time == datetime(2009, 11, 30, 10, 15, 30, tzinfo=CARD_TIMEZONE)
    assert (record.self_pay_fen, record.pool_fen) == (None, None)


def test_a_log_record_of_28_bytes_has_all_three_amounts() -> None:
    """SSC §9.3."""
    record = MedicalLogRecordV1.decode(bytes.fromhex(MedicalLogRecordV1.VECTORS[1]))
    assert (record.account_fen, record.self_pay_fen, record.pool_fen) == (0, 10000, 8000)


def test_what_names_a_person_is_masked() -> None:
    shown = str([sample(cls).show(masked=True) for cls in (HouseholdV1, CommunicationV1, EmployerV1, HolderDataV1)])
    for secret in ("B2E2CAD4", "测试甲", "0000000001", "99999919900101"):
        assert secret not in shown
