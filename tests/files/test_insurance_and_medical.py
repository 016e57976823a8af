"""SSSE, DF03, DF04, local files, the employer card and the PKI environment as the specification has them."""

import pytest

from cardio.errors import CardDataInvalid
from cardio.files.codes import CodeTable
from cardio.files.dates import CardDate
from cardio.files.declaration import (
    FREE,
    NEVER,
    PIN,
    Access,
    ApplicationDeclaration,
    CardDeclaration,
    FileDeclaration,
    Structure,
    Use,
    all_of,
    any_of,
)
from cardio.files.nesting import Constructed
from cardio.files.record import ItemRecord
from cardio.files.social_security.employer import DF0A, UnitData, UnitInsuranceData
from cardio.files.social_security.environment import SSSE, HolderData
from cardio.files.social_security.insurance import (
    DF03,
    MaternityInsurance,
    ParticipationVoucher,
    ParticipationVouchers,
    PensionInsurance,
    UnemploymentInsurance,
)
from cardio.files.social_security.local import (
    LOCAL_FILES,
    EmployerHubei,
    Participation,
    PaymentState,
    PaymentStateData,
    PersonalNumberData,
)
from cardio.files.social_security.medical import (
    DF04,
    MedicalData,
    MedicalLogRecord,
    MedicalScheme,
    OfflineSettlement,
    SpecialSettlementRecord,
)
from cardio.files.social_security.pki import CERTIFICATES, PKI, PKI_NAME, Certificate, PublicKey
from cardio.files.social_security.public import Employer
from cardio.files.social_security.trees import SOCIAL_SECURITY_CARDS, SSC_2_0, SSC_3_0, SSC_EMPLOYER
from cardio.files.social_security.work_injury import LabourCapacity
from cardio.files.tables.injury import APPRAISAL_MATTER, DISABILITY_GRADE, SELF_CARE
from cardio.files.tables.insurance import INSURANCE_SCHEME, INSURED_CLASS

V, F, C, T = Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED, Structure.CYCLIC, Structure.TRANSPARENT
READ_03, READ_04 = any_of(PIN, "RK1DF03"), any_of(PIN, "RK1DF04")

# SSC §3.1: file, short identifier, title, read, update, structure, size, least number of records, use
FILES_3_1: dict[str, list[tuple[str, int, str, Access, str | None, Structure, int, int, Use]]] = {
    "SSSE": [
        ("EF05", 0x05, "发卡机构数据文件", FREE, "UKSSSE", V, 0, 0, Use.ACTIVE),
        ("EF06", 0x06, "持卡人的基本信息文件", FREE, "UKSSSE", V, 0, 0, Use.ACTIVE),
        ("EF07", 0x07, "指纹数据文件", any_of("RKSSSE"), "UKSSSE", T, 0x300, 0, Use.PREPARED),
        ("EF08", 0x08, "照片信息文件", any_of("RKSSSE"), "UKSSSE", T, 0x1000, 0, Use.PREPARED),
    ],
    "DF03": [
        ("EF05", 0x05, "失业保险信息文件", any_of(PIN, "RK2DF03"), "UK1DF03", V, 0, 0, Use.ACTIVE),
        ("EF06", 0x06, "劳动能力鉴定信息文件", READ_03, "UK2DF03", V, 0, 0, Use.ACTIVE),
        ("EF07", 0x07, "养老保险信息文件", READ_03, "UK3DF03", V, 0, 0, Use.ACTIVE),
        ("EF15", 0x15, "工伤保险信息文件", READ_03, "UK4DF03", V, 0, 0, Use.ACTIVE),
        ("EF16", 0x16, "生育保险信息文件", READ_03, "UK5DF03", V, 0, 0, Use.ACTIVE),
        ("EF17", 0x17, "工伤认定信息文件", READ_03, "UK6DF03", V, 0, 0, Use.ACTIVE),
        ("EF18", 0x18, "供养亲属信息文件", READ_03, "UK7DF03", V, 0, 0, Use.ACTIVE),
        ("EF19", 0x19, "参保凭证信息文件", READ_03, "UK8DF03", F, 0x29, 0, Use.ACTIVE),
    ],
    "DF04": [
        ("EF05", 0x05, "医疗保险基本信息文件", READ_04, "UK1DF04", V, 0, 0, Use.ACTIVE),
        ("EF06", 0x06, "医疗保险临时脱网结算信息文件", all_of(PIN, "RK1DF04"), "UK2DF04", V, 0, 0, Use.ACTIVE),
        ("EF08", 0x08, "医疗交易明细文件", any_of(PIN), None, C, 0x1C, 30, Use.ACTIVE),
        ("EF15", 0x15, "特殊医疗结算记录文件", READ_04, "UK2DF04", C, 0x03, 8, Use.ACTIVE),
    ],
}

