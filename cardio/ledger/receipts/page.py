"""A voucher as one HTML page that needs nothing else and runs nothing."""

from __future__ import annotations

from html import escape

from cardio.ledger.voucher import Entry, Remark, Reprint, Row, Rule, Title, Voucher, label

_STYLE = """
body { font: 14px/1.5 "WenQuanYi Zen Hei", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #000;
  max-width: 80mm; margin: 1em auto; padding: 0 3mm; }
h1 { font-size: 1.2em; text-align: center; margin: 0; padding-bottom: .3em; border-bottom: 3px double; }
.reprint { text-align: center; font-weight: bold; border: 1px solid; margin: 0 0 .5em; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: normal; vertical-align: top; white-space: nowrap; padding: 0 1em 0 0; }
td { text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
td.amount { font-weight: bold; white-space: nowrap; }
.rule th { border-top: 1px dashed; padding-top: .2em; font-weight: bold; }
.remark th { font-weight: bold; white-space: normal; }
@page { size: 80mm 200mm; margin: 3mm; }
@media print { body { margin: 0; padding: 0; } }
"""


def encode(voucher: Voucher, language: str) -> bytes:
    """The page, in UTF-8."""
    title = next(label(row.name, language) for row in voucher if isinstance(row, Title))
    above = "".join(_above(row, language) for row in voucher)
    rows = "\n".join(filter(None, (_row(row, language) for row in voucher)))
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="{"zh-CN" if language == "zh" else "en"}">\n'
        '<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{above}<table>\n{rows}\n</table>\n</body>\n</html>\n"
    ).encode()


def _above(row: Row, language: str) -> str:
    match row:
        case Title(name):
            return f"<h1>{escape(label(name, language))}</h1>\n"
        case Reprint():
            return f'<p class="reprint">{escape(row.text)}</p>\n'
        case _:
            return ""


def _row(row: Row, language: str) -> str:
    match row:
        case Entry(name, value, fen):
            kind = "" if fen is None else ' class="amount"'
            return f"<tr><th>{escape(label(name, language))}</th><td{kind}>{escape(value)}</td></tr>"
        case Rule(name):
            heading = escape(label(name, language)) if name else ""
            return f'<tr class="rule"><th colspan="2">{heading}</th></tr>'
        case Remark(name):
            return f'<tr class="remark"><th colspan="2">{escape(label(name, language))}</th></tr>'
        case _:
            return ""
