"""Starting a daemon: its port, its journal, its token."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.errors import InputInvalid, ServiceUnavailable, StorageUnavailable
from cardiod.listening import listen
from cardiod.service import run_token, token_file
from cardiod.settings import Settings, load_settings

CARDIOD = Path(sys.executable).with_name("cardiod")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(journal=tmp_path / "journal.db", port=0)


def test_a_taken_port_is_told_before_anything_else(settings: Settings) -> None:
    with listen(settings) as first:
        first.listen()
        with pytest.raises(ServiceUnavailable, match="in use"):
            listen(settings.model_copy(update={"port": first.getsockname()[1]}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_no_answer_waits_for_an_acknowledgement(settings: Settings, host: str) -> None:
    """uvicorn sends header and body apart: without TCP_NODELAY the body waits 40 ms for the caller's delayed ACK."""
    with listen(settings.model_copy(update={"host": host})) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_the_token_of_a_run_is_its_owners_alone_and_goes_with_the_run(settings: Settings) -> None:
    file = token_file(settings)
    with run_token(settings) as known:
        assert file.stat().st_mode & 0o777 == 0o600
        assert known.token_sha256
        assert len(file.read_text().strip()) >= 24
    assert not file.exists()


def test_a_configured_token_leaves_no_file(settings: Settings) -> None:
    configured = settings.model_copy(update={"token_sha256": "0" * 64})
    with run_token(configured) as known:
        assert known is configured
        assert not token_file(settings).exists()


def test_a_token_that_cannot_be_left_is_told(settings: Settings) -> None:
    with pytest.raises(StorageUnavailable), run_token(settings.model_copy(update={"journal": Path("/proc/x/j")})):
        pytest.fail("it went on")


def test_a_second_daemon_leaves_the_first_ones_token_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with listen(settings) as first, run_token(settings):
        first.listen()
        before = token_file(settings).read_text()
        monkeypatch.setenv("CARDIO_PORT", str(first.getsockname()[1]))
        monkeypatch.setenv("CARDIO_JOURNAL", str(settings.journal))
        monkeypatch.setenv("CARDIO_SOCKET", "")
        second = subprocess.run([str(CARDIOD), "serve"], capture_output=True, text=True, timeout=60, check=False)
        assert (second.returncode, "service.unavailable" in second.stderr) == (6, True)
        assert token_file(settings).read_text() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [("portt = 1", "portt"), ("port = 'x'", "port"), ("port =", "cardiod.toml"), ("port = 70000", "port")],
)
def test_a_wrong_configuration_names_file_key_and_reason(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "cardiod.toml"
    file.write_text(content)
    with pytest.raises(InputInvalid, match=said):
        load_settings(file)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cardiod.toml"
    file.write_text("port = 1000\nclient = 'till'")
    monkeypatch.setenv("CARDIO_PORT", "2000")
    loaded = load_settings(file)
    assert (loaded.port, loaded.client) == (2000, "till")


def test_profiles_are_folders_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDIO_PROFILES", "/a:/b")
    assert load_settings().profiles == (Path("/a"), Path("/b"))
