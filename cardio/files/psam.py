"""Files of PSAMs, of social security (SSC §2.3) and of wallets (EW §5.1).

Neither source says by which key they are written; a terminal only reads them.
"""

from __future__ import annotations

from cardio.files.codecs import Digits, Number, Octets
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    NEVER,
    ApplicationDeclaration,
    CardDeclaration,
    FileDeclaration,
    Structure,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.social_security.environment import SSSE_NAME
from cardio.files.wallet.directory import DirectoryData


class LdtPsamInfo(FixedRecord):
    """0015 卡片公共信息 of a social security PSAM, 15 bytes (SSC §2.3)."""

    issuer: int = field(Number(1), "发卡方标识", "issuer identifier")
    serial: str | None = optional(Digits(10), "PSAM序列号", "PSAM serial number")
    version: int = field(Number(1), "PSAM版本号", "PSAM version")
    key_card_type: int = field(Number(1), "密钥卡类型", "key-card type")
    issuer_data: bytes | None = optional(Octets(2), "发卡方自定义FCI数据", "issuer's own FCI data")

    VECTORS = (("01" "99990000000000000001" "01" "02" "5566"),)  # fmt: skip


class PbocPsamInfo(FixedRecord):
    """EF15 卡片公共信息 of a wallet PSAM, 14 bytes (EW §5.1)."""

    serial: str | None = optional(Digits(10), "PSAM序列号", "PSAM serial number")
    version: int = field(Number(1), "PSAM版本号", "PSAM version")
    key_card_type: int = field(Number(1), "密钥卡类型", "key-card type")
    issuer_data: bytes | None = optional(Octets(2), "发卡方自定义数据", "issuer's own data")

    VECTORS = (("99990000000000000001" "01" "02" "5566"),)  # fmt: skip


class TerminalInfo(FixedRecord):
    """EF16 终端信息, 6 bytes (SSC §2.3, EW §5.1)."""

    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")

    VECTORS = ("999999000001",)

    @property
    def region(self) -> str:
        """Region code in the first six digits, on social security PSAMs (SSC §2.3)."""
        return self.terminal[:6]


class TerminalCounter(FixedRecord):
    """0019, EF18 终端交易序号, 4 bytes, counted by the PSAM itself (SSC §2.3, EW §5.1)."""

    sequence: int = field(Number(4), "终端交易序号", "terminal transaction sequence")

    VECTORS = ("0000ABCD",)


class LdtPsamApplication(FixedRecord):
    """001A, 001B, 001C 应用信息, 10 bytes: keys with national, provincial and city roots (SSC §2.3)."""

    key_index: int = field(Number(1), "消费密钥索引", "index of the purchase key (DPK)")
    key_version: int = field(Number(1), "认证密钥版本", "version of the authentication keys")
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "有效日期", "valid to")

    VECTORS = (("0101" "20260101" "20351231"),)  # fmt: skip


class PbocPsamApplication(FixedRecord):
    """EF17 应用公共信息 of a wallet PSAM, 25 bytes (EW §5.1)."""

    key_index: int = field(Number(1), "消费密钥索引", "index of the purchase key")
    issuer: bytes = field(Octets(8, blank_is_value=True), "应用发行者标识", "issuer identifier")
    acquirer: bytes = field(Octets(8, blank_is_value=True), "应用接收者标识", "acquirer identifier")
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "有效日期", "valid to")

    VECTORS = (("01" "9999000000000001" "9999000000000001" "20260101" "20351231"),)  # fmt: skip


def _transparent(sfi: int, zh: str, en: str, content: type[FixedRecord], source: str) -> FileDeclaration:
    return FileDeclaration(
        sfi,
        sfi,
        zh,
        en,
        Structure.TRANSPARENT,
        content,
        read=FREE,
        update=NEVER,
        size=content.size(),
        source=source,
    )