# SSC §4.1, §4.4, §4.5: tags in record order with their lengths; B-TLV items with the count of their places
ITEMS: dict[tuple[str, str], str] = {
    ("SSSE", "EF05"): "01-10 02-01 03-04 04-0C 05-04 06-04 07-09",
    ("SSSE", "EF06"): "08-12 09-1E 4E-14 0A-01 0B-01 0C-03 0D-04",
    ("DF03", "EF05"): "61-03 60-04 98-04 62-04 63-03 64-03 65-03 66-03",
    ("DF03", "EF06"): "45-14 46-02 47-02 48-01 49-01 67-04 6B-3C 4A-61*3 (13-02 14-01 15-14 16-04 17-3C)",
    ("DF03", "EF07"): "70-03 71-03 6E-04 6C-04 6F-04 73-04",
    ("DF03", "EF15"): "7A-03 7B-04 7C-04",
    ("DF03", "EF16"): "51-03 5F-01",
    ("DF03", "EF17"): "3B-14 3C-46 3D-01 3E-04 3F-3C",
    ("DF03", "EF18"): "74-03 75-03 76-01 77-04 78-04",
    ("DF03", "EF19"): "79-27*4 (18-03 19-03 1A-04 1B-04 1C-04 1D-03 1E-04)",
    ("DF04", "EF05"): (
        "81-08 84-03 87-11 8C-01 80-04 8B-1D 8A-0F 83-09 86-09 89-09 7D-09 7E-09 7F-09 8D-09 8E-09 8F-01"
    ),
    ("DF04", "EF06"): "90-01 92-04 93-02",
}
APPLICATIONS = {"SSSE": SSSE, "DF03": DF03, "DF04": DF04}


@pytest.mark.parametrize("label", FILES_3_1)
def test_files_are_protected_as_the_specification_says(label: str) -> None:
    declared = [
        (file.label, file.sfi, file.zh, file.read, file.update, file.structure, file.size, file.records, file.use)
        for file in APPLICATIONS[label].files
    ]
    expected = [
        (*row[:4], NEVER if row[4] is None else any_of(row[4]), *row[5:])  # the card alone writes the log
        for row in FILES_3_1[label]
    ]
    assert declared == expected


def described(record: type[ItemRecord]) -> str:
    found = []
    for spec in record.specs().values():
        found.append(f"{spec.tag:02X}-{spec.codec.size:02X}" + (f"*{spec.count}" if spec.count > 1 else ""))
        if isinstance(spec.codec, Constructed):
            found.append(f"({described(spec.codec.record)})")
    return " ".join(found)


@pytest.mark.parametrize(("label", "name"), ITEMS)
def test_items_stand_in_record_order_with_their_lengths(label: str, name: str) -> None:
    file = APPLICATIONS[label].file(name)
    assert file
    assert issubclass(file.content, ItemRecord)
    assert described(file.content) == ITEMS[label, name]


def test_every_linear_file_is_compared() -> None:
    linear = {
        (label, file.label) for label, one in APPLICATIONS.items() for file in one.files if file.structure in {V, F}
    }
    assert linear == ITEMS.keys()


@pytest.mark.parametrize(
    ("application", "identifier", "name"),
    [
        (SSSE, 0xDDF1, "7378312E73682EC9E7BBE1B1A3D5CF"),
        (DF03, 0xDF03, "D15600000502"),
        (DF04, 0xDF04, "D15600000503"),
        (DF0A, 0xDF0A, ""),
        (CERTIFICATES, 0xDF01, "53532E434552542E41444631"),
        (PKI, PKI.identifier, "504B492EC9E7BBE1B1A3D5CF"),
    ],
    ids=lambda value: value.label if isinstance(value, ApplicationDeclaration) else "",
)
def test_directories_have_the_names_of_the_specification(
    application: ApplicationDeclaration, identifier: int, name: str
) -> None:
    assert (application.identifier, application.name) == (identifier, bytes.fromhex(name))


