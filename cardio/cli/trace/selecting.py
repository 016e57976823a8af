"""SELECT and its file control information (SSC §2.1 and §5.1, EW §1.2 and §1.3)."""

from __future__ import annotations

from dataclasses import replace

from cardio.apdu.command import MASTER_FILE
from cardio.apdu.status import SELECT
from cardio.apdu.tlv import find_ber, iterate_ber
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, same, secrecy_of, simple
from cardio.cli.trace.findings import Findings, Seen
from cardio.cli.trace.state import CardState
from cardio.cli.trace.values import ber_values, fixed_values, hex_and_text
from cardio.errors import CardDataInvalid
from cardio.files.declaration import Structure
from cardio.files.record import FixedRecord

FCI, PROPRIETARY, NAME, DIRECTORY_SFI, ISSUER_DATA, ALGORITHM = 0x6F, 0xA5, 0x84, 0x88, 0x9F0C, 0x86
BY_NAME, FILE_ONLY = 0x04, 0x02
NEXT = 0x02
PUBLIC_DATA = "EF15"
ALGORITHMS = {"01": "DES/3DES", "02": "SSF33", "03": "SM4"}
NO_ALGORITHM = Phrase(
    "（FCI无9F0C；发卡地区以11开头时为SSF33）", "(no 9F0C in the FCI; SSF33 if the region begins with 11)", "DES/3DES"
)
"""SSC §1."""


def select(seen: Seen) -> Findings:
    """SELECT: the state follows it if the card did."""
    found = Findings("SELECT", Phrase("选择文件", "select"), request=Secrecy.OPEN, outcomes=SELECT)
    header, data = seen.header, seen.data
    by_name = header[2] == BY_NAME
    if data is not None:
        found.parameters.append(_target(data, by_name=by_name))
    if by_name and header[3] & 0x03 == NEXT:
        found.parameters.append(simple("occurrence", "次序", "occurrence", Phrase("下一个", "next one")))
    fci = seen.answer or b""
    if seen.call.answer.successful:
        _follow(seen.state, data, fci, by_name=by_name, files_only=header[2] == FILE_ONLY)
        if seen.state.directory is not None and not seen.state.file_text:
            found.parameters.append(_directory(seen.state))
        elif seen.state.file is not None:
            title = Phrase(seen.state.file.zh, seen.state.file.en, seen.state.file.label)
            found.parameters.append(simple("file", "文件", "file", title))
    found.values += _explain_fci(fci, seen.state, masked=seen.masked)
    found.answer = secrecy_of(found.values)
    return found


def _target(data: bytes, *, by_name: bool) -> Value:
    if by_name:
        return simple("name", "按名称", "by name", hex_and_text(data), data.hex().upper())
    text = same(data.hex().upper()) if data else Phrase("主控文件3F00", "master file 3F00")
    return simple("identifier", "按标识", "by identifier", text, data.hex().upper() or "3F00")


def _directory(state: CardState) -> Value:
    phrase = state.directory_phrase()
    return simple("directory", "目录", "directory", phrase, phrase.code)


def _follow(state: CardState, data: bytes | None, fci: bytes, *, by_name: bool, files_only: bool) -> None:
    if data is None:
        state.lose()
        return
    announced = _find(fci, FCI, NAME)
    if by_name:
        state.select_name(data, announced)
    else:
        identifier = int.from_bytes(data, "big") if data else MASTER_FILE
        state.select_identifier(identifier, announced, files_only=files_only)
    sfi = _find(fci, FCI, PROPRIETARY, DIRECTORY_SFI)
    if sfi:
        state.directory_sfi = sfi[-1]


def _explain_fci(fci: bytes, state: CardState, *, masked: bool) -> tuple[Value, ...]:
    if not fci:
        return ()
    values = tuple(_with_issuer_data(value, fci, state, masked=masked) for value in ber_values(fci, masked=masked))
    directory = state.directory
    if directory is None or directory.label != "SSSE" or _find(fci, FCI, NAME) is None:
        return values
    code = _find(fci, FCI, PROPRIETARY, ISSUER_DATA, ALGORITHM)
    algorithm = same(ALGORITHMS.get(code.hex(), code.hex().upper())) if code is not None else NO_ALGORITHM
    json = ALGORITHMS["01"] if code is None else algorithm.en
    return (*values, simple("card_algorithm", "密码算法", "algorithm of the card", algorithm, json))


def _with_issuer_data(value: Value, fci: bytes, state: CardState, *, masked: bool) -> Value:
    """The same value with 9F0C explained: a template on social security cards, EF15 on wallets (EW §1.3)."""
    if value.tag != f"{ISSUER_DATA:04X}":
        inner = tuple(_with_issuer_data(one, fci, state, masked=masked) for one in value.values)
        return replace(value, values=inner, personal=value.personal if not inner else any(i.personal for i in inner))
    raw = _find(fci, FCI, PROPRIETARY, ISSUER_DATA) or b""
    if not raw:
        return value
    if state.is_social_security:
        values = ber_values(raw, masked=masked)
    else:
        record = _public_data(state, len(raw))
        values = () if record is None else fixed_values(record, raw, masked=masked)
    if not values:
        return value
    return replace(value, json=None, text=same(""), values=values, personal=any(one.personal for one in values))


def _public_data(state: CardState, size: int) -> type[FixedRecord] | None:
    """The record of EF15 that has this size, else that of the likeliest card."""
    found = [
        content
        for place in state.places
        for file in place.directory.files
        if file.label == PUBLIC_DATA and file.structure is Structure.TRANSPARENT
        for content in file.record_classes
        if issubclass(content, FixedRecord)
    ]
    return next((record for record in found if record.size() == size), found[0] if found else None)


def _find(fci: bytes, *path: int) -> bytes | None:
    try:
        list(iterate_ber(fci))
        return find_ber(fci, *path)
    except CardDataInvalid:
        return None
