"""PKI environment of cards of version 3.0: SM2 keys and certificates (SSC §2.4).

One implementation is the only source. It gives neither access rights nor the sizes of private keys and certificates,
nor the identifier of the environment: those below are the project's choice. Private keys are used by commands and never
read; keys come into the card by commands of their own, never by UPDATE BINARY.
"""

from __future__ import annotations

from cardio.apdu.tlv import encode_ber, iterate_ber
from cardio.files.codecs import Octets
from cardio.files.declaration import FREE, NEVER, ApplicationDeclaration, FileDeclaration, Structure, any_of
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, optional

PKI_NAME = bytes.fromhex("504B492EC9E7BBE1B1A3D5CF")
"""DF name of the environment: "PKI.社会保障" in GBK (SSC §2)."""
CERTIFICATE_APPLICATION_NAME = b"SS.CERT.ADF1"
ADMINISTRATOR_PIN = "ADMINISTRATOR PIN"
"""Right of the environment's administrator (SSC §2.4)."""
CERTIFICATE_SIZE = 0x800
"""Bytes of a certificate file: enough for SM2 certificates; a certificate tells its own length."""


class PublicKey(FixedRecord):
    """Files 0012 and 0014: 66 bytes, the key being the last 64 (SSC §2.4)."""

    header: bytes | None = optional(Octets(2), "公钥头", "header")
    key: bytes | None = optional(Octets(64), "SM2公钥", "SM2 public key, x and y")

    VECTORS = (
        # The header as the import command has it (SSC §2.4); the base point of the curve, GB/T 32918.5.
        ("CA40"
         "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
         "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"),
    )  # fmt: skip


class PrivateKey(FixedRecord):
    """Files 0013 and 0015, as the import command has a private key: header and 32 bytes (SSC §2.4)."""

    header: bytes | None = optional(Octets(2), "私钥头", "header")
    key: bytes | None = optional(Octets(32), "SM2私钥", "SM2 private key", personal=Mask.HIDDEN)

    VECTORS = ("CB20" + "00" * 31 + "01",)


class Certificate(FixedRecord):
    """Files 0018 and 0019: an X.509 certificate, then filler (SSC §2.4)."""

    content: bytes | None = optional(Octets(CERTIFICATE_SIZE), "证书", "certificate", personal=Mask.HIDDEN)

    VECTORS = ("3003020101" + "00" * (CERTIFICATE_SIZE - 5),)

    @property
    def der(self) -> bytes | None:
        """The certificate without filler, by the length that it says itself; None where there is none.

        Raises:
            CardDataInvalid: It is longer than the file.
        """
        if self.content is None:
            return None
        outer = next(iterate_ber(self.content), None)  # filler of two kinds holds no object
        return None if outer is None else encode_ber(outer.tag, outer.value)


def _public_key(identifier: int, zh: str, en: str) -> FileDeclaration:
    return FileDeclaration(
        identifier,
        identifier,
        zh,
        en,
        Structure.TRANSPARENT,
        PublicKey,
        read=FREE,
        update=NEVER,
        size=PublicKey.size(),
        source="SSC §2.4",
    )


def _private_key(identifier: int, zh: str, en: str) -> FileDeclaration:
    return FileDeclaration(
        identifier,
        identifier,
        zh,
        en,
        Structure.TRANSPARENT,
        PrivateKey,
        read=NEVER,
        update=NEVER,
        size=PrivateKey.size(),
        source="SSC §2.4",
    )


def _certificate(identifier: int, zh: str, en: str) -> FileDeclaration:
    return FileDeclaration(
        identifier,
        identifier,
        zh,
        en,
        Structure.TRANSPARENT,
        Certificate,
        read=FREE,
        update=any_of(ADMINISTRATOR_PIN),
        size=CERTIFICATE_SIZE,
        source="SSC §2.4",
    )


EF12_SIGNATURE_PUBLIC_KEY = _public_key(0x0012, "签名公钥文件", "signature public key")
EF13_SIGNATURE_PRIVATE_KEY = _private_key(0x0013, "签名私钥文件", "signature private key")
EF14_ENCRYPTION_PUBLIC_KEY = _public_key(0x0014, "加密公钥文件", "encryption public key")
EF15_ENCRYPTION_PRIVATE_KEY = _private_key(0x0015, "加密私钥文件", "encryption private key")
EF18_SIGNATURE_CERTIFICATE = _certificate(0x0018, "签名证书文件", "signature certificate")
EF19_ENCRYPTION_CERTIFICATE = _certificate(0x0019, "加密证书文件", "encryption certificate")

CERTIFICATES = ApplicationDeclaration(
    0xDF01,
    "证书应用",
    "certificates",
    (
        EF12_SIGNATURE_PUBLIC_KEY,
        EF13_SIGNATURE_PRIVATE_KEY,
        EF14_ENCRYPTION_PUBLIC_KEY,
        EF15_ENCRYPTION_PRIVATE_KEY,
        EF18_SIGNATURE_CERTIFICATE,
        EF19_ENCRYPTION_CERTIFICATE,
    ),
    name=CERTIFICATE_APPLICATION_NAME,
    label="SS.CERT.ADF1",
    source="SSC §2.4",
)
PKI = ApplicationDeclaration(
    0xDDF2,
    "PKI环境",
    "PKI environment",
    (),
    name=PKI_NAME,
    label="PKI",
    applications=(CERTIFICATES,),
    source="SSC §2.4",
)