# ---- published records ---------------------------------------------------------------------------------------


def test_the_published_voucher_says_what_the_specification_says() -> None:
    vouchers = ParticipationVouchers.decode_concatenated(bytes.fromhex(ParticipationVouchers.VECTORS[0]))
    assert vouchers.pension == ParticipationVoucher(
        scheme="110",
        region="519900",
        started=CardDate(2010, 1, 1),
        ended=CardDate(2025, 12, 31),
        contributions_fen=1234567,
        paid_months=186,
        issued=CardDate(2026, 1, 10),
    )
    assert vouchers.medical is None
    assert vouchers.unemployment is None


def test_the_place_of_a_voucher_says_what_it_is_for() -> None:
    vouchers = ParticipationVouchers.decode_concatenated(bytes.fromhex(ParticipationVouchers.VECTORS[1]))
    places = (vouchers.pension, vouchers.medical, vouchers.unemployment)
    assert [place.scheme if place else None for place in places] == ["110", "310", "210"]
    blank = ParticipationVouchers.empty().encode()[0]
    only_medical = ParticipationVouchers.decode_concatenated(blank + vouchers.encode()[1] + blank * 2)
    assert only_medical.pension is None
    assert only_medical.medical == vouchers.medical
    assert only_medical.unemployment is None
    assert {len(record) for record in vouchers.encode()} == {0x29}


def test_the_published_holder_and_disability_grade() -> None:
    holder = HolderData.decode_concatenated(bytes.fromhex(HolderData.VECTORS[1]))
    assert (holder.social_security_number, holder.name) == ("11010519491231002X", "张三")
    capacity = LabourCapacity.decode_concatenated(bytes.fromhex(LabourCapacity.VECTORS[0]))
    assert capacity.disability_grade == "07"
    assert LabourCapacity.specs()["disability_grade"].text("07", "en", masked=False) == "grade 7"


def test_codes_of_the_holder_have_texts() -> None:
    holder = HolderData.decode_concatenated(bytes.fromhex(HolderData.VECTORS[0]))
    assert holder.show(masked=False)["ethnicity"]["zh"].startswith("汉")
    assert holder.birthplace == "999999"


def test_the_published_settlement_and_what_kind_it_was() -> None:
    log = MedicalLogRecord.decode(bytes.fromhex("0005 32 519900000001 20260115093045 00000000 00002710 00001F40"))
    special = SpecialSettlementRecord.decode(bytes.fromhex("0005 33"))
    assert (log.kind, log.self_pay_fen, log.pool_fen) == ("2", 10000, 8000)
    assert MedicalLogRecord.specs()["self_pay_fen"].text(log.self_pay_fen, "en", masked=False) == "¥100.00"
    assert special.number == log.number
    assert SpecialSettlementRecord.specs()["settlement_class"].codec.json("3")["en"] == "medical assistance"


# ---- items that need care ------------------------------------------------------------------------------------


def test_the_medical_scheme_has_three_characters_and_five_flags() -> None:
    data = MedicalData.decode_concatenated(bytes.fromhex("8108" + b"39011010".hex()))
    assert data.scheme == MedicalScheme(
        scheme="390",
        treatment_elsewhere=True,
        outpatient_pooling=True,
        major_disease=False,
        medical_assistance=True,
        veteran_subsidy=False,
    )
    short = MedicalData.decode_concatenated(bytes.fromhex("8103" + b"310".hex()))
    assert short.scheme
    assert (short.scheme.scheme, short.scheme.treatment_elsewhere) == ("310", None)


def test_health_is_shown_only_unmasked() -> None:
    data = MedicalData.decode_concatenated(bytes.fromhex("8108" + b"31000100".hex()))
    assert data.show(masked=False)["scheme"]["major_disease"] is True
    assert data.show(masked=True)["scheme"]["major_disease"] == "***"


