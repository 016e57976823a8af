"""All forms of a voucher by name, as an interface asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from cardio.ledger.receipts import canonical, escpos, page, pdf
from cardio.ledger.receipts.text import text
from cardio.ledger.voucher import Voucher


class Form(StrEnum):
    """Form of a receipt."""

    JSON = "json"
    TEXT = "text"
    ESCPOS = "escpos"
    HTML = "html"
    PDF = "pdf"


class Paper(IntEnum):
    """Width of a receipt printer's paper, mm."""

    MM58 = 58
    MM80 = 80

    @property
    def columns(self) -> int:
        """Columns of font A, 12 dots wide."""
        return 32 if self is Paper.MM58 else 48


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.TEXT: "text/plain; charset=utf-8",
    Form.ESCPOS: "application/octet-stream",
    Form.HTML: "text/html; charset=utf-8",
    Form.PDF: "application/pdf",
}


@dataclass(frozen=True)
class PrinterSettings:
    """What is known of the printer.

    Attributes:
        paper: Its paper; HTML does not ask for it.
        qr: Whether it prints QR codes (ESC/POS).
        cut: Whether it has a cutter (ESC/POS).
        font: Font of PDFs; None for the first that is installed.
    """

    paper: Paper = Paper.MM80
    qr: bool = False
    cut: bool = True
    font: Path | None = None


def receipt(voucher: Voucher, form: Form, language: str, printer: PrinterSettings | None = None) -> bytes:
    """A voucher in one form, in `zh` or `en`; JSON holds both.

    Raises:
        ReceiptFontMissing: There is no font for a PDF.
    """
    printer = printer or PrinterSettings()
    match form:
        case Form.JSON:
            return canonical.encode(voucher)
        case Form.TEXT:
            return f"{text(voucher, language, printer.paper.columns)}\n".encode()
        case Form.ESCPOS:
            return escpos.encode(voucher, language, printer.paper.columns, qr=printer.qr, cut=printer.cut)
        case Form.HTML:
            return page.encode(voucher, language)
        case Form.PDF:
            return pdf.encode(voucher, language, printer.paper, printer.font)
