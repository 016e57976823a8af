"""PSAM commands of both families (SSC §6.4 and §9.3, EW §5.2)."""

from __future__ import annotations

from cardio.apdu.status import SAM
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, same, secrecy_of, simple
from cardio.cli.trace.findings import Findings, Seen, bytes_value, size_value
from cardio.cli.trace.layouts import AuthenticityCode, Mac2, SamAuthorization, SamPurchase, SamSettlement
from cardio.cli.trace.state import CardState
from cardio.cli.trace.values import fixed_values, hex_and_text
from cardio.files.masking import Mask
from cardio.security.card_keys import CARD_KEYS

FACTOR = 8
MEDICAL = 0x01
KINDS = {
    0x02: Phrase("消费", "purchase"),
    0x04: Phrase("TAC", "TAC"),
    0x05: Phrase("维护", "maintenance"),
    0x06: Phrase("MAC", "MAC"),
    0x07: Phrase("加密", "encryption"),
    0x08: Phrase("MAC与加密", "MAC and encryption"),
    0x09: Phrase("圈存", "load"),
    0x0C: Phrase("TAC", "TAC"),
    0x19: Phrase("ETC认证", "ETC authentication"),
}
"""Kinds of PSAM keys (SSC §6.2, EW §5.1)."""
MAC_BIT, MORE_BIT, INITIAL_BIT = 1, 2, 4
"""P1 of CIPHER DATA (EW §5.2)."""


def purchase(seen: Seen) -> Findings:
    """INIT SAM FOR PURCHASE (80 70): one amount for a wallet, three for the medical account."""
    found = _sam("INIT SAM FOR PURCHASE", "PSAM消费初始化", "initialise PSAM for purchase", seen.state)
    record = SamSettlement if seen.header[2] == MEDICAL else SamPurchase
    data = seen.data
    if data:
        found.parameters += fixed_values(record, data[: record.size()], masked=seen.masked)
        wallet = record is SamPurchase
        found.parameters += _factors(data[record.size() :], masked=seen.masked, personal=wallet)
        found.request = secrecy_of(found.parameters)
    if seen.answer:
        found.values += fixed_values(SamAuthorization, seen.answer, masked=seen.masked)
        found.answer = secrecy_of(found.values)
    return found


def credit(seen: Seen) -> Findings:
    """CREDIT SAM FOR PURCHASE (80 72)."""
    found = _sam("CREDIT SAM FOR PURCHASE", "PSAM校验MAC2", "PSAM checks MAC2", seen.state)
    if seen.data:
        found.parameters += fixed_values(Mac2, seen.data, masked=seen.masked)
        found.request = secrecy_of(found.parameters)
    return found


def environment(seen: Seen) -> Findings:
    """INITIALIZE ENVIRONMENT (BF EC): the first two digits of the region (SSC §6.4)."""
    found = _sam("INITIALIZE ENVIRONMENT", "初始化环境", "initialise environment", seen.state)
    if seen.data:
        found.request = Secrecy.OPEN
        found.parameters.append(bytes_value("region", "地区代码前两位", "first region digits", seen.data))
    return found


def session_key(seen: Seen) -> Findings:
    """DELIVERY SESSION KEY (BF DE): the factors, then the session factor (SSC §6.4)."""
    found = _sam("DELIVERY SESSION KEY", "产生过程密钥", "deliver session key", seen.state)
    _, _, p1, p2 = seen.header
    names = [key.name for key in CARD_KEYS.values() if key.psam_id == p2]
    found.parameters += [_purpose(p1), _key(p2, names)]
    data = seen.data
    if data:
        end = FACTOR * (p1 >> 5)
        found.parameters += _factors(data[:end], masked=seen.masked, personal=False)
        if data[end:]:
            found.parameters.append(bytes_value("session_factor", "过程因子", "session factor", data[end:]))
        found.request = Secrecy.OPEN
    return found