def test_hospitals_stand_under_tags_of_their_own() -> None:
    data = MedicalData.decode_concatenated(bytes.fromhex(MedicalData.VECTORS[1]))
    hospitals = (data.hospital_1, data.hospital_3, data.injury_hospital_1, data.maternity_hospital_2)
    assert hospitals == ("999900001", "999900003", "999900004", "999900008")
    assert (data.insured_class, data.account_opened) == ("11", CardDate(2005, 7, 1))


def test_month_counts_are_decimal_text_and_amounts_packed_fen() -> None:
    unemployment = UnemploymentInsurance.decode_concatenated(bytes.fromhex("6303303836 6503303138"))
    assert (unemployment.contribution_months, unemployment.granted_months) == (86, 18)
    offline = OfflineSettlement.decode_concatenated(bytes.fromhex("900131 920400029819 93023037"))
    assert (offline.allowed, offline.total_fen, offline.count) == (True, 29819, 7)


def test_a_region_item_tells_that_the_holder_is_enrolled() -> None:
    assert PensionInsurance.decode_concatenated(bytes.fromhex("7103519900")).region == "519900"
    assert PensionInsurance.decode_concatenated(bytes.fromhex("7103FFFFFF")).region is None
    assert MaternityInsurance.decode_concatenated(bytes.fromhex("5F0130")).spouse_not_employed is False


def test_the_payment_state_is_one_character_per_insurance() -> None:
    data = PaymentStateData.decode_concatenated(bytes.fromhex(PaymentStateData.VECTORS[0]))
    assert data.payment_state == PaymentState(
        pension="1", medical="1", unemployment="2", work_injury="0", maternity="9"
    )
    assert (data.pension_total_fen, data.medical_total_fen) == (12345678, 298190)


def test_the_participation_string_is_in_the_order_of_hubei() -> None:
    names = list(Participation.specs())
    for place, name in enumerate(names):
        raw = bytearray(b"0" * 10)
        raw[place] = ord("1")
        decoded = Participation.decode(bytes(raw))
        assert [one for one in names if getattr(decoded, one)] == [name]
    assert names == [
        "enterprise_pension",
        "public_sector_pension",
        "enterprise_annuity",
        "unemployment",
        "basic_medical",
        "large_amount_medical",
        "civil_servant_supplement",
        "enterprise_supplement",
        "work_injury",
        "maternity",
    ]


def test_an_employer_file_of_hubei_reads_standard_files_too() -> None:
    standard = Employer.decode_concatenated(bytes.fromhex(Employer.VECTORS[0]))
    hubei = EmployerHubei.decode_concatenated(bytes.fromhex(Employer.VECTORS[0]))
    assert hubei.name == standard.name
    assert hubei.participation is None
    assert hubei.encode() == standard.encode()


def test_local_files_use_free_numbers_and_belong_to_no_standard_card() -> None:
    assert {name: (label, file.label) for name, (label, file) in LOCAL_FILES.items()} == {
        "payment-state": ("DF03", "EF0C"),
        "personal-number": ("SSSE", "EF0D"),
        "employer-hubei": ("DF01", "EF09"),
    }
    assert LOCAL_FILES["payment-state"][1].read == READ_03
    assert LOCAL_FILES["payment-state"][1].update == any_of("UK3DF03")
    declared = {id(file) for card in SOCIAL_SECURITY_CARDS.values() for _, file in card.files()}
    assert declared.isdisjoint(id(file) for _, file in LOCAL_FILES.values())
    assert described(PersonalNumberData) == "EA-0C EB-03 EC-01 ED-01"


@pytest.mark.parametrize("label", LOCAL_FILES)
def test_a_local_file_fits_into_the_standard_card(label: str) -> None:
    directory, file = LOCAL_FILES[label]
    found = SSC_2_0.root.with_files(directory, file).application(directory)
    assert found
    assert found.file(file.label) is file


# ---- trees ---------------------------------------------------------------------------------------------------


def labels(card: CardDeclaration) -> list[str]:
    return [application.label for application in card.root.walk()]


