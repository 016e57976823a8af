"""DF01, DF02, DF05, DF06 and DF07: the published records, the lengths of the specification, rights and tables."""

from dataclasses import replace

import pytest

from cardio.apdu.tlv import Tlv
from cardio.files.codes import CodeTable
from cardio.files.dates import CardDate
from cardio.files.declaration import FREE, PIN, Access, ApplicationDeclaration, FileDeclaration, Structure, Use, any_of
from cardio.files.masking import HIDDEN
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.files.social_security.employment import (
    DF02,
    EF05_SKILLS,
    EF06_EMPLOYMENT,
    EF07_EMPLOYMENT_RECORDS,
    EF09_CERTIFICATE,
    EF15_EMPLOYMENT_AID,
    EF16_SUPPORT_MEASURES,
    AidRecognition,
    EmploymentAid,
    EmploymentCertificate,
    EmploymentRecord,
    EmploymentRegistration,
    EmploymentStatus,
    ProfessionalQualification,
    Skills,
    SupportMeasure,
    UnemploymentRegistration,
    VocationalQualification,
)
from cardio.files.social_security.health import DF05, EF05_HEALTH, ContraindicatedDrug, HealthData, MajorDisease
from cardio.files.social_security.personnel import (
    DF07,
    EF05_HONOURS,
    EF06_EXPERT,
    EF07_DEMOBILISATION,
    Demobilisation,
    ExpertStatus,
    Honours,
)
from cardio.files.social_security.public import (
    DF01,
    EF0A_NATIONALITY,
    EF05_HOUSEHOLD,
    EF06_RESIDENCE,
    EF07_PERSONAL_STATUS,
    EF08_MARITAL_STATUS,
    EF09_EMPLOYER,
    EF1A_RESERVED,
    EF15_EDUCATION,
    EF16_RESERVED,
    EF17_RESERVED,
    EF18_RESERVED,
    EF19_RESERVED,
    Degree,
    Education,
    Employer,
    Household,
    MaritalStatus,
    Nationality,
    PersonalStatus,
    ReservedData,
    Residence,
)
from cardio.files.social_security.relief import (
    DF06,
    EF05_RELIEF,
    EF06_PREFERENTIAL_TREATMENT,
    PreferentialTreatment,
    Relief,
    SocialRelief,
)
from cardio.files.tables import employment, health, person, relief


def full(cls: type[ItemRecord]) -> ItemRecord:
    """The vector that fills every item."""
    return cls.decode_concatenated(bytes.fromhex(cls.VECTORS[-1]))


# ---- what the specification publishes (SSC §9.2, §9.3) -------------------------------------------------------


def test_the_published_education_is_read() -> None:
    raw = bytes.fromhex("2A0111 4034 5703313233 5803112233 5928C4CFBEA9B4F3D1A7" + "00" * 32)
    record = Education.decode_concatenated(raw)
    assert record.level == "11"
    assert record.degrees == (Degree.decode_concatenated(bytes.fromhex("5703313233 5803112233 5908C4CFBEA9B4F3D1A7")),)
    degree = record.degrees[0]
    assert degree is not None
    assert (degree.degree, degree.field_of_study, degree.school) == ("123", "112233", "南京大学")
    assert b"".join(record.encode()) == raw


def test_the_published_employment_status_is_read() -> None:
    raw = bytes.fromhex(
        "4C0420130630 4B053132333435 4D03010203 600420130630 4F06303030313032 5003123123 3A07C7E5BDE0B9A400"
    )
    record = EmploymentStatus.decode_concatenated(raw)
    assert record.employment_date == CardDate(2013, 6, 30)
    assert record.employment == EmploymentRegistration(kind="12", form="345")
    assert record.employment_region == "010203"
    assert record.unemployment_date == CardDate(2013, 6, 30)
    assert record.unemployment == UnemploymentRegistration(kind="00", reason="01", cancellation="02")
    assert record.unemployment_region == "123123"
    assert record.occupation == "清洁工"
    assert b"".join(record.encode()) == raw


