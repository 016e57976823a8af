"""PIN commands: never the PIN, only how many digits it has (SSC §5.1 and §6.6, EW §3.4)."""

from __future__ import annotations

from cardio.apdu.status import VERIFY
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, simple
from cardio.cli.trace.findings import MAC_SIZE, Findings, Seen, bytes_value, size_value

TRIES = 0x63C0
OLD_NEW_SEPARATOR = b"\xff"
PKI_USER, PKI_ADMINISTRATOR = 0x81, 0x00
PKI_CHANGE = 0x84


def verify(seen: Seen) -> Findings:
    """VERIFY; in the PKI environment a cryptogram stands in place of the PIN (SSC §2.4)."""
    found = _secret("VERIFY", "校验密码", "verify PIN")
    _, _, p1, p2 = seen.header
    if p1 == 0x01:
        whose = {PKI_USER: Phrase("用户密码", "user PIN"), PKI_ADMINISTRATOR: Phrase("管理员密码", "administrator PIN")}
        found.parameters.append(simple("pin", "密码", "PIN", whose.get(p2, Phrase(f"{p2:02X}", f"{p2:02X}"))))
        # Whoever has the challenge too could try all PINs against it.
        found.parameters.append(size_value("cryptogram", "密文", "cryptogram", seen.size))
        return found
    if seen.size == 0:
        text = Phrase(
            "轨迹中无密码：查询是否已设密码，或在密码键盘上输入",
            "none in the trace: asks whether a PIN is set, or it was typed on the PIN pad",
        )
        found.parameters.append(simple("pin", "密码", "PIN", text))
        sw = seen.call.answer.sw or 0
        if sw & 0xFFF0 == TRIES:
            found.answered = Phrase(f"还可试{sw & 0x0F}次", f"{sw & 0x0F} tries left")
    else:
        found.parameters.append(_digits("pin", "密码", "PIN", seen.data, seen.size))
    return found


def change(seen: Seen) -> Findings:
    """CHANGE PIN and RELOAD PIN (80 5E), and the PKI environment's change of the administrator PIN (84 5E)."""
    cla, _, p1, _ = seen.header
    if cla == PKI_CHANGE:
        found = _secret("CHANGE ADMIN PIN", "修改管理员密码", "change administrator PIN")
        found.parameters.append(size_value("cryptogram", "密文与MAC", "cryptogram and MAC", seen.size))
        return found
    if p1 == 0x00:
        return _reload_plain(seen)
    found = _secret("CHANGE PIN", "修改密码", "change PIN")
    data = seen.data
    if data is None:
        found.parameters.append(size_value("pins", "新旧密码", "old and new PIN", seen.size))
        return found
    old, _, new = data.partition(OLD_NEW_SEPARATOR)
    found.parameters.append(_digits("old_pin", "旧密码", "old PIN", old, len(old)))
    found.parameters.append(_digits("new_pin", "新密码", "new PIN", new, len(new)))
    return found


def _reload_plain(seen: Seen) -> Findings:
    found = _secret("RELOAD PIN", "重装密码", "reload PIN")
    data = seen.data
    size = max(0, seen.size - MAC_SIZE)
    found.parameters.append(_digits("new_pin", "新密码", "new PIN", data and data[:size], size))
    return found


def unblock(seen: Seen) -> Findings:
    """84 24: unblock, or a new PIN under encryption (SSC §6.6, EW §3.4)."""
    p2 = seen.header[3]
    size = seen.size
    if size == MAC_SIZE:
        found = _secret("PIN UNBLOCK", "解锁密码", "unblock PIN")
    elif seen.state.is_social_security and p2 == 0x01:
        found = _secret("PIN RELOAD", "重装密码", "reload PIN")
    elif seen.state.is_social_security:
        found = _secret("PIN CHANGE/UNBLOCK", "修改或解锁密码", "change or unblock PIN")
    else:
        found = _secret("PIN UNBLOCK", "解锁密码", "unblock PIN")
        found.parameters.append(simple("pin", "密码标识", "PIN identifier", f"{p2:02X}"))
    if size > MAC_SIZE:
        found.parameters.append(size_value("encrypted_pin", "加密的密码", "encrypted PIN", size - MAC_SIZE))
    data = seen.data
    if data is not None and size >= MAC_SIZE:
        found.parameters.append(bytes_value("mac", "MAC", "MAC", data[-MAC_SIZE:]))
    return found


def _secret(name: str, zh: str, en: str) -> Findings:
    return Findings(name, Phrase(zh, en), request=Secrecy.SECRET, answer=Secrecy.SECRET, outcomes=VERIFY)


def _digits(name: str, zh: str, en: str, packed: bytes | None, size: int) -> Value:
    """How many digits; of a hidden PIN only the bytes are known, the last of which may hold one digit."""
    if packed is None:
        text = Phrase(f"{2 * size - 1}或{2 * size}位", f"{2 * size - 1} or {2 * size} digits") if size else _NONE
        return simple(name, zh, en, text)
    count = len(packed.hex().rstrip("f"))
    return simple(name, zh, en, Phrase(f"{count}位", f"{count} digits") if count else _NONE, count)


_NONE = Phrase("无", "none")
