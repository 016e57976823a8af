"""Access rights, and what every declared file must have."""

import pytest

from cardio.files.declaration import (
    FREE,
    NEVER,
    PIN,
    Access,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    all_of,
    any_of,
)
from cardio.files.record import FixedRecord, ItemRecord
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, SSSE_NAME
from cardio.files.social_security.medical import EF05_MEDICAL, EF08_MEDICAL_LOG
from cardio.files.social_security.version1.medical import EF08_MEDICAL_LOG_V1
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.public import EF15_PUBLIC
from tests.files.declared import APPLICATIONS, FILES

NOTHING: frozenset[str] = frozenset()


def rights(*names: str) -> frozenset[str]:
    return frozenset(names)


@pytest.mark.parametrize(
    ("access", "held", "allowed"),
    [
        (FREE, NOTHING, True),
        (FREE, rights(PIN), True),
        (NEVER, NOTHING, False),
        (NEVER, rights(PIN, "RK1DF04"), False),
        (any_of(PIN), NOTHING, False),
        (any_of(PIN), rights(PIN), True),
        (any_of(PIN), rights("RK1DF04"), False),
        (any_of(PIN, "RK1DF04"), NOTHING, False),
        (any_of(PIN, "RK1DF04"), rights(PIN), True),
        (any_of(PIN, "RK1DF04"), rights("RK1DF04"), True),
        (any_of(PIN, "RK1DF04"), rights(PIN, "RK1DF04"), True),
        (any_of(PIN, "RK1DF04"), rights("UK1DF04"), False),
        (all_of(PIN, "RK1DF04"), NOTHING, False),
        (all_of(PIN, "RK1DF04"), rights(PIN), False),
        (all_of(PIN, "RK1DF04"), rights("RK1DF04"), False),
        (all_of(PIN, "RK1DF04"), rights(PIN, "RK1DF04"), True),
        (all_of(PIN, "RK1DF04"), rights(PIN, "RK1DF04", "UK1DF04"), True),
    ],
)
def test_access_is_any_complete_set_of_rights(access: Access, held: frozenset[str], allowed: bool) -> None:
    assert access.allows(held) is allowed


def test_nobody_may_use_what_no_right_opens() -> None:
    assert any_of() == NEVER
    assert all_of() == FREE


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.identifier:04X} {file.en}")
class TestEveryFile:
    def test_has_titles_and_a_source(self, file: FileDeclaration) -> None:
        assert any("\u4e00" <= character <= "\u9fff" for character in file.zh)
        assert file.en
        assert file.en.isascii()
        assert file.source

    def test_is_named_by_the_low_byte_of_its_identifier(self, file: FileDeclaration) -> None:
        assert 1 <= file.sfi <= 30
        assert file.sfi == file.identifier & 0xFF

    def test_has_the_content_of_its_structure(self, file: FileDeclaration) -> None:
        if file.structure in {Structure.TRANSPARENT, Structure.CYCLIC}:
            assert issubclass(file.content, FixedRecord)
            # A record may have a longer form; its bytes beyond the fields are kept.
            assert file.size == max(len(vector) // 2 for vector in file.content.VECTORS) >= file.content.size()
        elif file.structure is Structure.LINEAR_VARIABLE:
            assert issubclass(file.content, ItemRecord)
            assert file.size == 0
        elif issubclass(file.content, ItemRecord):
            assert {2 + spec.codec.size for spec in file.content.specs().values()} == {file.size}
        else:
            assert issubclass(file.content, FixedRecord)
            assert file.size == file.content.size()
        assert bool(file.records) == (file.structure is Structure.CYCLIC)

    def test_knows_its_other_layouts_by_their_first_bytes(self, file: FileDeclaration) -> None:
        for prefix, content in file.layouts.items():
            assert content.size() <= file.size
            for vector in content.VECTORS:
                assert bytes.fromhex(vector).startswith(prefix)
                assert file.layout(bytes.fromhex(vector)) is content
        for vector in file.content.VECTORS:
            assert file.layout(bytes.fromhex(vector)) is file.content

    def test_is_written_by_a_key_or_by_the_card_alone(self, file: FileDeclaration) -> None:
        assert not file.update.allows(NOTHING)
        assert not file.update.allows(rights(PIN))
        assert file.update == NEVER or all(way - {PIN} for way in file.update.alternatives)


@pytest.mark.parametrize("file", [EF08_MEDICAL_LOG, EF08_MEDICAL_LOG_V1, EF18_LOG], ids=lambda file: file.source)
def test_what_money_moved_is_written_by_the_card_alone(file: FileDeclaration) -> None:
    assert file.structure is Structure.CYCLIC
    assert file.update == NEVER


SELECTED_BY_IDENTIFIER = {
    0x3F00: "the master file",
    0x1001: "its name ends in the province (EW §1.1)",
    0xDF05: "its name rests on one source (SSC §2)",
    0xDF06: "its name rests on one source (SSC §2)",
    0xDF0A: "a directory of the project's own has no registered name (SSC PC-1)",
}
"""Directories without a name."""


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.en)
def test_an_application_has_titles_a_name_and_files_of_its_own(application: ApplicationDeclaration) -> None:
    assert any("\u4e00" <= character <= "\u9fff" for character in application.zh)
    assert application.en
    assert application.en.isascii()
    assert 5 <= len(application.name) <= 16 or application.identifier in SELECTED_BY_IDENTIFIER
    assert application.files or application.applications
    assert len({file.sfi for file in application.files}) == len(application.files)
    assert len({below.identifier for below in application.applications}) == len(application.applications)


def test_the_social_security_environment_is_named_in_gbk() -> None:
    assert SSSE_NAME.decode("gbk") == "sx1.sh.社会保障"


@pytest.mark.parametrize(
    ("file", "personal"),
    [
        (EF05_ISSUER, True),
        (EF06_HOLDER, True),
        (EF15_PUBLIC, True),
        (EF05_MEDICAL, True),
        (EF08_MEDICAL_LOG, False),
        (EF18_LOG, False),
    ],
)
def test_files_with_personal_fields_are_not_written_down(file: FileDeclaration, personal: bool) -> None:
    assert file.personal is personal
