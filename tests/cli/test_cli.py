"""The `cardio` command on its embedded readers; on real ones see tests/pcsc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from typer.testing import CliRunner, Result

from cardio.cli.main import app
from cardio.cli.payments import parse_yuan
from cardio.errors import AmountInvalid


def cardio(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments], input=stdin)


def test_the_embedded_readers_are_listed() -> None:
    done = cardio("readers", "--reader", "virtual")
    assert done.exit_code == 0
    assert "virtual citizen card" in done.stdout


def test_a_card_is_read_as_a_page_in_both_languages() -> None:
    done = cardio("read", "--reader", "virtual")
    assert done.exit_code == 0
    for text in ("姓名", "name", "测试甲", "有效期", "2036-06-14"):
        assert text in done.stdout


def test_a_group_that_the_card_lacks_is_an_error_only_when_asked_for() -> None:
    assert cardio("read", "--reader", "virtual").exit_code == 0
    done = cardio("read", "--reader", "virtual", "--group", "wallet", "--group", "card", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["wallet"]["error"]["code"] == "operation.unsupported"


def test_the_account_takes_the_pin_from_the_pad_or_from_a_prompt() -> None:
    assert cardio("account", "balance", "--reader", "virtual", "--json").exit_code == 0
    asked = cardio("account", "balance", "--reader", "virtual", "--pin", "--json", stdin="123456\n")
    assert asked.exit_code == 0
    assert "123456" not in asked.output


def test_a_wrong_pin_is_told_with_the_tries_left() -> None:
    done = cardio("account", "balance", "--reader", "virtual", "--pin", stdin="999999\n")
    assert (done.exit_code, "pin.wrong" in done.stderr, "5" in done.stderr) == (4, True, True)


def test_a_debit_prints_its_voucher_in_both_languages(tmp_path: Path) -> None:
    journal = str(tmp_path / "journal.db")
    done = cardio("wallet", "debit", "12.34", "--reader", "virtual", "--journal", journal)
    assert done.exit_code == 0
    for text in ("电子钱包消费凭证", "WALLET PURCHASE", "¥87.66", "TAC"):
        assert text in done.stdout


def test_a_load_of_a_virtual_card_needs_no_daemon_and_prints_its_voucher(tmp_path: Path) -> None:
    arguments = ("wallet", "load", "12.34", "--reader", "virtual", "--journal", str(tmp_path / "journal.db"))
    done = cardio(*arguments)
    assert done.exit_code == 0
    for text in ("充值凭证", "LOAD", "¥112.34", "TAC"):
        assert text in done.stdout
    wrong = cardio(*arguments, "--pin", stdin="000000\n")
    assert (wrong.exit_code, "pin.wrong" in wrong.stderr, "nothing was loaded" in wrong.stderr) == (4, True, True)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("wallet", "debit", "0"), 2, "amount.invalid"),
        (("wallet", "debit", "-1"), 2, ""),
        (("wallet", "debit", "900"), 4, "funds.insufficient"),
        (("wallet", "debit", "1000.01"), 4, "amount.limit"),
        (("wallet", "debit"), 2, ""),
        (("wallet", "load", "0"), 2, "amount.invalid"),
        (("wallet", "load", "1.234"), 2, "amount.invalid"),
        (("wallet", "load"), 2, ""),
        (("nonsense",), 2, ""),
        (("wallet", "balance", "--reader", "virtual nothing"), 3, "reader.unavailable"),
        (("wallet", "balance", "--reader", "virtual PSAM"), 4, "card.unsupported"),
    ],
)
def test_what_goes_wrong_has_its_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    extra = () if "--reader" in arguments or "nonsense" in arguments else ("--reader", "virtual")
    journal = ("--journal", str(tmp_path / "journal.db")) if {"debit", "load"} & {*arguments} else ()
    done = cardio(*arguments, *extra, *journal)
    assert (done.exit_code, said in done.stderr) == (exit_code, True)


def test_a_journal_that_cannot_be_opened_is_exit_code_6(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = str(tmp_path / "file" / "journal.db")
    done = cardio("wallet", "debit", "1", "--reader", "virtual", "--journal", journal)
    assert (done.exit_code, "storage.unavailable" in done.stderr) == (6, True)
    assert "nothing was debited" in done.stderr


def test_a_wrong_product_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.toml").write_text('id = "x"\ncolour = "red"\n', encoding="utf-8")
    monkeypatch.setenv("CARDIO_PROFILES", str(tmp_path))
    done = cardio("read", "--reader", "virtual")
    assert done.exit_code == 2
    assert "x.toml" in done.stderr
    assert "colour" in done.stderr


@pytest.mark.parametrize(
    ("text", "fen"), [("12.34", 1234), ("12", 1200), ("0.5", 50), ("0.05", 5), ("21474836.47", 2147483647)]
)
def test_yuan_are_read_as_people_write_them(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", ".", "1.", ".5", "1.234", "1,5", "-1", "+1", "1e3", "１２", " 1", "¥1"])
def test_anything_else_is_not_money(text: str) -> None:
    with pytest.raises(AmountInvalid):
        parse_yuan(text)


def test_a_bug_reaches_no_user_as_a_traceback_and_tells_no_value(mocker: MockerFixture, tmp_path: Path) -> None:
    mocker.patch("cardio.cli.payments.Engine", side_effect=ZeroDivisionError("测试甲"))
    journal = str(tmp_path / "journal.db")
    done = cardio("wallet", "debit", "1", "--reader", "virtual", "--journal", journal)
    assert (done.exit_code, "internal" in done.stderr, "ZeroDivisionError" in done.stderr) == (6, True, True)
    assert "unknown whether the card was debited" in done.stderr
    assert "测试甲" not in done.output
