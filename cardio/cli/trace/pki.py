"""Commands of the PKI environment of 3.0 cards (SSC §2.4)."""

from __future__ import annotations

from cardio.cli.trace.explanation import Phrase, Secrecy, Value, simple
from cardio.cli.trace.findings import Findings, Seen, bytes_value, size_value
from cardio.cli.trace.values import split_items
from cardio.files.social_security.pki import CERTIFICATES

PUBLIC_KEY_FILE, PRIVATE_KEY_FILE = 0xC0, 0xC2
_TITLES = {file.identifier: Phrase(file.zh, file.en) for file in CERTIFICATES.files}


def hash_pin(seen: Seen) -> Findings:
    """80 C4 01 03: SM3 of a PIN; neither the PIN nor its hash is shown, PINs are few enough to be tried."""
    found = Findings("HASH PIN", Phrase("计算密码摘要", "hash PIN"), request=Secrecy.SECRET, answer=Secrecy.SECRET)
    data = seen.data
    if data is not None and len(data) >= 2:
        count = len(data[2:].hex().rstrip("f"))
        found.parameters.append(simple("pin", "密码", "PIN", Phrase(f"{count}位", f"{count} digits"), count))
    if seen.call.answer.octets:
        found.values.append(size_value("hash", "SM3摘要", "SM3 hash", len(seen.call.answer.octets)))
    return found


def generate(seen: Seen) -> Findings:
    """80 40, and its variant 80 C9: a new key pair, the public key possibly in the answer."""
    found = Findings(
        "GENERATE KEY PAIR", Phrase("产生密钥对", "generate key pair"), request=Secrecy.OPEN, answer=Secrecy.OPEN
    )
    found.parameters += _files(seen.data or b"")
    if seen.answer:
        found.values.append(bytes_value("public_key", "公钥", "public key", seen.answer))
    return found


def import_public(seen: Seen) -> Findings:
    """80 C2 40: public key of the encryption pair."""
    found = Findings("IMPORT PUBLIC KEY", Phrase("导入公钥", "import public key"), request=Secrecy.OPEN)
    data = seen.data or b""
    found.parameters += _files(data[:4])
    if data[4:]:
        found.parameters.append(bytes_value("public_key", "公钥", "public key", data[4:]))
    return found


def import_private(seen: Seen) -> Findings:
    """80 C2 C0: private key of the encryption pair; it is never shown."""
    found = Findings("IMPORT PRIVATE KEY", Phrase("导入私钥", "import private key"), request=Secrecy.SECRET)
    found.parameters += _files((seen.data or b"")[:4])
    found.parameters.append(size_value("key_data", "密钥数据", "key data", seen.size))
    return found


def transport(seen: Seen) -> Findings:
    """80 4A: the key under which the encryption pair comes into the card."""
    found = Findings(
        "TRANSPORT KEY", Phrase("传输密钥", "key transport"), request=Secrecy.SECRET, answer=Secrecy.SECRET
    )
    found.parameters.append(size_value("key_data", "密钥数据", "key data", seen.size))
    return found


def prove(seen: Seen) -> Findings:
    """80 4E: the card proves to the certificate authority that it has the private key."""
    found = Findings("PROVE KEY", Phrase("密钥持有证明", "proof of the key"))
    found.parameters.append(size_value("data", "数据", "data", seen.size))
    if seen.call.answer.octets:
        found.values.append(size_value("proof", "证明", "proof", len(seen.call.answer.octets)))
    return found


def _files(raw: bytes) -> list[Value]:
    """The files that the data name: tag, length 2, file identifier."""
    found = []
    for tlv in split_items(raw):
        if tlv.tag in {PUBLIC_KEY_FILE, PRIVATE_KEY_FILE} and len(tlv.value) == 2:
            identifier = int.from_bytes(tlv.value, "big")
            title = _TITLES.get(identifier, Phrase("", ""))
            text = Phrase(title.zh, title.en, f"{identifier:04X}")
            found.append(simple("file", "文件", "file", text, f"{identifier:04X}"))
    return found
