"""Errors of PSAMs, HSMs and keyrings (OPS §4.6)."""

from __future__ import annotations

from cardio.errors.base import ExitCode, Retry
from cardio.errors.card import CardError


class SamError(CardError):
    """The purchase SAM, or what stands for it, cannot serve."""

    exit_code = ExitCode.UNAVAILABLE


class SamAbsent(SamError):
    """No PSAM answers."""

    code = "sam.absent"
    zh = "未插入PSAM卡"
    en = "SAM missing"
    action = "insert_sam"


class SamKeyMissing(SamError):
    """6A88 or 6A80 from the SAM: it does not hold the key this card needs."""

    code = "sam.key-missing"
    zh = "PSAM不支持此卡"
    en = "SAM cannot serve this card"
    action = "other_sam"


class KeyringInvalid(SamError):
    """The keyring file cannot be used."""

    code = "keyring.invalid"
    zh = "密钥文件无法使用"
    en = "The keyring file cannot be used"
    retry = Retry.AFTER_ACTION
    action = "check_keyring"


class HsmFailed(SamError):
    """The hardware security module cannot be used."""

    code = "hsm.failed"
    zh = "加密机无法使用"
    en = "The hardware security module cannot be used"
    retry = Retry.AFTER_ACTION
    action = "check_hsm"


class SamNoPurchase(SamError):
    """9403 from the SAM."""

    code = "sam.no-purchase"
    zh = "PSAM不支持消费"
    en = "SAM has no purchase function"
    action = "other_sam"


class SamLocked(SamError):
    """6983 in the SAM."""

    code = "sam.locked"
    zh = "PSAM已锁定"
    en = "SAM locked"
    retry = Retry.NEVER
    action = "other_sam"


class SamFailed(SamError):
    """The SAM answered something its command's table does not know."""

    code = "sam.failed"
    zh = "PSAM应答异常"
    en = "The SAM answered something unexpected"
    action = "call_supervisor"


class TestKeysRefused(SamError):
    """Test keys meet a card that is not virtual."""

    __test__ = False  # the name is not a test case
    code = "keys.test-only"
    zh = "测试密钥不得用于真实卡片，未扣款"
    en = "Test keys must not be used with a real card; nothing charged"
    retry = Retry.NEVER
    action = "install_keys"
    exit_code = ExitCode.REFUSED


class KeyRejected(SamError):
    """A key or a part of it does not have the demanded quality."""

    code = "keys.rejected"
    zh = "密钥不合格，未写入"
    en = "The key was not accepted; nothing was written"
    retry = Retry.AFTER_ACTION
    action = "check_key"
    exit_code = ExitCode.REFUSED


class KeyCheckFailed(SamError):
    """A key check value is not that of the key."""

    code = "keys.check-failed"
    zh = "密钥校验值不符，未写入"
    en = "The key check value does not match; nothing was written"
    retry = Retry.AFTER_ACTION
    action = "check_key"
    exit_code = ExitCode.REFUSED


class RuleUnconfirmed(SamError):
    """Money on a real card would rest on a rule that no source confirms."""

    code = "rule.unconfirmed"
    zh = "该卡的计算规则未经确认，未扣款"
    en = "A rule of this card product is not confirmed; nothing charged"
    retry = Retry.NEVER
    action = "call_supervisor"
    exit_code = ExitCode.REFUSED


class MaintenanceKeysMissing(SamError):
    """No source of keys makes the MACs of unblocking, blocking and protected writing: that takes a keyring or HSM."""

    code = "keys.maintenance-missing"
    zh = "终端没有卡片维护密钥，请到发卡机构办理"
    en = "The terminal has no keys to maintain cards. Card holder should go to the issuer"
    retry = Retry.AFTER_ACTION
    action = "ask_holder"
