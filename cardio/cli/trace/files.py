"""READ and UPDATE of records and transparent files (SSC §5.1 and §5.3, EW §3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from cardio.apdu.tlv import Tlv
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, same, secrecy_of, simple
from cardio.cli.trace.findings import MAC_SIZE, Findings, Seen, bytes_value, size_value
from cardio.cli.trace.state import CardState
from cardio.cli.trace.values import ber_values, fixed_values, item_value, raw_value, split_items
from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.record import FixedRecord, ItemRecord
from cardio.files.social_security.environment import EF05_ISSUER, IssuerData

RECORDS = frozenset({Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED, Structure.CYCLIC})
TRANSPARENT = frozenset({Structure.TRANSPARENT})
SECURE = 0x04
"""Low nibble of CLA with secure messaging (SSC §5.5)."""
TAG_MODES = {
    0: Phrase("标签{}的第一条", "first record of tag {}"),
    1: Phrase("标签{}的最后一条", "last record of tag {}"),
    2: Phrase("标签{}的下一条", "next record of tag {}"),
    3: Phrase("标签{}的上一条", "previous record of tag {}"),
}
BY_NUMBER, TO_LAST, FROM_LAST, APPEND = 4, 5, 6, 3
DATA = Phrase("数据", "data")
VERSION_TAG, CLASS_TAG = 0x03, 0x02


# ---- records -------------------------------------------------------------------------------------------------


def read_record(seen: Seen) -> Findings:
    """READ RECORD: the items or the fields of one record or of several."""
    found = Findings("READ RECORD", Phrase("读记录", "read record"))
    _, _, p1, p2 = seen.header
    file = seen.state.use_file(p2 >> 3, RECORDS)
    found.parameters += [_file(seen.state, file, p2 >> 3), _record_mode(p1, p2 & 0x07)]
    data = seen.answer
    if not data:
        return found
    if file is None and p2 >> 3 and p2 >> 3 == seen.state.directory_sfi:
        found.values += ber_values(data, masked=seen.masked)
    else:
        found.values += _records(data, file, seen.state, masked=seen.masked)
        _learn(data, file, seen.state)
    found.answer = secrecy_of(found.values)
    return found


def update_record(seen: Seen) -> Findings:
    """UPDATE RECORD, with or without a MAC."""
    found = Findings("UPDATE RECORD", Phrase("改写记录", "update record"))
    return _update_record(found, seen)


def update_cache(seen: Seen) -> Findings:
    """UPDATE CAPP DATA CACHE: a record that the following DEBIT writes (EW §3.2)."""
    found = Findings("UPDATE CAPP DATA CACHE", Phrase("更新复合应用数据缓存", "update composite data cache"))
    return _update_record(found, seen)


def append_record(seen: Seen) -> Findings:
    """APPEND RECORD: the new record becomes number 1 of a cyclic file (EW §3.1)."""
    found = Findings("APPEND RECORD", Phrase("追加记录", "append record"))
    p2 = seen.header[3]
    file = seen.state.use_file(p2 >> 3, RECORDS)
    found.parameters.append(_file(seen.state, file, p2 >> 3))
    _written(found, seen, file)
    return found


def _update_record(found: Findings, seen: Seen) -> Findings:
    _, _, p1, p2 = seen.header
    file = seen.state.use_file(p2 >> 3, RECORDS)
    mode = p2 & 0x07
    cyclic = file is not None and file.structure is Structure.CYCLIC
    appends = simple("mode", "方式", "mode", Phrase("追加新记录", "append a record"), mode)
    found.parameters += [
        _file(seen.state, file, p2 >> 3),
        appends if cyclic and mode == APPEND else _record_mode(p1, mode),
    ]
    _written(found, seen, file)
    return found


def _record_mode(p1: int, mode: int) -> Value:
    if mode in TAG_MODES:
        text = Phrase(*(text.format(f"{p1:02X}") for text in TAG_MODES[mode]))
    elif mode == BY_NUMBER:
        text = Phrase(f"第{p1}条", f"record {p1}") if p1 else Phrase("当前记录", "current record")
    elif mode == TO_LAST:
        text = Phrase(f"第{p1}条至最后一条", f"records {p1} to the last")
    elif mode == FROM_LAST:
        text = Phrase(f"最后一条至第{p1}条", f"records from the last back to {p1}")
    else:
        text = Phrase(f"未定义的方式{mode}", f"undefined mode {mode}")
    return simple("mode", "方式", "mode", text, mode)


def _records(raw: bytes, file: FileDeclaration | None, state: CardState, *, masked: bool) -> list[Value]:
    if file is None:
        return [raw_value("data", DATA, raw, masked=masked)]
    if issubclass(file.content, ItemRecord):
        return [_item(tlv, file, file.content, state, masked=masked) for tlv in split_items(raw)]
    size = file.size or len(raw)
    records = [raw[start : start + size] for start in range(0, len(raw), size)]
    explained = [_fixed(one, file, masked=masked) for one in records]
    if len(explained) == 1:
        return list(explained[0])
    return [
        Value("record", Phrase(f"第{n}条", f"record {n}"), None, same(""), None, one, any(v.personal for v in one))
        for n, one in enumerate(explained, 1)
    ]


def _item(tlv: Tlv, file: FileDeclaration, content: type[ItemRecord], state: CardState, *, masked: bool) -> Value:
    reused = state.reused(tlv)
    if file.reuse is not None and reused is not None:
        return item_value(file.reuse.content, reused, masked=masked)
    return item_value(content, tlv, masked=masked)


def _fixed(raw: bytes, file: FileDeclaration, *, masked: bool, offset: int = 0) -> tuple[Value, ...]:
    content = file.content if offset else file.layout(raw)
    if not issubclass(content, FixedRecord):
        return (raw_value("data", DATA, raw, masked=masked),)
    return fixed_values(content, raw, masked=masked, offset=offset)


# ---- transparent files ---------------------------------------------------------------------------------------


def read_binary(seen: Seen) -> Findings:
    """READ BINARY: the fields that lie in the bytes that were read."""
    found = Findings("READ BINARY", Phrase("读二进制", "read binary"))
    file, offset = _addressed(found, seen)
    data = seen.answer
    if data:
        found.values += _bytes(data, file, offset, masked=seen.masked)
        found.answer = secrecy_of(found.values)
    return found


def update_binary(seen: Seen) -> Findings:
    """UPDATE BINARY, with or without a MAC."""
    found = Findings("UPDATE BINARY", Phrase("改写二进制", "update binary"))
    file, offset = _addressed(found, seen)
    _written(found, seen, file, offset)
    return found


def _addressed(found: Findings, seen: Seen) -> tuple[FileDeclaration | None, int]:
    _, _, p1, p2 = seen.header
    sfi, offset = (p1 & 0x1F, p2) if p1 & 0x80 else (0, p1 << 8 | p2)
    file = seen.state.use_file(sfi, TRANSPARENT)
    found.parameters.append(_file(seen.state, file, sfi))
    text = Phrase(f"从第{offset}字节起", f"from byte {offset}")
    found.parameters.append(simple("offset", "偏移", "offset", text, offset))
    return file, offset


def _bytes(raw: bytes, file: FileDeclaration | None, offset: int, *, masked: bool) -> Sequence[Value]:
    if file is None:
        return [raw_value("data", DATA, raw, masked=masked)]
    return _fixed(raw, file, masked=masked, offset=offset)


# ---- both ----------------------------------------------------------------------------------------------------


def _written(found: Findings, seen: Seen, file: FileDeclaration | None, offset: int = 0) -> None:
    """The data of a command that writes; under secure messaging they end in a MAC and may be encrypted."""
    data = seen.data
    if not data:
        return
    mac = b""
    if seen.header[0] & 0x0F == SECURE:
        data, mac = data[:-MAC_SIZE], data[-MAC_SIZE:]
        if not _plain(data, file, offset):
            found.parameters.append(size_value("encrypted", "数据（可能已加密）", "data, perhaps encrypted", len(data)))
            found.request = Secrecy.PERSONAL
            data = b""
    if data:
        if file is not None and file.structure in RECORDS:
            values = _records(data, file, seen.state, masked=seen.masked)
        else:
            values = list(_bytes(data, file, offset, masked=seen.masked))
        found.parameters += values
        found.request = secrecy_of(values)
    if mac:
        found.parameters.append(bytes_value("mac", "MAC", "MAC", mac))


def _plain(data: bytes, file: FileDeclaration | None, offset: int) -> bool:
    """Whether data under a MAC fit the file as they are: encrypted ones have a length and an end of their own."""
    if file is None or not data:
        return False
    if issubclass(file.content, ItemRecord):
        tags = {spec.tag for spec in file.content.specs().values()}
        return len(data) >= 2 and data[0] in tags and len(data) == 2 + data[1]
    return len(data) == file.size if file.structure in RECORDS else offset + len(data) <= file.size


def _file(state: CardState, file: FileDeclaration | None, sfi: int) -> Value:
    if file is not None:
        return simple(
            "file",
            "文件",
            "file",
            Phrase(file.zh, file.en, f"{file.label} (SFI {sfi:02X})" if sfi else file.label),
            file.label,
        )
    named = f"SFI {sfi:02X}" if sfi else state.file_text
    text = Phrase("未声明的文件", "undeclared file", named)
    return simple("file", "文件", "file", text, named)


def _learn(data: bytes, file: FileDeclaration | None, state: CardState) -> None:
    """The issuer file tells the version of the card and, on employers' cards, its class."""
    directory = state.directory
    if directory is None or directory.label != "SSSE" or file is None or file.identifier != EF05_ISSUER.identifier:
        return
    items = [tlv for tlv in split_items(data) if tlv.tag in {VERSION_TAG, CLASS_TAG}]
    issuer = IssuerData.decode(items)
    if any(tlv.tag == CLASS_TAG for tlv in items):
        state.learn_class(issuer.card_class)
    if any(tlv.tag == VERSION_TAG for tlv in items):
        state.learn_version(issuer.version)
