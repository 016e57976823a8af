"""The Unix socket and the port: ours, free, or somebody else's."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from cardio.cli.doctor.findings import Outcome
from cardiod.doctor.addresses import port, unix_socket
from cardiod.doctor.site import Site
from tests.daemon.conftest import StartDaemon
from tests.daemon.doctor.conftest import MakeSite


class Other(BaseHTTPRequestHandler):
    """Another program that speaks HTTP."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"info": {"title": "another program"}}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def address_string(self) -> str:
        return "unix"


class UnixHttpServer(UnixStreamServer):
    """HTTP on a Unix socket."""


@contextmanager
def serving(server: HTTPServer | UnixHttpServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_answers_is_well(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon(socket=tmp_path / "s")
    number = int(daemon.url.rpartition(":")[2])
    site = Site(daemon.settings.model_copy(update={"port": number}))
    assert unix_socket(site).outcome is Outcome.OK
    found = port(site)
    assert (found.outcome, found.text.en) == (Outcome.OK, f"the service answers at 127.0.0.1:{number}")


def test_a_free_port_is_well(site: MakeSite) -> None:
    found = port(site())
    assert found.outcome is Outcome.OK
    assert "free" in found.text.en


def test_a_port_that_another_program_has_fails(site: MakeSite) -> None:
    with HTTPServer(("127.0.0.1", 0), Other) as server, serving(server):
        found = port(site(port=server.server_port))
        assert found.outcome is Outcome.FAIL
        assert "another program" in found.text.en


def test_a_port_on_which_nobody_speaks_http_fails(site: MakeSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang_up() -> None:
            while True:
                try:
                    silent.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert port(site(port=silent.getsockname()[1])).outcome is Outcome.FAIL
        silent.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_another_program_on_the_socket_fails(site: MakeSite, tmp_path: Path) -> None:
    with UnixHttpServer(str(tmp_path / "s"), Other) as server, serving(server):
        assert unix_socket(site(socket=tmp_path / "s")).outcome is Outcome.FAIL


def test_no_socket_is_well_if_none_is_configured(site: MakeSite) -> None:
    assert unix_socket(site()).outcome is Outcome.OK


@pytest.mark.parametrize("left", [False, True], ids=["not there", "left by a killed daemon"])
def test_a_socket_without_a_service_is_told_and_fails_if_one_runs(
    site: MakeSite, tmp_path: Path, start_daemon: StartDaemon, left: bool
) -> None:
    if left:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "s"))
    assert unix_socket(site(socket=tmp_path / "s")).outcome is Outcome.WARN
    daemon = start_daemon()
    running = Site(daemon.settings.model_copy(update={"socket": tmp_path / "s"}))
    assert running.holder() == os.getpid()
    assert unix_socket(running).outcome is Outcome.FAIL
