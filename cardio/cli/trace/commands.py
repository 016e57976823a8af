"""All commands that a trace understands, by class, instruction and parameters.

The first rule that fits counts, so the narrow ones stand before the wide ones. PIN and key commands are known by their
instruction alone: a wrong class must not bring their data to light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cardio.apdu.status import PURSE
from cardio.cli.trace import authentication, creation, files, globalplatform, layouts, pins, pki, sams
from cardio.cli.trace.explanation import Phrase, Secrecy
from cardio.cli.trace.findings import Findings, Handler, Layout, Seen
from cardio.cli.trace.selecting import select
from cardio.files.record import FixedRecord

READER_CLASS = 0xFF
"""Commands to the reader itself (PC/SC part 3); some of them carry keys."""


@dataclass(frozen=True)
class Rule:
    """Which commands a handler explains; None fits everything.

    Attributes:
        handler: Explains the command.
        ins: Instruction byte.
        cla: Class bytes.
        p1: First parameter.
        p2: Second parameter.
    """

    handler: Handler
    ins: int
    cla: tuple[int, ...] | None = None
    p1: int | None = None
    p2: int | None = None

    def fits(self, header: bytes) -> bool:
        """Whether CLA INS P1 P2 are those of this rule."""
        cla, ins, p1, p2 = header
        return (
            ins == self.ins
            and (self.cla is None or cla in self.cla)
            and self.p1 in {None, p1}
            and self.p2 in {None, p2}
        )


PURSES = {1: Phrase("电子存折", "electronic deposit (ED)"), 2: Phrase("电子钱包", "electronic purse (EP)")}
MEDICAL_BALANCES = {
    1: Phrase("余额", "balance"),
    2: Phrase("年度自付累计", "yearly self-paid total"),
    3: Phrase("年度统筹累计", "yearly pool total"),
}
WALLET_PROOFS = {
    0x01: Phrase("存折圈存", "ED load"),
    0x02: Phrase("钱包圈存", "EP load"),
    0x03: Phrase("圈提", "unload"),
    0x04: Phrase("取现", "ED cash withdrawal"),
    0x05: Phrase("存折消费", "ED purchase"),
    0x06: Phrase("钱包消费", "EP purchase"),
    0x07: Phrase("修改透支限额", "ED overdraft update"),
    0x09: Phrase("复合消费", "composite purchase"),
}
"""EW §4.6."""
MEDICAL_PROOFS = {
    0x01: Phrase("划入", "load"),
    0x31: Phrase("划入", "load"),
    0x02: Phrase("结算", "settlement"),
    0x32: Phrase("结算", "settlement"),
}
"""SSC §5.4."""


def _purse(
    name: str,
    zh: str,
    en: str,
    request: type[FixedRecord] | None,
    answer: type[FixedRecord] | None,
    p2: Mapping[int, Phrase] | None = None,
) -> Layout:
    return Layout(name, Phrase(zh, en), request, answer, PURSE, p2 or {})


_ISO = (0x00, 0x04)
_WALLET = (0x80,)
_MEDICAL = (0xB0,)
_PROTECTED = (0x84,)
_MANAGEMENT = (0x80, 0x84)
_CREDIT = _purse("CREDIT FOR LOAD", "圈存", "credit for load", layouts.HostAuthorization, layouts.Tac)
_DEBIT = _purse("DEBIT FOR PURCHASE", "消费", "debit for purchase", layouts.DebitRequest, layouts.DebitAnswer)


def _initialize(name: str, zh: str, en: str, answer: type[FixedRecord]) -> Layout:
    return _purse(name, zh, en, layouts.InitializeRequest, answer, PURSES)


def get_response(_: Seen) -> Findings:
    """GET RESPONSE that no 61xx asked for: what it fetches is not known."""
    return Findings("GET RESPONSE", Phrase("取响应数据", "get response"))


RULES: tuple[Rule, ...] = (
    # PKI environment (SSC §2.4)
    Rule(pki.hash_pin, 0xC4),
    Rule(pki.generate, 0x40, cla=_WALLET, p1=0x00),
    Rule(pki.generate, 0xC9, cla=_WALLET, p1=0x82),
    Rule(pki.import_public, 0xC2, cla=_WALLET, p1=0x40),
    Rule(pki.import_private, 0xC2),
    Rule(pki.transport, 0x4A, cla=_WALLET),
    Rule(pki.prove, 0x4E, cla=_WALLET),
    # PIN and keys (SSC §5.1, EW §3.1 and §3.4)
    Rule(pins.verify, 0x20),
    Rule(pins.change, 0x5E),
    Rule(pins.unblock, 0x24),
    Rule(authentication.write_key, 0xD4),
    # Files (SSC §5.1, EW §3.1)
    Rule(select, 0xA4, cla=_ISO),
    Rule(files.read_record, 0xB2, cla=_ISO),
    Rule(files.update_record, 0xDC, cla=_ISO),
    Rule(files.append_record, 0xE2, cla=_ISO),
    Rule(files.read_binary, 0xB0, cla=_ISO),
    Rule(files.update_binary, 0xD6, cla=_ISO),
    Rule(get_response, 0xC0),
    Rule(authentication.challenge, 0x84, cla=_ISO),
    Rule(authentication.external, 0x82, cla=_ISO),
    Rule(authentication.internal, 0x88, cla=_ISO),
    Rule(authentication.block_application, 0x1E, cla=(0x84,)),
    Rule(authentication.unblock_application, 0x18, cla=(0x84,)),
    Rule(authentication.block_card, 0x16, cla=(0x84,)),
    Rule(creation.create_file, 0xE0, cla=_WALLET),
    Rule(creation.erase, 0x0E, cla=_WALLET),
    # Secure channel of JavaCards; the commands of wallets with the same instruction name a purse in P2 (PERS §2.1)
    Rule(globalplatform.initialize_update, 0x50, cla=_WALLET, p2=0),
    Rule(globalplatform.external_authenticate, 0x82, cla=_PROTECTED),
    # Wallet purse (EW §3.2)
    Rule(
        _initialize("INITIALIZE FOR LOAD", "圈存初始化", "initialise for load", layouts.LoadInitialized),
        0x50,
        _WALLET,
        0,
    ),
    Rule(
        _initialize("INITIALIZE FOR PURCHASE", "消费初始化", "initialise for purchase", layouts.PurchaseInitialized),
        0x50,
        _WALLET,
        1,
    ),
    Rule(
        _initialize(
            "INITIALIZE FOR CASH WITHDRAW", "取现初始化", "initialise for cash withdrawal", layouts.PurchaseInitialized
        ),
        0x50,
        _WALLET,
        2,
    ),
    Rule(
        _initialize(
            "INITIALIZE FOR CAPP PURCHASE",
            "复合消费初始化",
            "initialise for composite purchase",
            layouts.PurchaseInitialized,
        ),
        0x50,
        _WALLET,
        3,
    ),
    Rule(
        _purse(
            "INITIALIZE FOR UPDATE",
            "修改透支限额初始化",
            "initialise for overdraft update",
            layouts.OverdraftRequest,
            layouts.OverdraftInitialized,
        ),
        0x50,
        _WALLET,
        4,
    ),
    Rule(
        _initialize("INITIALIZE FOR UNLOAD", "圈提初始化", "initialise for unload", layouts.LoadInitialized),
        0x50,
        _WALLET,
        5,
    ),
    Rule(_CREDIT, 0x52, _WALLET),
    Rule(
        _purse("DEBIT FOR UNLOAD", "圈提", "debit for unload", layouts.HostAuthorization, layouts.Mac3),
        0x54,
        _WALLET,
        3,
    ),
    Rule(_DEBIT, 0x54, _WALLET),
    Rule(
        _purse("UPDATE OVERDRAW LIMIT", "修改透支限额", "update overdraft limit", layouts.OverdraftUpdate, layouts.Tac),
        0x58,
        _WALLET,
    ),
    Rule(
        _purse(
            "GET TRANSACTION PROVE",
            "取交易认证",
            "get transaction proof",
            layouts.ProofRequest,
            layouts.ProofAnswer,
            WALLET_PROOFS,
        ),
        0x5A,
        _WALLET,
    ),
    Rule(_purse("GET BALANCE", "读余额", "get balance", None, layouts.Balance, PURSES), 0x5C, _WALLET, 0),
    Rule(_purse("GET BALANCE", "读实际余额", "get real balance", None, layouts.Balance, PURSES), 0x5C, _WALLET, 3),
    Rule(files.update_cache, 0xDC, cla=_WALLET),
    # Medical account (SSC §5.4)
    Rule(
        _purse(
            "INITIALIZE FOR LOAD",
            "划入初始化",
            "initialise for load",
            layouts.InitializeRequest,
            layouts.LoadInitialized,
        ),
        0x28,
        _MEDICAL,
        0,
    ),
    Rule(_CREDIT, 0x2A, _MEDICAL),
    Rule(
        _purse(
            "INITIALIZE FOR PURCHASE",
            "消费初始化",
            "initialise for purchase",
            layouts.SettlementRequest,
            layouts.SettlementInitialized,
        ),
        0x28,
        _MEDICAL,
        1,
    ),
    Rule(_DEBIT, 0x2C, _MEDICAL),
    Rule(_purse("GET BALANCE", "读余额", "get balance", None, layouts.Balance, MEDICAL_BALANCES), 0x26, _MEDICAL, 0, 1),
    Rule(_purse("GET BALANCE", "读余额", "get balance", None, layouts.YearlyAmount, MEDICAL_BALANCES), 0x26, _MEDICAL),
    Rule(
        _purse(
            "GET TRANSACTION PROOF",
            "取交易认证",
            "get transaction proof",
            layouts.ProofRequest,
            layouts.ProofAnswer,
            MEDICAL_PROOFS,
        ),
        0x2E,
        _MEDICAL,
    ),
    Rule(
        _purse("UPDATE STARTING DAY", "修改年度起始日", "update starting day", layouts.StartingDay, None),
        0x56,
        _MEDICAL,
        0,
    ),
    Rule(_purse("GET STARTING DAY", "读年度起始日", "get starting day", None, layouts.StartingDay), 0x56, _MEDICAL, 1),
    # PSAM (SSC §6.4, EW §5.2)
    Rule(sams.purchase, 0x70, cla=_WALLET),
    Rule(sams.credit, 0x72, cla=_WALLET),
    Rule(sams.environment, 0xEC, cla=(0xBF,)),
    Rule(sams.session_key, 0xDE, cla=(0xBF,)),
    Rule(sams.delivery_key, 0x1A, cla=_WALLET),
    Rule(sams.cipher, 0xFA, cla=_WALLET),
    Rule(sams.authenticity, 0xCA, cla=_WALLET, p1=0x00, p2=0x00),
    # Content management of JavaCards (PERS §2.5)
    Rule(globalplatform.delete, 0xE4, cla=_MANAGEMENT),
    Rule(globalplatform.install, 0xE6, cla=_MANAGEMENT),
    Rule(globalplatform.load, 0xE8, cla=_MANAGEMENT),
    Rule(globalplatform.put_key, 0xD8),
    Rule(globalplatform.store_data, 0xE2, cla=_MANAGEMENT),
    Rule(globalplatform.get_status, 0xF2, cla=_MANAGEMENT),
    Rule(globalplatform.set_status, 0xF0, cla=_MANAGEMENT),
    Rule(globalplatform.get_data, 0xCA, cla=_MANAGEMENT),
)


def handler_of(header: bytes) -> Handler:
    """What explains a command with this CLA INS P1 P2."""
    if header[0] == READER_CLASS:
        return lambda _: reader_command()
    return next((rule.handler for rule in RULES if rule.fits(header)), lambda _: unknown_command())


def unknown_command() -> Findings:
    """A command of no known kind: its data may be anything, so they are treated as personal."""
    return Findings("UNKNOWN COMMAND", Phrase("未知命令", "unknown command"))


def reader_command() -> Findings:
    """A command to the reader; what it loads may be a key."""
    return Findings("READER COMMAND", Phrase("读写器命令", "command to the reader"), request=Secrecy.SECRET)
