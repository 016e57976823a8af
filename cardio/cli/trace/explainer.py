"""Explains a trace command by command, following the state of the card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cardio.apdu.atr import card_factor, historical_bytes
from cardio.apdu.status import OK, Outcomes
from cardio.apdu.status_texts import describe
from cardio.cli.trace.commands import handler_of, unknown_command
from cardio.cli.trace.explanation import Phrase, Secrecy, Step, Value, simple
from cardio.cli.trace.findings import Findings, Seen, bytes_value, size_value
from cardio.cli.trace.joining import Call, join
from cardio.cli.trace.source import Event, Reset
from cardio.cli.trace.state import CardState
from cardio.errors import CardDataInvalid, CardUnexpected
from cardio.files.tables.regions import PROVINCES, REGIONS

HISTORICAL_SIZE = 13
"""Historical bytes of a social security card (SSC §1.1)."""
RESET = Phrase("复位", "reset")
LOST = Phrase("无应答", "no answer")
CUT = Phrase("应答不完整", "the answer has no status word")


def explain(events: Iterable[Event], *, masked: bool) -> Iterator[Step]:
    """The steps of a trace.

    Args:
        events: Resets and exchanges in order.
        masked: Mask personal values, and hide bytes that hold them.
    """
    state = CardState()
    for event in join(events):
        if isinstance(event, Reset):
            state.reset()
            yield _reset(event.atr)
        else:
            yield _call(event, state, masked=masked)


# ---- reset ---------------------------------------------------------------------------------------------------


def _reset(atr: bytes) -> Step:
    text = atr.hex().upper()
    return Step(0, (), "", "RESET", RESET, "", (), "", text, Phrase("", ""), "", tuple(_atr_values(atr)))


def _atr_values(atr: bytes) -> Iterator[Value]:
    """Historical bytes, and what a social security card says in them (SSC §1.1)."""
    if not atr:
        return
    try:
        historical = historical_bytes(atr)
    except CardDataInvalid as error:
        yield simple("atr", "复位应答", "answer to reset", Phrase("不完整", error.detail))
        return
    yield bytes_value("historical", "历史字节", "historical bytes", historical)
    digits = historical[7:9].hex() if len(historical) == HISTORICAL_SIZE else ""
    if digits[:2] in PROVINCES and digits.isdecimal():
        code = f"{digits}00"
        region = Phrase(REGIONS.text(code, "zh"), REGIONS.text(code, "en"), digits)
        yield bytes_value("chip_supplier", "芯片厂商注册标识号", "chip supplier", historical[:2])
        yield bytes_value("card_maker", "卡片制造厂商注册标识号", "card maker", historical[5:7])
        yield simple("region", "发卡地区", "issuing region", region, digits)
        yield bytes_value("serial", "卡序列号", "serial number", historical[9:])
        yield bytes_value("factor", "卡分散因子", "card diversification factor", card_factor(atr))


# ---- commands ------------------------------------------------------------------------------------------------


def _call(call: Call, state: CardState, *, masked: bool) -> Step:
    header = call.command.header
    found = unknown_command() if header is None else handler_of(header)(Seen(call, header, state, masked))
    parameters, values = list(found.parameters), list(found.values)
    if not call.command.whole:
        parameters.append(simple("form", "格式", "form", Phrase("不是完整的APDU", "not a complete APDU")))
        found.request = max(found.request, Secrecy.PERSONAL)
    if call.command.size and call.command.data is None:
        parameters.append(size_value("hidden", "轨迹中隐去", "hidden in the trace", call.command.size))
    if call.answer.octets and call.answer.data is None:
        values.append(size_value("hidden", "轨迹中隐去", "hidden in the trace", len(call.answer.octets)))
    outcome, error = _outcome(call, found)
    return Step(
        number=call.numbers[0],
        exchanges=call.numbers,
        time=call.time,
        name=found.name,
        title=found.title,
        place=state.place_text if header is not None else "",
        parameters=tuple(parameters),
        command=call.command.text(hidden=found.request.hidden(masked=masked)),
        answer=call.answer.text(hidden=found.answer.hidden(masked=masked)),
        outcome=outcome,
        error=error,
        values=tuple(values),
    )


def _outcome(call: Call, found: Findings) -> tuple[Phrase, str]:
    """The status word in words, and the code of the error that cardio raises for it."""
    sw = call.answer.sw
    if found.answered is not None:
        return found.answered, ""
    if sw is None:
        return (CUT if call.answer.status else LOST), ""
    text = Phrase(*describe(sw))
    if sw == OK or sw >> 8 in {0x61, 0x6C}:
        return text, ""
    return text, _error_code(found.outcomes, sw, found.name)


def _error_code(outcomes: Outcomes, sw: int, name: str) -> str:
    error = outcomes.error(sw, name)
    return "" if isinstance(error, CardUnexpected) else error.code