def test_the_published_qualification_is_read() -> None:
    raw = bytes.fromhex(
        "436C 5A0736333130313032 5B0133 5C46 B2E2CAD4CAD0D6B0D2B5BCBCC4DCBCF8B6A8D6D0D0C4"
        + "00" * 48
        + "5D0420190620 5E1031393531303030303033303030303031"
    )
    (found,) = Skills.decode_concatenated(raw).vocational
    assert found == VocationalQualification(
        occupation="6310102",
        level="3",
        institution="测试市职业技能鉴定中心",
        issued=CardDate(2019, 6, 20),
        certificate="1951000003000001",
    )
    assert b"".join(replace(Skills.empty(), vocational=(found,)).encode()[2:3]) == raw


def test_the_published_personal_status_is_employed() -> None:
    record = PersonalStatus.decode_concatenated(bytes.fromhex("290131"))
    assert record.show(masked=True) == {"status": {"code": "1", "zh": "就业", "en": "employed"}}


# ---- layouts (SSC §4.2, §4.3, §4.6): tag and length of every item, in record order ---------------------------

LAYOUTS: list[tuple[type[ItemRecord], str]] = [
    (Household, "20:02 21:50 0E:03"),
    (Residence, "23:50 24:03 28:0F 2C:32 2D:0F"),
    (PersonalStatus, "29:01"),
    (MaritalStatus, "2B:01"),
    (Employer, "2E:46 30:09 32:02"),
    (Nationality, "37:03 38:02 39:04"),
    (Education, "2A:01 40:34 40:34 40:34"),
    (Degree, "57:03 58:03 59:28"),
    (Skills, "42:03 41:03 43:6C 43:6C 44:65 44:65"),
    (VocationalQualification, "5A:07 5B:01 5C:46 5D:04 5E:10"),
    (ProfessionalQualification, "33:03 34:46 35:04 36:10"),
    (EmploymentStatus, "4C:04 4B:05 4D:03 60:04 4F:06 50:03 3A:07"),
    (EmploymentCertificate, "55:10 56:46 96:04 97:03"),
    (EmploymentAid, "99:10 99:10 99:10 99:10 0F:04 1F:03"),
    (AidRecognition, "10:03 11:04 12:03"),
    (
        HealthData,
        (
            "A0:01 A1:01 B9:01 A2:04 A9:01 A3:18 A3:18 A3:18 A3:18 A3:18 A4:17 A4:17 A4:17 A4:17 A4:17 BA:14"
            " BB:64 AA:14 AB:04 AC:01 AD:01 AE:01 AF:01 B0:01 B1:01 B2:01 B3:01 B4:01 B5:01 B6:01 B7:01 BC:01 B8:28"
        ),
    ),
    (ContraindicatedDrug, "A5:10 A6:04"),
    (MajorDisease, "A7:10 A8:03"),
    (SocialRelief, "C0:46 C2:09 C3:1A C4:1A C5:1A"),
    (Relief, "E3:01 E4:04 E5:04 E6:04 E7:03"),
    (
        PreferentialTreatment,
        (
            "C6:46 C8:09 C9:01 CA:04 CB:04 CC:04 CD:02 CE:01 CF:04 D0:04 D1:04 D2:03 D3:01 D4:04 D5:04 D6:04"
            " D7:03 D8:01 D9:04 DA:04 DB:04 DC:04 DD:04 DE:04 DF:03 E0:03 E1:02 E2:02"
        ),
    ),
    (Honours, "F0:02 F1:01 F2:04 F3:03 F4:04"),
    (ExpertStatus, "F5:03 F6:04 F7:46"),
    (Demobilisation, "F8:04 F9:01"),
]


@pytest.mark.parametrize(("cls", "layout"), LAYOUTS)
def test_a_record_has_the_items_of_the_specification(cls: type[ItemRecord], layout: str) -> None:
    specs = [spec for spec in cls.specs().values() for _ in range(spec.count)]
    assert " ".join(f"{spec.tag:02X}:{spec.codec.size:02X}" for spec in specs) == layout
    assert [f"{one[0]:02X}:{one[1]:02X}" for one in cls.empty().encode()] == layout.split()


@pytest.mark.parametrize(("cls", "layout"), LAYOUTS)
def test_the_last_vector_fills_every_item(cls: type[ItemRecord], layout: str) -> None:
    record = full(cls)
    for name, spec in cls.specs().items():
        value = getattr(record, name)
        places = value if spec.count > 1 else (value,)
        assert len(places) == spec.count, name
        assert None not in places, name
    assert [f"{one[0]:02X}:{one[1]:02X}" for one in record.encode()] == layout.split()