def delivery_key(seen: Seen) -> Findings:
    """DELIVERY KEY (80 1A): the factors, the card's first (EW §5.2)."""
    found = _sam("DELIVERY KEY", "密钥分散", "deliver key", seen.state)
    _, _, p1, p2 = seen.header
    found.parameters += [_purpose(p1), _key(p2, [])]
    if seen.data:
        found.parameters += _factors(seen.data, masked=seen.masked, personal=True)
        found.request = secrecy_of(found.parameters)
    return found


def cipher(seen: Seen) -> Findings:
    """CIPHER DATA (80 FA). What goes in may be a PIN (SSC §6.6, EW §4.7), so it is never shown."""
    found = _sam("CIPHER DATA", "数据运算", "cipher data", seen.state)
    p1 = seen.header[2]
    computes_mac = bool(p1 & MAC_BIT)
    parts = [Phrase("计算MAC", "MAC") if computes_mac else Phrase("加密", "encrypt")]
    if p1 & MORE_BIT:
        parts.append(Phrase("后续还有数据块", "more blocks follow"))
    if p1 & INITIAL_BIT:
        parts.append(Phrase("初始值在前", "initial value leads"))
    text = Phrase("，".join(part.zh for part in parts), ", ".join(part.en for part in parts))
    found.parameters.append(simple("operation", "操作", "operation", text))
    found.parameters.append(size_value("data", "数据", "data", seen.size))
    found.request = Secrecy.SECRET
    if seen.answer:
        name, zh, en = ("mac", "MAC", "MAC") if computes_mac else ("cipher_text", "密文", "cipher text")
        found.answer = Secrecy.OPEN
        found.values.append(bytes_value(name, zh, en, seen.answer))
    return found


def authenticity(seen: Seen) -> Findings:
    """80 CA: the card gives its authenticity code, the PSAM takes it (EW §1.3)."""
    if seen.size:
        found = _sam("CHECK AUTHENTICITY CODE", "PSAM校验防伪码", "PSAM checks the authenticity code", seen.state)
        if seen.data:
            found.parameters += fixed_values(AuthenticityCode, seen.data, masked=seen.masked)
            found.request = secrecy_of(found.parameters)
        return found
    found = Findings("GET AUTHENTICITY CODE", Phrase("取防伪码", "get authenticity code"))
    if seen.answer:
        found.values += fixed_values(AuthenticityCode, seen.answer, masked=seen.masked)
        found.answer = secrecy_of(found.values)
    return found


def _sam(name: str, zh: str, en: str, state: CardState) -> Findings:
    state.learn_psam()
    return Findings(name, Phrase(zh, en), outcomes=SAM)


def _purpose(purpose: int) -> Value:
    levels, kind = purpose >> 5, purpose & 0x1F
    what = KINDS.get(kind, Phrase(f"{kind:02X}", f"{kind:02X}"))
    text = Phrase(f"{what.zh}，{levels}级分散", f"{what.en}, {levels} levels", f"{purpose:02X}")
    return simple("purpose", "密钥用途", "key purpose", text, f"{purpose:02X}")


def _key(identifier: int, names: list[str]) -> Value:
    text = f"{identifier:02X}"
    return simple("key", "密钥标识", "key identifier", f"{text} {' '.join(names)}".strip(), text)


def _factors(raw: bytes, *, masked: bool, personal: bool) -> list[Value]:
    """Diversification factors, the card's first: on wallets it is a part of the card's number (EW §2.3)."""
    found = []
    for place in range(0, len(raw), FACTOR):
        factor = raw[place : place + FACTOR]
        if place == 0:
            shown = factor.hex().upper()
            shown = Mask.CARD_NUMBER.apply(shown) if personal and masked else shown
            found.append(
                Value("card_factor", Phrase("卡分散因子", "card factor"), shown, same(shown), personal=personal)
            )
        else:
            text = same(hex_and_text(factor))
            found.append(simple("factor", "分散因子", "factor", text, factor.hex().upper()))
    return found