EF01_PSAM_DIRECTORY = FileDeclaration(
    0x0001,
    0x01,
    "目录文件",
    "directory of applications",
    Structure.LINEAR_VARIABLE,
    DirectoryData,
    read=FREE,
    update=NEVER,
    source="SSC §2.3, EW §5.1",
)
EF16_TERMINAL = _transparent(0x16, "终端信息文件", "terminal information", TerminalInfo, "SSC §2.3, EW §5.1")
EF15_LDT_PSAM = _transparent(0x15, "卡片公共信息文件", "PSAM information", LdtPsamInfo, "SSC §2.3")
EF19_LDT_COUNTER = _transparent(0x19, "终端交易序号文件", "terminal counter", TerminalCounter, "SSC §2.3")
EF1A_NATIONAL = _transparent(0x1A, "国家级应用信息文件", "national information", LdtPsamApplication, "SSC §2.3")
EF1B_PROVINCIAL = _transparent(0x1B, "省级应用信息文件", "provincial information", LdtPsamApplication, "SSC §2.3")
EF1C_CITY = _transparent(0x1C, "城市级应用信息文件", "city information", LdtPsamApplication, "SSC §2.3")
EF15_PBOC_PSAM = _transparent(0x15, "卡片公共信息文件", "PSAM information", PbocPsamInfo, "EW §5.1")
EF17_PBOC_PSAM = _transparent(0x17, "应用公共信息文件", "application information", PbocPsamApplication, "EW §5.1")
EF18_PBOC_COUNTER = _transparent(0x18, "终端交易序号文件", "terminal sequence", TerminalCounter, "EW §5.1")

LDT_ENVIRONMENT_16 = bytes.fromhex("7378322E73682EC9E7BBE1B1A3D5CF")
"""DF name of the environment for ciphers of 16-byte blocks: "sx2.sh.社会保障" in GBK (SSC §2.3)."""

LDT_PSAM_DF01 = ApplicationDeclaration(
    0xDF01,
    "社会保障应用",
    "social security application",
    (EF19_LDT_COUNTER, EF1A_NATIONAL, EF1B_PROVINCIAL, EF1C_CITY),
    name=bytes.fromhex("D15600000590"),
    label="DF01",
    source="SSC §2.3",
)
LDT_PSAM_DDF1 = ApplicationDeclaration(
    0xDDF1,
    "社会保障系统环境（16字节分组密钥）",
    "environment for keys of 16-byte blocks",
    (EF01_PSAM_DIRECTORY, EF15_LDT_PSAM, EF16_TERMINAL),
    name=LDT_ENVIRONMENT_16,
    label="DDF1",
    applications=(LDT_PSAM_DF01,),
    source="SSC §2.3",
)
LDT_PSAM = CardDeclaration(
    "ldt-psam",
    "社会保障PSAM卡",
    "social security PSAM",
    ApplicationDeclaration(
        0x3F00,
        "主控文件",
        "master file",
        (EF01_PSAM_DIRECTORY, EF15_LDT_PSAM, EF16_TERMINAL),
        name=SSSE_NAME,
        label="MF",
        applications=(LDT_PSAM_DF01, LDT_PSAM_DDF1),
        source="SSC §2.3",
    ),
    source="SSC §2.3",
)

PBOC_PSAM_MOHURD = ApplicationDeclaration(
    0x1001,
    "建设部应用",
    "MOHURD application",
    (EF17_PBOC_PSAM, EF18_PBOC_COUNTER),
    name=bytes.fromhex("BDA8C9E8B2BF0000"),
    label="ADF1",
    source="EW §1.1, §5.1",
)
PBOC_PSAM_TUNION = ApplicationDeclaration(
    0x8011,
    "交通联合应用",
    "T-Union application",
    (EF17_PBOC_PSAM, EF18_PBOC_COUNTER),
    name=bytes.fromhex("A0000006324D4F542E435053414D3031"),
    label="ADF2",
    source="EW §1.1, §5.1",
)
PBOC_PSAM = CardDeclaration(
    "pboc-psam",
    "电子钱包PSAM卡",
    "wallet PSAM",
    ApplicationDeclaration(
        0x3F00,
        "主控文件",
        "master file",
        (EF01_PSAM_DIRECTORY, EF15_PBOC_PSAM, EF16_TERMINAL),
        label="MF",
        applications=(PBOC_PSAM_MOHURD, PBOC_PSAM_TUNION),
        source="EW §5.1",
    ),
    source="EW §5.1",
)