@pytest.mark.parametrize(
    ("cls", "sizes"),
    [
        (EmploymentRegistration, "02 03"),
        (UnemploymentRegistration, "02 02 02"),
        (EmploymentRecord, "07 04 04 46"),
        (SupportMeasure, "03 04 04 04 03"),
        (ReservedData, "128"),
    ],
)
def test_fields_have_the_lengths_of_the_specification(cls: type[FixedRecord], sizes: str) -> None:
    assert " ".join(f"{spec.codec.size:02X}" for spec in cls.specs().values()) == sizes


# ---- values --------------------------------------------------------------------------------------------------


def test_repeated_items_keep_their_places() -> None:
    degrees = full(Education)
    assert isinstance(degrees, Education)
    first, second, third = degrees.degrees
    assert [one.degree for one in (first, second, third) if one] == ["401", "301", "402"]
    written = replace(Education.empty(), degrees=(None, second)).encode()
    assert [one[0] for one in written] == [0x2A, 0x40, 0x40, 0x40]
    again = Education.decode_concatenated(b"".join(written))
    assert again.degrees == (None, second, None)
    assert again.show(masked=True)["degrees"][0] is None


def test_a_fifth_recognition_is_kept_but_not_understood() -> None:
    raw = bytes.fromhex(EmploymentAid.VECTORS[0]) + bytes.fromhex("9910 1003303230 110420230101 1203999900")
    record = EmploymentAid.decode_concatenated(raw)
    assert [one.kind for one in record.recognitions if one] == ["040", "050", "070", "990"]
    assert [tlv.tag for tlv in record.unknown] == [0x99]


def test_the_employment_history_of_an_unwritten_record_is_empty() -> None:
    assert not list(EmploymentRecord.decode(b"\xff" * 0x55).values())
    assert not list(SupportMeasure.decode(bytes(0x12)).values())


def test_a_present_employment_has_no_end() -> None:
    raw = bytearray.fromhex(EmploymentRecord.VECTORS[0])
    raw[11:15] = b"\xff" * 4
    record = EmploymentRecord.decode(bytes(raw))
    assert (record.occupation, record.employer, record.ended) == ("6310102", "测试有限公司", None)
    assert record.encode() == bytes(raw)


def test_training_is_a_support_measure() -> None:
    record = SupportMeasure.decode(bytes.fromhex(SupportMeasure.VECTORS[0]))
    assert record.show(masked=True)["kind"]["en"] == "training subsidy"
    assert (record.approved, record.started, record.ended) == (
        CardDate(2023, 12, 10),
        CardDate(2024, 1, 1),
        CardDate(2024, 2, 29),
    )


def test_an_employment_registration_is_shown_part_by_part() -> None:
    shown = full(EmploymentStatus).show(masked=True)
    assert shown["employment"] == {
        "kind": {"code": "10", "zh": "就业", "en": "employed"},
        "form": {"code": "010", "zh": "单位就业", "en": "with an employer"},
    }
    assert [part["code"] for part in shown["unemployment"].values()] == ["20", "20", "60"]


@pytest.mark.parametrize(
    ("kind", "form"),
    [("30", "010"), ("10", "040")],
)
def test_codes_outside_a_table_are_not_written(kind: str, form: str) -> None:
    record = replace(EmploymentStatus.empty(), employment=EmploymentRegistration(kind=kind, form=form))
    with pytest.raises(ValueError, match="is not in the table"):
        record.encode()


def test_a_skill_level_outside_the_unseen_table_may_be_written() -> None:
    record = replace(VocationalQualification.empty(), level="6")
    assert record.encode()[1] == bytes.fromhex("5B0136")


def test_relief_is_counted_in_fen_and_months() -> None:
    record = full(SocialRelief)
    assert isinstance(record, SocialRelief)
    assert record.second == Relief(
        kind="04",
        approved=CardDate(2023, 1, 1),
        reviewed=CardDate(2024, 1, 1),
        last_amount_fen=120050,
        last_paid_month=CardDate(2024, 5),
    )


def test_preferential_treatment_is_paid_by_month_or_by_year() -> None:
    record = full(PreferentialTreatment)
    assert isinstance(record, PreferentialTreatment)
    assert str(record.conscript_paid_year) == "2023"
    assert (str(record.pension_paid_month), str(record.subsidy_paid_month)) == ("2026-05", "2026-04")
    assert str(record.central_pension_paid_month) == "2026-03"
    assert str(record.central_allowance_paid_year) == "2025"
    assert (record.conscript_allowance_fen, record.local_allowance_fen) == (1500000, 10000)


