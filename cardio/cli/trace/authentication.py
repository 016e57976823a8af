"""Challenges, authentications and blocking of social security and wallet cards (SSC §5.1, §6, EW §3.1, §3.4)."""

from __future__ import annotations

from cardio.apdu.status import EXTERNAL_AUTHENTICATION, INTERNAL_AUTHENTICATION
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, simple
from cardio.cli.trace.findings import MAC_SIZE, Findings, Seen, bytes_value, size_value
from cardio.cli.trace.state import CardState
from cardio.security.card_keys import CARD_KEYS, ENVIRONMENT, INTERNAL_KEY

HALF = 8
SPECIFIC = 0x80
"""Bit of a key identifier: the key lies in the directory, not in the environment (SSC §6.2)."""
PERMANENT = 0x01
WALLET_OPERATIONS = {0: Phrase("加密", "encrypt"), 1: Phrase("解密", "decrypt"), 2: Phrase("计算MAC", "MAC")}


def challenge(seen: Seen) -> Findings:
    """GET CHALLENGE."""
    found = Findings("GET CHALLENGE", Phrase("取随机数", "get challenge"), answer=Secrecy.OPEN)
    if seen.answer:
        found.values.append(bytes_value("challenge", "随机数", "challenge", seen.answer))
    return found


def external(seen: Seen) -> Findings:
    """EXTERNAL AUTHENTICATION: which key, and the cryptogram."""
    found = Findings(
        "EXTERNAL AUTHENTICATION", Phrase("外部认证", "external authentication"), outcomes=EXTERNAL_AUTHENTICATION
    )
    found.parameters.append(_key(seen.header[3], seen.state))
    data = seen.data
    if data:
        found.request = Secrecy.OPEN
        found.parameters.append(bytes_value("cryptogram", "认证数据", "authentication data", data[:HALF]))
        found.parameters += _original(data)
    return found


def internal(seen: Seen) -> Findings:
    """INTERNAL AUTHENTICATION: the card proves that it has its key."""
    found = Findings(
        "INTERNAL AUTHENTICATION", Phrase("内部认证", "internal authentication"), outcomes=INTERNAL_AUTHENTICATION
    )
    _, _, p1, p2 = seen.header
    if seen.state.is_social_security:
        found.parameters.append(simple("key", "密钥", "key", INTERNAL_KEY.name))
    else:
        operation = WALLET_OPERATIONS.get(p1, Phrase(f"P1={p1:02X}", f"P1={p1:02X}"))
        found.parameters += [_key(p2, seen.state), simple("operation", "操作", "operation", operation)]
    data = seen.data
    if data:
        found.request = Secrecy.OPEN
        found.parameters.append(bytes_value("factor", "过程因子", "session factor", data[:HALF]))
        found.parameters += _original(data)
    if seen.answer:
        found.answer = Secrecy.OPEN
        found.values.append(bytes_value("cryptogram", "认证数据", "authentication data", seen.answer))
    return found


def _key(kid: int, state: CardState) -> Value:
    """The name of the key in the standard, by its identifier and the directory."""
    text = f"{kid:02X}"
    if state.is_social_security and state.directory is not None:
        application = state.directory.label if kid & SPECIFIC else ENVIRONMENT
        names = [key.name for key in CARD_KEYS.values() if (key.application, key.kid) == (application, kid)]
        if names:
            return simple("key", "密钥", "key", f"{names[0]} ({text})", names[0])
    return simple("key", "密钥标识", "key identifier", text)


def _original(data: bytes) -> list[Value]:
    found = []
    if data[HALF : 2 * HALF]:
        found.append(bytes_value("original", "原始信息", "original data", data[HALF : 2 * HALF]))
    if data[2 * HALF :]:
        found.append(bytes_value("key_version", "密钥版本", "key version", data[2 * HALF :]))
    return found


def block_application(seen: Seen) -> Findings:
    """APPLICATION BLOCK; on social security cards it is always for good (SSC §5.1)."""
    found = _maintenance("APPLICATION BLOCK", "应用锁定", "application block", seen)
    permanent = seen.header[3] & PERMANENT
    text = Phrase("永久", "permanent") if permanent else Phrase("临时", "temporary")
    found.parameters.insert(0, simple("kind", "类别", "kind", text))
    return found


def unblock_application(seen: Seen) -> Findings:
    """APPLICATION UNBLOCK (EW §3.4)."""
    return _maintenance("APPLICATION UNBLOCK", "应用解锁", "application unblock", seen)


def block_card(seen: Seen) -> Findings:
    """CARD BLOCK."""
    return _maintenance("CARD BLOCK", "卡片锁定", "card block", seen)


def _maintenance(name: str, zh: str, en: str, seen: Seen) -> Findings:
    found = Findings(name, Phrase(zh, en))
    if seen.data and len(seen.data) == MAC_SIZE:
        found.request = Secrecy.OPEN
        found.parameters.append(bytes_value("mac", "MAC", "MAC", seen.data))
    return found


def write_key(seen: Seen) -> Findings:
    """WRITE KEY (80 or 84 D4): the key is never shown."""
    found = Findings("WRITE KEY", Phrase("写密钥", "write key"), request=Secrecy.SECRET, answer=Secrecy.SECRET)
    _, _, p1, p2 = seen.header
    kind = Phrase("增加", "add") if p1 == 0x01 else Phrase(f"修改类型{p1:02X}", f"change type {p1:02X}")
    found.parameters.append(simple("kind", "类别", "kind", kind))
    found.parameters.append(simple("key", "密钥标识", "key identifier", f"{p2:02X}"))
    found.parameters.append(size_value("key_data", "密钥数据", "key data", seen.size))
    return found
