"""A voucher as bytes for a receipt printer.

Only commands that Epson documents (ESC/POS command reference) and Chinese printers share: ESC @ begins anew, FS & takes
two-byte characters, ESC E emphasizes, ESC a aligns, GS ( k makes a QR code, ESC d feeds, GS V cuts. Text is GB18030,
where everything beyond ASCII is as wide as two columns.
"""

from __future__ import annotations

from cardio.ledger.receipts.canonical import fingerprint
from cardio.ledger.receipts.text import lines
from cardio.ledger.voucher import Entry, Title, Voucher

_ESC, _FS, _GS = b"\x1b", b"\x1c", b"\x1d"
_BEGIN = _ESC + b"@" + _FS + b"&"
_EMPHASIS_ON, _EMPHASIS_OFF = _ESC + b"E\x01", _ESC + b"E\x00"
_CENTRE, _LEFT = _ESC + b"a\x01", _ESC + b"a\x00"
_FEED = _ESC + b"d\x04"
_FEED_AND_CUT = _GS + b"VB\x03"
_QR = _GS + b"(k"
_QR_MODEL_2 = _QR + b"\x04\x001A2\x00"
_QR_DOTS = _QR + b"\x03\x001C\x04"
_QR_LEVEL_M = _QR + b"\x03\x001E1"
_QR_PRINT = _QR + b"\x03\x001Q0"


def encode(voucher: Voucher, language: str, width: int, *, qr: bool = False, cut: bool = True) -> bytes:
    """Everything that the printer is sent.

    Args:
        voucher: The voucher.
        language: `zh` or `en`.
        width: Columns of the paper.
        qr: Whether a QR code with the voucher's id and hash stands below.
        cut: Whether the printer has a cutter.
    """
    # GBK has only the wide sign of the yuan.
    rows = tuple(
        Entry(row.name, row.value.replace("¥", "￥"), row.fen) if isinstance(row, Entry) else row for row in voucher
    )
    printed = _BEGIN
    for row, line in lines(rows, language, width, _columns):
        text = line.encode("gb18030")
        printed += (_EMPHASIS_ON + text + _EMPHASIS_OFF if isinstance(row, Title) else text) + b"\n"
    if qr:
        printed += _CENTRE + _qr(voucher) + b"\n" + _LEFT
    return printed + (_FEED_AND_CUT if cut else _FEED)


def _qr(voucher: Voucher) -> bytes:
    identifier = next(row.value for row in voucher if isinstance(row, Entry) and row.name == "id")
    data = f"{identifier}:{fingerprint(voucher)}".encode("ascii")
    store = _QR + (len(data) + 3).to_bytes(2, "little") + b"1P0" + data
    return _QR_MODEL_2 + _QR_DOTS + _QR_LEVEL_M + store + _QR_PRINT


def _columns(text: str) -> int:
    return sum(min(2, len(character.encode("gb18030"))) for character in text)
