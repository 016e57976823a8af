"""Commands that make files: CREATE FILE and ERASE DF (PERS §1.2, §1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.cli.trace.explanation import Phrase, Secrecy, Value, simple
from cardio.cli.trace.findings import Findings, Seen, bytes_value, size_value

KIND, MAC, ENCRYPTION = 0x3F, 0x80, 0x40
DIRECTORY, KEY_FILE, PURSE, ACCOUNT = 0x38, 0x3F, 0x2F, 0x2D
KINDS = {
    0x28: Phrase("透明文件", "transparent file"),
    0x2A: Phrase("定长记录文件", "file of fixed records"),
    0x2C: Phrase("变长记录文件", "file of variable records"),
    0x2E: Phrase("循环文件", "cyclic file"),
    ACCOUNT: Phrase("医疗账户文件", "medical account"),
    PURSE: Phrase("电子存折/电子钱包文件", "passbook or purse"),
    DIRECTORY: Phrase("目录", "directory"),
    KEY_FILE: Phrase("密钥文件", "key file"),
}
RECORDS = frozenset({0x2A, 0x2E})
FREE, NEVER, MASTER_PREFIX = 0xF0, 0xEF, 0x0
INFORMATION, NAME = 7, 8
FCI_FILE, SFI = 0x80, 0x1F


def create_file(seen: Seen) -> Findings:
    """CREATE FILE (80 E0)."""
    found = Findings("CREATE FILE", Phrase("建立文件", "create file"))
    _, _, p1, p2 = seen.header
    found.parameters.append(simple("identifier", "文件标识", "file identifier", f"{p1:02X}{p2:02X}"))
    if seen.data:
        found.request = Secrecy.OPEN
        whole = len(seen.data) >= INFORMATION
        found.parameters += (
            _block(seen.data) if whole else [bytes_value("control", "控制信息", "control bytes", seen.data)]
        )
    return found


def erase(_: Seen) -> Findings:
    """ERASE DF (80 0E)."""
    return Findings("ERASE DF", Phrase("擦除目录", "erase directory"))


def _block(data: bytes) -> Iterator[Value]:
    kind, size = data[0] & KIND, int.from_bytes(data[1:3], "big")
    yield simple("kind", "类型", "type", _kind(data[0]), f"{data[0]:02X}")
    if kind in RECORDS:
        yield simple("records", "记录数", "records", str(data[1]))
        yield size_value("record", "记录长度", "record length", data[2])
    elif kind != PURSE:
        yield size_value("size", "长度", "size", size)
    if kind == DIRECTORY:
        yield _right("create", "建立权限", "who may create in it", data[3])
        yield _right("erase", "擦除权限", "who may erase it", data[4])
        yield _application_file(data[5])
        if data[NAME:]:
            yield bytes_value("name", "目录名称", "name", data[NAME:])
    elif kind == KEY_FILE:
        yield _application_file(data[3])
        yield _right("add", "增加密钥权限", "who may add keys", data[4])
    elif kind in {PURSE, ACCOUNT}:
        yield _right("use", "使用权限", "who may use it", data[3])
        yield simple("log", "交易明细文件", "SFI of its log", f"{data[6]:02X}")
    else:
        yield _right("read", "读权限", "who may read", data[3])
        yield _right("update", "写权限", "who may write", data[4])


def _kind(byte: int) -> Phrase:
    known = KINDS.get(byte & KIND, Phrase("未知类型", "unknown type"))
    protection = byte & (MAC | ENCRYPTION)
    words = {
        MAC: Phrase("，写入需MAC", ", written with a MAC"),
        ENCRYPTION: Phrase("，写入需加密", ", written encrypted"),
        MAC | ENCRYPTION: Phrase("，写入需加密和MAC", ", written encrypted with a MAC"),
    }
    extra = words.get(protection, Phrase("", ""))
    return Phrase(known.zh + extra.zh, known.en + extra.en, f"{byte:02X}")


def _right(name: str, zh: str, en: str, byte: int) -> Value:
    """An access byte XY: from state Y to state X (PERS §1.1)."""
    high, low = byte >> 4, byte & 0x0F
    if byte == FREE:
        text = Phrase("自由", "everybody")
    elif high == MASTER_PREFIX:
        text = Phrase(f"主控文件状态不低于{low:X}", f"state {low:X} or more of the master file")
    elif low > high:
        text = Phrase("禁止", "nobody")
    elif low == high:
        text = Phrase(f"状态{low:X}", f"state {low:X}")
    else:
        text = Phrase(f"状态{low:X}至{high:X}", f"states {low:X} to {high:X}")
    return simple(name, zh, en, Phrase(text.zh, text.en, f"{byte:02X}"), f"{byte:02X}")


def _application_file(byte: int) -> Value:
    """Application file identifier: SFI of a DIR file, or of the file that the FCI shows (PERS §1.3)."""
    zh, en = ("FCI内容文件", "file in the FCI") if byte & FCI_FILE else ("目录文件", "directory file")
    return simple(
        "application_file", zh, en, f"SFI {byte & SFI:02X}" if byte & SFI else Phrase("无", "none"), f"{byte:02X}"
    )