def test_a_medical_alert_may_be_unknown() -> None:
    record = full(HealthData)
    assert isinstance(record, HealthData)
    assert (record.asthma, record.heart_disease, record.vascular_disease) == ("0", "1", "2")
    assert record.show(masked=False)["vascular_disease"] == {"code": "2", "zh": "不详", "en": "unknown"}


# ---- personal data -------------------------------------------------------------------------------------------


def open_fields(cls: type[Record]) -> set[str]:
    return {name for name, spec in cls.specs().items() if spec.personal is None}


def test_health_data_are_hidden_throughout() -> None:
    assert open_fields(HealthData) == {"drugs", "diseases"}
    assert open_fields(ContraindicatedDrug) == open_fields(MajorDisease) == set()
    shown = full(HealthData).show(masked=True)
    assert set(shown["drugs"][0].values()) == {HIDDEN}


def test_where_a_person_lives_and_works_is_hidden() -> None:
    assert open_fields(Household) == {"household_type"}
    assert open_fields(Residence) == set()
    assert open_fields(Employer) == {"identity_class"}
    assert open_fields(Degree) == {"degree", "field_of_study"}
    assert "employer" not in open_fields(EmploymentRecord)
    assert full(Residence).show(masked=True)["contact"] == "测**"
    assert full(EmploymentCertificate).show(masked=True)["number"] == "****0001"


# ---- files and applications (SSC §2, §3.1) -------------------------------------------------------------------

PUBLIC, WORK = any_of(PIN, "RK1DF01"), any_of(PIN, "RK1DF02")


@pytest.mark.parametrize(
    ("file", "read", "update"),
    [
        (EF05_HOUSEHOLD, PUBLIC, "UK1DF01"),
        (EF06_RESIDENCE, PUBLIC, "UK4DF01"),
        (EF07_PERSONAL_STATUS, PUBLIC, "UK2DF01"),
        (EF08_MARITAL_STATUS, PUBLIC, "UK3DF01"),
        (EF09_EMPLOYER, PUBLIC, "UK2DF01"),
        (EF0A_NATIONALITY, PUBLIC, "UK5DF01"),
        (EF15_EDUCATION, PUBLIC, "UK6DF01"),
        (EF16_RESERVED, FREE, "UK7DF01"),
        (EF17_RESERVED, FREE, "UK8DF01"),
        (EF18_RESERVED, FREE, "UK9DF01"),
        (EF19_RESERVED, FREE, "UKADF01"),
        (EF1A_RESERVED, FREE, "UKBDF01"),
        (EF05_SKILLS, WORK, "UK1DF02"),
        (EF06_EMPLOYMENT, WORK, "UK2DF02"),
        (EF07_EMPLOYMENT_RECORDS, WORK, "UK3DF02"),
        (EF09_CERTIFICATE, WORK, "UK4DF02"),
        (EF15_EMPLOYMENT_AID, WORK, "UK5DF02"),
        (EF16_SUPPORT_MEASURES, WORK, "UK6DF02"),
        (EF05_HEALTH, FREE, "UK1DF05"),
        (EF05_RELIEF, any_of("RK1DF06"), "UK1DF06"),
        (EF06_PREFERENTIAL_TREATMENT, any_of("RK1DF06"), "UK2DF06"),
        (EF05_HONOURS, any_of("RK1DF07"), "UK1DF07"),
        (EF06_EXPERT, any_of("RK2DF07"), "UK2DF07"),
        (EF07_DEMOBILISATION, any_of("RK3DF07"), "UK3DF07"),
    ],
    ids=lambda value: value.en if isinstance(value, FileDeclaration) else None,
)
def test_files_are_opened_by_the_keys_of_the_specification(file: FileDeclaration, read: Access, update: str) -> None:
    assert file.read == read
    assert file.update == any_of(update)


