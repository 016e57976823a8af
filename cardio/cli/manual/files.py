"""One elementary file: its facts, its items, other layouts of its records, its samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from cardio.cli.manual.markdown import code, octets, table
from cardio.cli.manual.samples import INDENT, samples
from cardio.cli.manual.source import inner
from cardio.cli.manual.words import STRUCTURES, USES, VISIBLE, Language
from cardio.files.declaration import FileDeclaration, Reuse, Structure
from cardio.files.record import FieldSpec, ItemRecord, Record

Row = tuple[str, ...]


def file_section(heading: str, file: FileDeclaration, language: Language) -> Iterator[str]:
    """A file under its heading."""
    yield f"### {heading}"
    yield ""
    yield from _facts(file, language)
    yield ""
    yield from items_table(file.content, language)
    yield from samples(file.content, language)
    for prefix, content in file.layouts.items():
        begins = octets(prefix)
        yield language.pick(f"以 `{begins}` 开头的记录：", f"Records that begin with `{begins}`:")
        yield ""
        yield from items_table(content, language)
        yield from samples(content, language)
    if file.reuse is not None:
        yield from _reuse(file.reuse, language)


def size_in_words(file: FileDeclaration, language: Language) -> str:
    """Structure of a file with its size and number of records."""
    words = language.of(STRUCTURES[file.structure])
    if file.structure is Structure.TRANSPARENT:
        return language.pick(f"{words}，{file.size} 字节", f"{words}, {file.size} bytes")
    if file.structure is Structure.CYCLIC:
        return language.pick(
            f"{words}，至少 {file.records} 条，每条 {file.size} 字节",
            f"{words}, at least {file.records} of {file.size} bytes",
        )
    if file.size:
        return language.pick(f"{words}，每条 {file.size} 字节", f"{words} of {file.size} bytes")
    return words


def _facts(file: FileDeclaration, language: Language) -> Iterator[str]:
    identifier = f"FID `{file.identifier:04X}`, SFI `{file.sfi:02X}`"
    structure = f"{size_in_words(file, language)} ({file.structure.value})"
    use = f"{language.of(USES[file.use])} ({file.use.value})"
    if issubclass(file.content, ItemRecord):
        specs = file.content.specs().values()
        records = sum(spec.count for spec in specs)
        filled = sum(spec.count * (2 + spec.codec.size) for spec in specs)
        structure += language.pick(f"；写满时 {records} 条，共 {filled} 字节", f"; {records} when full, {filled} bytes")
    for title, text in (
        (language.pick("标识", "Identifiers"), identifier),
        (language.pick("结构", "Structure"), structure),
        (language.pick("读", "Read"), language.rights(file.read)),
        (language.pick("写", "Update"), language.rights(file.update)),
        (language.pick("状态", "Use"), use),
        (language.pick("来源", "Source"), file.source),
    ):
        yield f"- {language.label(title)}{text}"


def items_table(record: type[Record], language: Language) -> Iterator[str]:
    """The items of a record class; what items hold themselves is indented under them."""
    if issubclass(record, ItemRecord):
        places = (language.pick("记录", "record"), language.pick("标签", "tag"))
    else:
        places = (language.pick("偏移", "offset"), "")
    head = (
        *places,
        language.pick("JSON名称", "name in JSON"),
        language.pick("名称", "title"),
        language.pick("格式", "form"),
        language.pick("长度", "length"),
        language.pick("屏蔽后可见", "seen when masked"),
        language.pick("内容", "content"),
    )
    yield from table(head, list(_items(record, language, "", 0)))


def _items(record: type[Record], language: Language, path: str, depth: int) -> Iterator[Row]:
    fixed = not issubclass(record, ItemRecord)
    place = 0 if fixed else 1
    for name, spec in record.specs().items():
        size = spec.codec.size
        if depth == 0:
            first = f"{place}–{place + spec.count - 1}" if spec.count > 1 else str(place)
        else:
            first = f"+{place}" if fixed else ""
        full = f"{path}{name}{'[]' if spec.count > 1 else ''}"
        yield (
            first,
            "" if spec.tag is None else f"{spec.tag:02X}",
            code(full),
            INDENT * depth + language.pick(spec.zh, spec.en),
            spec.codec.form,
            f"{size} ({size:02X})",
            "" if spec.personal is None else language.of(VISIBLE[spec.personal]),
            language.meaning(spec.codec),
        )
        below = inner(spec)
        if below is not None:
            yield from _items(below, language, f"{full}.", depth + 1)
        place += size if fixed else spec.count


def _reuse(reuse: Reuse, language: Language) -> Iterator[str]:
    """Items of a 1.0 file that may hold data of version 2.0."""
    yield language.pick(
        "旧卡新用：值以 `EE` 结尾时，去掉右边的 `EE`，按 2.0 版的含义解释。",
        "Re-use of old cards: where a value ends in `EE`, take these off on the right and read what is left as in 2.0.",
    )
    yield ""
    head = (
        language.pick("标签", "tag"),
        language.pick("JSON名称", "name in JSON"),
        language.pick("2.0 版名称", "title in 2.0"),
        language.pick("格式", "form"),
        language.pick("长度", "length"),
        language.pick("条件", "when"),
        language.pick("内容", "content"),
    )
    specs = cast("Mapping[str, FieldSpec]", reuse.content.specs())
    rows = []
    for name, spec in specs.items():
        tag = spec.tag or 0
        if tag not in reuse.tags and tag not in reuse.followers:
            continue
        if tag in reuse.tags:
            when = language.pick("以 EE 结尾", "it ends in EE")
        else:
            when = language.pick(f"跟随 {reuse.followers[tag]:02X}", f"{reuse.followers[tag]:02X} is re-used")
        size = spec.codec.size
        title = language.pick(spec.zh, spec.en)
        meaning = language.meaning(spec.codec)
        rows.append((f"{tag:02X}", code(name), title, spec.codec.form, f"{size} ({size:02X})", when, meaning))
        below = inner(spec)
        if below is not None:
            inside = _items(below, language, f"{name}.", 1)
            rows += [(row[0] + row[1], row[2], row[3], row[4], row[5], "", row[7]) for row in inside]
    yield from table(head, rows)