def test_a_card_of_version_2_has_seven_applications_in_one_environment() -> None:
    assert SSC_2_0.root.name == SSSE.name
    assert labels(SSC_2_0) == ["SSSE", "DF01", "DF02", "DF03", "DF04", "DF05", "DF06", "DF07"]


def test_a_card_of_version_3_differs_by_the_read_key_of_the_holder_and_by_the_pki_environment() -> None:
    assert SSC_3_0.root.identifier == 0x3F00
    assert labels(SSC_3_0) == ["MF", *labels(SSC_2_0), "PKI", "SS.CERT.ADF1"]
    old = [(one.label, file) for one, file in SSC_2_0.files()]
    new = [(one.label, file) for one, file in SSC_3_0.files() if one is not CERTIFICATES]
    (changed,) = (after for before, after in zip(old, new, strict=True) if before != after)
    assert (changed[0], changed[1].label, changed[1].read) == ("SSSE", "EF06", any_of("RKSSSE"))


def test_an_employer_card_names_a_unit_instead_of_a_person() -> None:
    assert [(one.label, file.label) for one, file in SSC_EMPLOYER.files()] == [
        ("SSSE", "EF05"),
        ("SSSE", "EF06"),
        ("DF01", "EF09"),
        ("DF0A", "EF0C"),
    ]
    unit = UnitData.decode_concatenated(bytes.fromhex(UnitData.VECTORS[0]))
    assert unit.credit_code == "919999000000000190"
    assert unit.name == "测试省测试市测试县测试产业园区测试有限责任公司"
    assert described(UnitInsuranceData) == "9A-02 9B-03 9C-0A 9D-05 9E-04"


def test_cards_are_found_by_their_names() -> None:
    assert list(SOCIAL_SECURITY_CARDS) == ["ssc-1.0", "ssc-2.0", "ssc-3.0", "ssc-employer"]


@pytest.mark.parametrize("card", SOCIAL_SECURITY_CARDS.values(), ids=lambda card: card.id)
def test_every_directory_has_a_label_of_its_own_and_every_file_a_number(card: CardDeclaration) -> None:
    assert len(set(labels(card))) == len(labels(card))
    for application in card.root.walk():
        assert len({file.sfi for file in application.files}) == len(application.files)


# ---- PKI -----------------------------------------------------------------------------------------------------


def test_the_pki_environment_is_named_in_gbk() -> None:
    assert PKI_NAME.decode("gbk") == "PKI.社会保障"


def test_private_keys_are_never_read_and_public_ones_are_66_bytes() -> None:
    by_number: dict[int, FileDeclaration] = {file.identifier: file for file in CERTIFICATES.files}
    assert list(by_number) == [0x12, 0x13, 0x14, 0x15, 0x18, 0x19]
    assert {file.structure for file in by_number.values()} == {T}
    assert {number for number, file in by_number.items() if file.read == NEVER} == {0x13, 0x15}
    assert {number for number, file in by_number.items() if file.size == 66} == {0x12, 0x14}
    raw = bytes.fromhex(PublicKey.VECTORS[0])
    assert PublicKey.decode(raw).key == raw[-64:]


def test_a_certificate_tells_its_own_length() -> None:
    certificate = Certificate.decode(bytes.fromhex(Certificate.VECTORS[0]))
    assert certificate.der == bytes.fromhex("3003020101")
    assert Certificate.decode(bytes(Certificate.size())).der is None
    cut = Certificate.decode(bytes.fromhex("3082FFFF").ljust(Certificate.size(), b"\x01"))
    with pytest.raises(CardDataInvalid):
        _ = cut.der


# ---- tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (INSURANCE_SCHEME, "110 120 150 160 170 210 310 340 360 380 390 391 410 510"),
        (INSURED_CLASS, "11 21 22 31 32 33 34 91"),
        (APPRAISAL_MATTER, "10 20 30 40 50 60 70 80 90"),
        (DISABILITY_GRADE, "01 02 03 04 05 06 07 08 09 10 11"),
        (SELF_CARE, "1 2 3 4"),
    ],
    ids=lambda value: value.source if isinstance(value, CodeTable) else "",
)
def test_tables_are_complete(table: CodeTable, codes: str) -> None:
    assert list(table.entries) == codes.split()