@pytest.mark.parametrize(
    ("application", "identifier", "name", "labels"),
    [
        (DF01, 0xDF01, "D15600000500", "EF05 EF06 EF07 EF08 EF09 EF0A EF15 EF16 EF17 EF18 EF19 EF1A"),
        (DF02, 0xDF02, "D15600000501", "EF05 EF06 EF07 EF09 EF15 EF16"),
        (DF05, 0xDF05, "", "EF05"),
        (DF06, 0xDF06, "", "EF05 EF06"),
        (DF07, 0xDF07, "D15600000504", "EF05 EF06 EF07"),
    ],
    ids=lambda value: value.en if isinstance(value, ApplicationDeclaration) else None,
)
def test_applications_are_named_as_registered(
    application: ApplicationDeclaration, identifier: int, name: str, labels: str
) -> None:
    assert application.identifier == identifier
    assert application.label == f"{identifier:04X}"
    assert application.name == bytes.fromhex(name)
    assert " ".join(file.label for file in application.files) == labels


def test_cyclic_and_transparent_files_have_their_sizes() -> None:
    cyclic = [EF07_EMPLOYMENT_RECORDS, EF16_SUPPORT_MEASURES]
    assert [(file.size, file.records) for file in cyclic] == [(0x55, 4), (0x12, 4)]
    reserved = [file for file in DF01.files if file.use is Use.RESERVED]
    assert {(file.structure, file.size) for file in reserved} == {(Structure.TRANSPARENT, 0x128)}
    assert [file.zh for file in reserved] == [f"预留信息文件{number}" for number in range(1, 6)]


# ---- tables (SSC §4.6, §4.8) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "size", "width"),
    [
        (person.ETHNICITY, 59, 2),
        (person.HOUSEHOLD_TYPE, 17, 2),
        (person.PERSONAL_STATUS, 8, 1),
        (person.MARITAL, 5, 1),
        (person.IDENTITY_CLASS, 14, 2),
        (person.POLITICAL, 13, 2),
        (person.EDUCATION, 11, 2),
        (employment.TITLE_LEVEL, 8, 3),
        (employment.SKILL_LEVEL, 5, 1),
        (employment.PROFESSIONAL_QUALIFICATION, 51, 3),
        (employment.EMPLOYMENT_REGISTRATION, 2, 2),
        (employment.EMPLOYMENT_FORM, 7, 3),
        (employment.UNEMPLOYMENT_REGISTRATION, 2, 2),
        (employment.UNEMPLOYMENT_REASON, 10, 2),
        (employment.UNEMPLOYMENT_CANCELLATION, 9, 2),
        (employment.AID_TYPE, 8, 3),
        (employment.SUPPORT_MEASURE, 11, 3),
        (health.HEALTH_STATE, 4, 1),
        (health.DISABILITY_CLASS, 8, 1),
        (health.DISABILITY_LEVEL, 4, 1),
        (health.RHESUS, 3, 2),
        (health.MEDICAL_ALERT, 3, 1),
        (relief.RELIEF, 5, 2),
        (relief.PREFERENTIAL_TREATMENT, 4, 2),
        (relief.HONOUR_LEVEL, 7, 1),
        (relief.PLACEMENT, 4, 1),
    ],
    ids=lambda value: value.source if isinstance(value, CodeTable) else None,
)
def test_a_table_lists_what_the_specification_lists(table: CodeTable, size: int, width: int) -> None:
    assert len(table.entries) == size
    assert {len(code) for code in table.entries} == {width}


def test_there_are_56_ethnicities_and_three_codes_for_the_rest() -> None:
    assert list(person.ETHNICITY.entries) == [f"{number:02d}" for number in (*range(1, 57), 97, 98, 99)]
    named = [zh for code, (zh, _) in person.ETHNICITY.entries.items() if code <= "56"]
    assert all(zh.endswith("族") for zh in named)
    assert len(set(named)) == 56
    assert person.ETHNICITY.text("04", "en") == "Zang (Tibetan)"


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [("CHN", "中国", "China"), ("USA", "美国", "United States"), ("DEU", "德国", "Germany"), ("XYZ", "XYZ", "XYZ")],
)
def test_nationalities_are_named_in_both_languages(code: str, zh: str, en: str) -> None:
    assert (person.NATIONALITY.text(code, "zh"), person.NATIONALITY.text(code, "en")) == (zh, en)


def test_a_country_that_does_not_exist_is_read_but_not_written() -> None:
    assert Nationality.decode([Tlv(0x37, b"XYZ")]).nationality == "XYZ"
    with pytest.raises(ValueError, match="ISO 3166-1"):
        replace(Nationality.empty(), nationality="XYZ").encode()
