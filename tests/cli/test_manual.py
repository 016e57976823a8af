"""`cardio manual`: `docs/cards/` is what the declarations say today, and says all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardio.cli.main import app
from cardio.cli.manual.markdown import Anchors, octets, table, width
from cardio.cli.manual.pages import pages
from cardio.cli.manual.source import CARDS, additions, specs_within, table_name, tables
from cardio.cli.manual.words import LANGUAGES, MEANINGS, Language
from cardio.files.codes import Codes, CodeTable
from cardio.files.declaration import FREE, NEVER, PIN, all_of, any_of
from cardio.files.record import Record
from cardio.files.social_security.local import LOCAL_FILES
from cardio.files.wallet.registry import WALLET_FILES
from tests.files import declared
from tests.manual import PAGES, file_sections

DOCS = Path(__file__).parents[2] / "docs" / "cards"
HINT = "run `make manual` and commit docs/cards"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual") / "new"
    done = CliRunner().invoke(app, ["manual", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_docs_hold_every_page_and_no_other(written: Path) -> None:
    new, kept = ({page.name for page in folder.iterdir()} for folder in (written, DOCS))
    assert not new - kept, f"docs/cards lacks {sorted(new - kept)}: {HINT}"
    assert not kept - new, f"docs/cards has {sorted(kept - new)} too many: {HINT}, after removing them"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_of_docs_is_not_stale(written: Path, name: str) -> None:
    page = DOCS / name
    assert page.is_file(), f"docs/cards/{name} is missing: {HINT}"
    assert page.read_bytes() == (written / name).read_bytes(), f"docs/cards/{name} is stale: {HINT}"


def test_the_same_declarations_give_the_same_pages() -> None:
    assert pages() == PAGES


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = CliRunner().invoke(app, ["manual", str(tmp_path / "taken")])
    assert done.exit_code == 2
    assert "taken" in done.stderr


# ---- all of it ---------------------------------------------------------------------------------------------------


def test_every_kind_of_card_has_its_pages() -> None:
    assert sorted(CARDS, key=lambda card: card.id) == declared.CARDS
    for card in CARDS:
        for language in LANGUAGES:
            assert f"({card.id}.{language}.md)" in PAGES["index.md"]


def test_every_file_of_the_registries_is_on_a_card_or_among_the_additions() -> None:
    on_cards = [file for card in CARDS for _, file in card.files()]
    added = [file for _, _, file in additions()]
    for file in (*(file for _, file in LOCAL_FILES.values()), *WALLET_FILES.values()):
        assert file in on_cards or file in added
    for name, label, file in additions():
        for language in LANGUAGES:
            page = PAGES[f"additions.{language}.md"]
            assert f"`{name}`" in page
            assert f"{label} {file.label}" in page
            for record in file.record_classes:
                assert_every_item(record, page, language)


def test_every_file_declared_on_any_card_has_a_section_with_its_rights_and_items() -> None:
    seen = 0
    for name, file, text in file_sections():
        assert text, f"{name} is not in the manual"
        language = Language(name.split()[0].split(".")[-2])
        assert f"`{file.identifier:04X}`" in text, name
        assert f"{language.label(language.pick('读', 'Read'))}{language.rights(file.read)}" in text, name
        assert f"{language.label(language.pick('写', 'Update'))}{language.rights(file.update)}" in text, name
        assert file.source in text, name
        for record in (file.content, *file.layouts.values()):
            assert_every_item(record, text, language.code)
        if file.reuse is not None:
            for tag in (*file.reuse.tags, *file.reuse.followers):
                assert re.search(rf"^\| {tag:02X} .*(EE|{' | '.join(LANGUAGES)}|re-used|跟随)", text, re.MULTILINE), (
                    name
                )
        seen += 1
    assert seen == 2 * sum(1 for card in CARDS for _ in card.files())


def assert_every_item(record: type[Record], text: str, language: str) -> None:
    """Tag, name in JSON, title, form and length of every item of a record in one row."""
    lines = [line.replace("[]", "").replace("— ", "") for line in text.splitlines() if line.startswith("|")]
    rows = [{cell.strip() for cell in line.split("|")} for line in lines]
    for path, spec in specs_within(record):
        told = {
            *(() if spec.tag is None else (f"{spec.tag:02X}",)),
            f"`{path}`",
            spec.zh if language == "zh" else spec.en,
            spec.codec.form,
            f"{spec.codec.size} ({spec.codec.size:02X})",
        }
        assert any(told <= row for row in rows), f"{record.__qualname__} {path}"


def test_every_code_of_every_table_is_listed_but_those_of_data_packages() -> None:
    found = {
        name: value
        for module in declared.MODULES
        if module.__name__.startswith("cardio.files.tables.")
        for name, value in vars(module).items()
        if isinstance(value, Codes)
    }
    assert tables() == dict(sorted(found.items()))
    for place, language in enumerate(LANGUAGES):
        text = PAGES[f"codes.{language}.md"]
        for name, codes in tables().items():
            _, _, after = text.partition(f"\n## {name}\n")
            part = after.partition("\n## ")[0]
            assert codes.source in part, name
            assert "](" not in part
            if isinstance(codes, CodeTable):
                for code, texts in codes.entries.items():
                    assert re.search(
                        rf"^\| {re.escape(code)} +\| {re.escape(texts[place])} *\|$", part, re.MULTILINE
                    ), name
            else:
                assert name in {"REGIONS", "NATIONALITY"}


def test_a_table_outside_the_package_is_not_silently_left_out() -> None:
    with pytest.raises(KeyError):
        table_name(CodeTable("elsewhere", {}))


def test_every_form_of_value_has_words() -> None:
    codecs = {type(spec.codec) for cls in declared.RECORDS for spec in cls.specs().values()}
    assert {cls.__name__ for cls in codecs} - {cls.__name__ for cls in MEANINGS} == {"Code"}


# ---- readable ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_link_leads_somewhere(name: str) -> None:
    for page, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", PAGES[name]):
        target = page or name
        assert target in PAGES
        anchors = Anchors()
        headings = re.findall(r"^#+ (.*)$", PAGES[target], re.MULTILINE)
        assert not anchor or anchor in {anchors.of(heading.replace("`", "")) for heading in headings}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_columns_are_even_in_plain_text(name: str) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", PAGES[name], re.MULTILINE):
        lines = block.splitlines()
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(columns) == 1
        starts = {width(line[: [m.start() for m in re.finditer(r"(?<!\\)\|", line)][-2]]) for line in lines}
        assert len(starts) == 1


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_has_no_loose_ends(name: str) -> None:
    text = PAGES[name]
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert "None" not in text
    assert not re.search(r"[ \t]$", text, re.MULTILINE)
    if ".en." in name:
        assert not re.search(r"^(#+|- (?!Name).*:) .*[\u4e00-\u9fff]", text, re.MULTILINE)


def test_samples_are_not_masked() -> None:
    assert "测试甲" in PAGES["ssc-2.0.zh.md"]
    assert "***" not in "".join(PAGES.values())


# ---- its parts ---------------------------------------------------------------------------------------------------


def test_bytes_are_written_with_counted_runs() -> None:
    assert octets(bytes.fromhex("D5C5C8FD") + bytes(26)) == "D5C5C8FD 00×26"
    assert octets(b"\xff" * 7) == "FF" * 7
    assert octets(bytes(8) + b"\x01" + b"\xff" * 9) == "00×8 01 FF×9"
    assert octets(b"") == ""


def test_an_empty_column_is_left_out_and_pipes_are_escaped() -> None:
    assert list(table(("一", "b", "c"), [("x|y", "", "<"), ("z", "", "")])) == [
        "| 一   | c   |",
        "|------|-----|",
        "| x\\|y | &lt; |",
        "| z    |     |",
        "",
    ]


def test_a_second_heading_of_one_name_has_an_anchor_of_its_own() -> None:
    anchors = Anchors()
    assert [anchors.of("DF01 EF05: 户籍 (a)") for _ in range(2)] == ["df01-ef05-户籍-a", "df01-ef05-户籍-a-1"]


def test_rights_in_words() -> None:
    zh, en = map(Language, LANGUAGES)
    assert (zh.rights(FREE), en.rights(FREE)) == ("自由", "free")
    assert (zh.rights(NEVER), en.rights(NEVER)) == ("不允许", "never")
    assert en.rights(any_of("RK1DF03", PIN)) == "RK1DF03 or PIN"
    assert zh.rights(all_of("RK1DF04", PIN)) == "PIN 和 RK1DF04"
