"""One kind of card: its tree, its files, its keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cardio.cli.manual.files import file_section, size_in_words
from cardio.cli.manual.markdown import Anchors, table
from cardio.cli.manual.source import CARDS, item_count
from cardio.cli.manual.words import AUTHORITIES, PSAM_KINDS, USES, Language, pin_first, rights_of
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration
from cardio.security.card_keys import CARD_KEYS, ENVIRONMENT

Place = tuple[str, ApplicationDeclaration]
Opening = tuple[str, str, str]
"""What is done, directory, file."""


def card_page(card: CardDeclaration, language: Language) -> Iterator[str]:
    """The page of a card."""
    places = list(places_of(card))
    anchors = Anchors()
    anchors.of(language.pick(card.zh, card.en))
    files = [(name, file) for name, application in places for file in application.files]
    yield f"# {language.pick(card.zh, card.en)}"
    yield ""
    items = sum(item_count(file) for _, file in files)
    yield language.pick(
        f"`{card.id}`，{len(files)} 个文件，{items} 个数据项。来源：{card.source}。",
        f"`{card.id}`, {len(files)} files, {items} items. Source: {card.source}.",
    )
    yield language.links(card.id)
    yield ""
    yield from _tree(card, language, anchors)
    yield from _files(places, language, anchors)
    for name, application in places:
        yield from _directory(name, application, language)
        for file in application.files:
            yield from file_section(file_heading(name, file, language), file, language)
    yield from _keys(card, places, language)


def file_heading(place: str, file: FileDeclaration, language: Language) -> str:
    """Heading of a file: DF03 EF07 and its title."""
    return f"{place} {file.label} {language.pick(file.zh, file.en)}"


def places_of(card: CardDeclaration) -> Iterator[Place]:
    """The directories with short names that differ: DF01, or DDF1/DF01 where two have that label."""
    labels = Counter(one.label for one in card.root.walk())
    met: set[str] = set()

    def walk(one: ApplicationDeclaration, above: str) -> Iterator[Place]:
        name = f"{above}/{one.label}" if labels[one.label] > 1 and one.label in met else one.label
        met.add(one.label)
        yield name, one
        for below in one.applications:
            yield from walk(below, one.label)

    return walk(card.root, "")


def _tree(card: CardDeclaration, language: Language, anchors: Anchors) -> Iterator[str]:
    title = language.pick("目录树", "Tree")
    anchors.of(title)
    yield f"## {title}"
    yield ""
    yield "```text"
    yield from _branch(card.root, language, "", "")
    yield "```"
    yield ""


def _branch(application: ApplicationDeclaration, language: Language, first: str, rest: str) -> Iterator[str]:
    name = f"  {application.name.hex().upper()}" if application.name else ""
    label = f"{application.label}  " if application.label != f"{application.identifier:04X}" else ""
    yield f"{first}{label}{application.identifier:04X}{name}  {language.pick(application.zh, application.en)}"
    below: list[FileDeclaration | ApplicationDeclaration] = [*application.files, *application.applications]
    for number, one in enumerate(below, start=1):
        branch, after = ("└── ", "    ") if number == len(below) else ("├── ", "│   ")
        if isinstance(one, FileDeclaration):
            yield f"{rest}{branch}{one.label}  {language.pick(one.zh, one.en)}"
        else:
            yield from _branch(one, language, rest + branch, rest + after)


def _files(places: list[Place], language: Language, anchors: Anchors) -> Iterator[str]:
    title = language.pick("文件", "Files")
    anchors.of(title)
    yield f"## {title}"
    yield ""
    rows = []
    for name, application in places:
        anchors.of(_directory_heading(name, application, language))
        for file in application.files:
            anchor = anchors.of(file_heading(name, file, language))
            rows.append(
                (
                    f"{name} {file.label}",
                    f"{file.sfi:02X}",
                    size_in_words(file, language),
                    language.of(USES[file.use]),
                    language.rights(file.read),
                    language.rights(file.update),
                    f"[{language.pick(file.zh, file.en)}](#{anchor})",
                )
            )
    zh = ("文件", "SFI", "结构", "状态", "读", "写", "名称")
    en = ("file", "SFI", "structure", "use", "read", "update", "title")
    yield from table(language.of((zh, en)), rows)


def _directory_heading(name: str, application: ApplicationDeclaration, language: Language) -> str:
    return f"{name} {language.pick(application.zh, application.en)}"


def _directory(name: str, application: ApplicationDeclaration, language: Language) -> Iterator[str]:
    yield f"## {_directory_heading(name, application, language)}"
    yield ""
    yield f"- FID `{application.identifier:04X}`"
    if application.name:
        readable = _readable(application.name)
        text = f" ({readable})" if readable else ""
        yield f"- {language.label(language.pick('名称', 'Name'))}`{application.name.hex().upper()}`{text}"
    else:
        yield f"- {language.pick('无名称，按 FID 选择', 'No name: it is selected by FID')}"
    yield f"- {language.label(language.pick('来源', 'Source'))}{application.source}"
    yield ""


def _readable(name: bytes) -> str:
    """A directory name as text, where it is one."""
    try:
        text = name.rstrip(b"\x00").decode("gbk")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() and not text.startswith("\xa0") else ""


def _keys(card: CardDeclaration, places: list[Place], language: Language) -> Iterator[str]:
    """Every right that the files ask for, and the keys of the card's directories."""
    opens: dict[str, list[Opening]] = {}
    for name, application in places:
        for file in application.files:
            for access, verb in ((file.read, ("读", "read")), (file.update, ("写", "update"))):
                for right in rights_of(access):
                    opens.setdefault(right, []).append((language.of(verb), name, file.label))
    elsewhere = _file_keys() - opens.keys()
    labels = {application.label for _, application in places} if card.root.application(ENVIRONMENT) else set()
    rows = [
        (right, "", "", "", "", "", _openings(opens[right]))
        for right in sorted(opens, key=pin_first)
        if right not in CARD_KEYS
    ]
    rows += [
        (
            key.name,
            key.application,
            f"{key.kid:02X}",
            "?" if key.psam_id is None else f"{key.psam_id:02X}",
            language.of(PSAM_KINDS[key.psam_kind]),
            language.of(AUTHORITIES[key.authority]),
            _openings(opens.get(key.name, [])),
        )
        for key in CARD_KEYS.values()
        if key.application in labels and key.name not in elsewhere
    ]
    if not rows:
        return
    yield f"## {language.pick('权限与密钥', 'Rights and keys')}"
    yield ""
    zh = ("密钥", "目录", "kid", "PSAM id", "PSAM用途", "根密钥", "用于")
    en = ("key", "directory", "kid", "PSAM id", "PSAM use", "root", "for")
    yield from table(language.of((zh, en)), rows)


def _file_keys() -> set[str]:
    """Keys that open a file on some kind of card; others authenticate, block or unblock."""
    return {
        right
        for card in CARDS
        for _, file in card.files()
        for access in (file.read, file.update)
        for right in rights_of(access)
    }


def _openings(found: list[Opening]) -> str:
    """Files by right and directory: read DF01 EF05, EF06; update DF01 EF05."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for verb, place, label in found:
        grouped.setdefault((verb, place), []).append(label)
    return "; ".join(f"{verb} {place} {', '.join(labels)}" for (verb, place), labels in grouped.items())
