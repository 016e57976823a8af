"""`cardiod config check`, and that the demonstration stays one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture
from typer.testing import CliRunner

from cardio.transport.embedded import EmbeddedDriver
from cardiod import main
from cardiod.demo import EmbeddedCounter
from cardiod.main import app
from cardiod.settings import hash_token


def check(tmp_path: Path, content: str) -> Any:
    file = tmp_path / "cardiod.toml"
    file.write_text(f"journal = '{tmp_path / 'journal.db'}'\n{content}")
    return CliRunner().invoke(app, ["config", "check", "--config", str(file)])


def test_a_good_configuration_is_printed_whole_with_secrets_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDIO_PORT", "7000")
    secret = hash_token("secret")
    content = f"""
        token_sha256 = "{secret}"
        origins = ["https://his.example"]
        socket = ""
        [[peers]]
        group = "till"
        scopes = ["debit"]
        max_day_fen = 100000
    """
    result = check(tmp_path, content)
    assert result.exit_code == 0
    assert secret not in result.output
    shown = json.loads(result.stdout)
    assert (shown["port"], shown["origins"], shown["socket"]) == (7000, ["https://his.example"], None)
    assert shown["peers"][0]["max_day_fen"] == 100000
    assert shown["rate_burst"]  # what nobody set is shown too
    assert shown["tokens"] == str(tmp_path / "tokens.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("portt = 1", "portt"),
        ("origins = ['*']", "origins"),
        ("origins = ['null']", "origins"),
        ("origins = ['https://his.example/path']", "origins"),
        ("host = '0.0.0.0'", "loopback"),
        ("host = 'his.example'", "host"),
        ("[[peers]]\nclient = 'x'", "name one of user, group and certificate"),
        ("[[peers]]\nuser = 'a'\ngroup = 'b'", "name one of user, group and certificate"),
        ("[[peers]]\nuser = 'a'\nscopes = ['all']", "scopes"),
        ("tls_listen = '0.0.0.0:7817'", "tls_certificate"),
        ("tls_listen = 'everywhere'", "tls_listen"),
        (
            "tls_listen = '127.0.0.1:1'\ntls_certificate = '/none'\ntls_key = '/none'\ntls_client_ca = '/none'",
            "/none",
        ),
        ("rate_per_s = 0", "rate_per_s"),
        ("token_sha256 = 'secret'", "token_sha256"),
        ("port =", "cardiod.toml"),
    ],
)
def test_a_wrong_configuration_is_2_and_says_what(tmp_path: Path, content: str, said: str) -> None:
    result = check(tmp_path, content)
    assert result.exit_code == 2
    assert said in result.output


def test_a_wrong_variable_is_2_and_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDIO_PEERS", "root")
    result = check(tmp_path, "")
    assert result.exit_code == 2
    assert "peers" in result.output


def test_a_missing_file_is_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["config", "check", "--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 2


def test_a_damaged_card_product_is_2(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.toml").write_text("nonsense = 1")
    assert check(tmp_path, f"profiles = ['{tmp_path / 'mine'}']").exit_code == 2


# ---- the demonstration ---------------------------------------------------------------------------------------


def test_the_demonstration_has_virtual_readers_only() -> None:
    driver = EmbeddedCounter().driver
    assert len(driver.readers()) == 3
    for name in driver.readers():
        assert driver.connect(name).virtual


def test_the_demonstration_takes_no_real_reader_and_no_caller_of_the_service(
    tmp_path: Path, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDIO_SOCKET", str(tmp_path / "s"))
    monkeypatch.setenv("CARDIO_TOKENS", str(tmp_path / "tokens.json"))
    monkeypatch.setenv("CARDIO_TLS_LISTEN", "127.0.0.1:0")
    mocker.patch("cardiod.main.reader_driver", side_effect=AssertionError("a real reader"))
    used = mocker.spy(main, "counter_on")
    assert CliRunner().invoke(app, ["demo", "--once"]).exit_code == 0
    driver, settings = used.call_args.args
    assert isinstance(driver, EmbeddedDriver)
    assert (settings.socket, settings.tls_listen) == (None, "")
    assert settings.tokens_file.parent == settings.journal.parent
