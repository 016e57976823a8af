"""A pharmacy cashier at work: reads, debits, settles over HTTP, and checks every fen."""

from __future__ import annotations

import time

from rich.console import Console

from cardio.files.codecs import yuan
from cardiod.client import ApiProblem, Bill, Client, Outcome, Reading, Transaction
from cardiod.demo import PIN, WALLET_FEN, DemoCounter

POLL = 0.05
"""Seconds between looks for the next patient's card."""
OPERATOR = "收银员01"


class Unbalanced(Exception):
    """The demonstration's amounts do not add up: a bug."""


class Cashier:
    """Acts as the cashier software of a pharmacy.

    Args:
        client: The daemon.
        counter: The counter's readers.
        console: Where to print.
    """

    def __init__(self, client: Client, counter: DemoCounter, console: Console) -> None:
        self._client = client
        self._counter = counter
        self._console = console
        self._wallet_fen = WALLET_FEN

    def work(self) -> None:
        """One morning: read, debit, repeat, settle for two patients, and check every fen.

        Raises:
            Unbalanced: A balance is not what it must be.
            ApiProblem: The daemon refused something.
        """
        self._title("读卡", "read the cards")
        self._read_holder()
        self._read_wallet()
        self._title("电子钱包消费", "debit the wallet: ¥12.34 for a bicycle")
        sale = self._debit(1234, "BIKE-0001", "key-bike-0001")
        self._title("同一请求再次发送", "the same request once more: same answer, nothing debited")
        self._expect(self._sell(1234, "BIKE-0001", "key-bike-0001") == sale, "the same key got another answer")
        self._check_wallet()
        self._title("医疗结算（联机卡）", "settle a bill with an on-line card")
        self._settle("BILL-0001", "key-bill-0001", Bill(10000, 6000, 2500, 1500))
        self._title("医疗结算（脱机卡）", "settle a bill with an off-line card")
        first = self._handle(self._counter.social)
        self._counter.second_patient()
        while self._handle(self._counter.social) in {first, None}:
            time.sleep(POLL)
        self._read_holder()
        self._settle("BILL-0002", "key-bill-0002", Bill(8888, 4444, 3333, 1111))
        self._title("拒绝示例", "what a refusal looks like: more than the wallet holds")
        self._refused()
        self._check_wallet()

    # ---- steps -----------------------------------------------------------------------------------------------

    def _read_holder(self) -> None:
        reading = self._read(self._counter.social, ["card", "holder", "medical"], "settlement")
        card, holder, medical = reading["card"], reading["holder"], reading["medical"]
        self._line("姓名", "name", holder["name"])
        self._line("社会保障号码", "social security no.", holder["social_security_number"])
        self._line("性别", "sex", f"{holder['sex']['zh']} {holder['sex']['en']}")
        self._line("卡号", "card number", card["card_number"])
        self._line("规范版本", "version", card["version"])
        self._line("有效期至", "valid to", card["expires"])
        self._line("用卡方式", "card mode", f"{medical['mode']['zh']} {medical['mode']['en']}")
        self._line("卡内账户", "account on card", yuan(medical["balance_fen"]))

    def _read_wallet(self) -> None:
        reading = self._read(self._counter.citizen, ["card", "wallet"], "payment")
        self._line("应用序列号", "wallet number", reading["card"]["serial"])
        self._line("钱包余额", "wallet balance", yuan(reading["wallet"]["balance_fen"]))

    def _debit(self, amount: int, reference: str, key: str) -> Transaction:
        sale = self._sell(amount, reference, key)
        self._expect(sale.completed and sale.tac, "the debit has no TAC")
        before = self._wallet_fen
        after = before - amount
        self._expect((sale.balance_before_fen, sale.balance_after_fen) == (before, after), "wallet balances")
        self._wallet_fen = after
        self._console.print(f"TAC {sale.tac}   {yuan(before)} - {yuan(amount)} = {yuan(after)}")
        self._voucher(sale)
        return sale

    def _settle(self, reference: str, key: str, bill: Bill) -> None:
        if self._counter.pin_pad:
            self._console.print("持卡人在密码键盘输入密码 the holder types the PIN on the pad")
        pin = self._pin(self._counter.social)
        settled = self._client.settle(bill, "wallet", reference, key=key, operator=OPERATOR, pin=pin)
        self._expect(settled.completed and settled.due_fen == 0, "not settled")
        medical, wallet = settled.legs
        self._expect(medical.tac and wallet.tac, "a leg has no TAC")
        for leg in (medical, wallet):
            before = leg.balance_before_fen
            self._expect(before is not None and before - leg.amount_fen == leg.balance_after_fen, "balances of a leg")
        self._expect(wallet.amount_fen == bill.self_pay_fen, "the wallet paid another amount")
        self._wallet_fen -= bill.self_pay_fen
        self._expect(wallet.balance_after_fen == self._wallet_fen, "wallet balance")
        on_card = self._read(self._counter.social, ["medical"], "check")["medical"]["balance_fen"]
        self._expect(on_card == medical.balance_after_fen, "account on the card")
        self._console.print(
            f"{yuan(bill.total_fen)} = {yuan(bill.fund_fen)} 基金 fund"
            f" + {yuan(bill.account_fen)} 个人账户 account + {yuan(bill.self_pay_fen)} 钱包 wallet"
        )
        self._voucher(settled)

    def _refused(self) -> None:
        try:
            self._sell(self._wallet_fen + 1, "TOO-MUCH", "key-too-much")
        except ApiProblem as refusal:
            self._expect(refusal.code == "funds.insufficient", "another refusal than expected")
            self._console.print(
                f"{refusal.document['status']} {refusal.code}: {refusal.text('zh')} / {refusal.text('en')}"
                f"   money: {refusal.money}"
            )
            return
        raise Unbalanced("more was debited than the wallet held")

    def _check_wallet(self) -> None:
        wallet = self._read(self._counter.citizen, ["wallet"], "check")["wallet"]
        self._expect(wallet["balance_fen"] == self._wallet_fen, "wallet balance on the card")
        self._line("核对钱包余额", "wallet checked", yuan(wallet["balance_fen"]))

    # ---- inside ----------------------------------------------------------------------------------------------

    def _handle(self, reader: str) -> str | None:
        """The card that the daemon sees in a reader."""
        cards = self._client.get("cards")["cards"]
        return next((card["handle"] for card in cards if card["reader"] == reader), None)

    def _read(self, reader: str, fields: list[str], purpose: str) -> Reading:
        return self._client.read(fields, purpose, reader=reader, pin=self._pin(reader))

    def _sell(self, amount: int, reference: str, key: str) -> Transaction:
        return self._client.debit(amount, reference, key=key, operator=OPERATOR, reader=self._counter.citizen)

    def _pin(self, reader: str) -> str | None:
        """Without a PIN pad the holder tells the PIN to the cashier, which only virtual cards accept."""
        wanted = reader == self._counter.social and not self._counter.pin_pad
        return PIN if wanted else None

    def _voucher(self, outcome: Outcome) -> None:
        for language in ("zh", "en"):
            self._console.print()
            self._console.print(outcome.voucher(language), style="dim", highlight=False, markup=False)

    def _title(self, zh: str, en: str) -> None:
        self._console.rule(f"[bold]{zh}[/] {en}", align="left")

    def _line(self, zh: str, en: str, value: object) -> None:
        self._console.print(f"{zh} [dim]{en}[/]: {value}", highlight=False)

    @staticmethod
    def _expect(holds: object, what: str) -> None:
        if not holds:
            raise Unbalanced(what)
