"""Callers that are known without a token: on the Unix socket by the kernel's word, on the LAN by a certificate."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cardio.errors import InputInvalid, ServiceUnavailable
from cardiod.listening import listen_unix, listeners, tls_context
from cardiod.settings import NOBODY_ELSE, PeerRule, Scope, Settings
from tests.daemon.callers import DEBIT, call, clients, make_token, refused
from tests.daemon.conftest import Daemon, StartDaemon

STRANGER = 54321
"""A user and a group of no name."""
GROUP = 54322
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
AS_SOMEBODY = """
import os, socket, sys
user, groups, request = int(sys.argv[1]), [int(group) for group in sys.argv[2].split(",")], sys.argv[3]
os.setgroups(groups[1:])
os.setgid(groups[0])
os.setuid(user)
connection = socket.socket(socket.AF_UNIX)
connection.connect("s")
connection.sendall(request.encode())
sys.stdout.buffer.write(connection.makefile("rb").read())
"""


def over(path: Path, method: str = "GET", url: str = "/v1/cards", **more: Any) -> httpx.Response:
    """A request on a Unix socket, as ourselves."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://any-name", timeout=30) as client:
        return client.request(method, url, **more)


def status_for(folder: Path, user: int, *groups: int) -> int:
    """Status that a process of another user gets; 0 if it may not even connect."""
    request = "GET /v1/cards HTTP/1.1\r\nHost: cardio\r\nConnection: close\r\n\r\n"
    folder.chmod(0o755)
    command = [sys.executable, "-c", AS_SOMEBODY, str(user), ",".join(map(str, groups)), request]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    if done.returncode:
        assert b"PermissionError" in done.stderr
        return 0
    return int(done.stdout.split()[1])


# ---- Unix socket ---------------------------------------------------------------------------------------------


def test_a_user_is_known_by_the_kernels_word(start_daemon: StartDaemon, tmp_path: Path) -> None:
    rule = PeerRule(user=str(os.getuid()), client="this-computer")
    start_daemon(socket=tmp_path / "s", peers=(rule,))
    assert over(tmp_path / "s").status_code == 200
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660


def test_transactions_over_the_socket_have_the_clients_name_and_its_limits(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    rule = PeerRule(user=str(os.getuid()), client="this-computer", max_amount_fen=100)
    daemon = start_daemon(socket=tmp_path / "s", peers=(rule,))
    answer = over(tmp_path / "s", "POST", "/v1/debit", json=DEBIT, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert clients(daemon) == ["this-computer"]
    more = {**DEBIT, "amount_fen": 101}
    refused(over(tmp_path / "s", "POST", "/v1/debit", json=more, headers={"Idempotency-Key": "l"}), 403, "client.limit")


def test_a_user_without_a_rule_is_nobody_and_may_still_bring_a_token(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(STRANGER)),))
    refused(over(tmp_path / "s"), 401, "client.unauthorised")
    token = make_token(daemon)
    assert over(tmp_path / "s", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_wrong_token_is_wrong_even_for_somebody_known(start_daemon: StartDaemon, tmp_path: Path) -> None:
    start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(os.getuid())),))
    refused(over(tmp_path / "s", headers={"Authorization": "Bearer wrong"}), 401, "client.unauthorised")


def test_what_holds_on_the_socket_does_not_hold_on_the_port(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon(socket=tmp_path / "s", peers=(PeerRule(user=str(os.getuid())),))
    refused(call(daemon, None), 401, "client.unauthorised")


@root_only
def test_by_default_only_root_and_the_group_cardio_are_answered(start_daemon: StartDaemon, tmp_path: Path) -> None:
    start_daemon(socket=tmp_path / "s")
    assert Settings(journal=tmp_path / "journal.db").peers == NOBODY_ELSE
    assert over(tmp_path / "s").status_code == 200
    assert status_for(tmp_path, STRANGER, STRANGER) == 0
    (tmp_path / "s").chmod(0o666)  # and were the socket open to all, they would still be strangers
    assert status_for(tmp_path, STRANGER, STRANGER) == 401


@root_only
@pytest.mark.parametrize("groups", [(GROUP,), (STRANGER, GROUP)], ids=["first group", "other group"])
def test_a_group_of_the_socket_may_connect_and_is_known(
    start_daemon: StartDaemon, tmp_path: Path, groups: tuple[int, ...]
) -> None:
    start_daemon(socket=tmp_path / "s", socket_group=str(GROUP), peers=(PeerRule(group=str(GROUP)),))
    assert status_for(tmp_path, STRANGER, *groups) == 200
    assert status_for(tmp_path, STRANGER, STRANGER) == 0


def test_the_first_rule_that_fits_holds(start_daemon: StartDaemon, tmp_path: Path) -> None:
    user = str(os.getuid())
    start_daemon(
        socket=tmp_path / "s",
        peers=(PeerRule(user=user, scopes=frozenset()), PeerRule(user=user, scopes=frozenset(Scope))),
    )
    refused(over(tmp_path / "s"), 403, "client.forbidden")


def test_the_name_of_a_killed_daemon_is_taken_over_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen_unix(path, "cardio") as listener:
        listener.listen()
        with pytest.raises(ServiceUnavailable, match="in use"), listen_unix(path, "cardio"):
            pytest.fail("two at a time")
        assert path.is_socket()
    assert not path.exists()


def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(ServiceUnavailable), listen_unix(path, "cardio"):
        pytest.fail("it went on")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("path", ["/proc/cardio/s", "x" * 120])
def test_a_place_that_cannot_be_used_is_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(ServiceUnavailable, match="cannot listen"), listen_unix(tmp_path / path, "cardio"):
        pytest.fail("it went on")


def test_both_loopback_addresses_are_served(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    port = httpx.URL(daemon.url).port
    try:
        answer = httpx.get(f"http://[::1]:{port}/healthz", trust_env=False)
    except httpx.ConnectError:
        pytest.skip("no IPv6 here")
    assert answer.status_code == 200


# ---- certificates --------------------------------------------------------------------------------------------


@dataclass
class Authority:
    """A certificate authority of the test."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self._builder(self.name, self._key.public_key(), ca=True))
        self.file = self.folder / f"{self.name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str, *, expired: bool = False) -> tuple[Path, Path]:
        """Certificate and key of a name, for a server or a client at 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name, key.public_key(), ca=False, expired=expired).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        certificate_file, key_file = (self.folder / f"{self.name}-{name}.{kind}" for kind in ("crt", "key"))
        certificate_file.write_bytes(self._sign(builder).public_bytes(Encoding.PEM))
        key_file.touch(0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate_file, key_file

    def _builder(
        self, name: str, key: ec.EllipticCurvePublicKey, *, ca: bool, expired: bool = False
    ) -> x509.CertificateBuilder:
        begin = datetime.now(UTC) - timedelta(days=2)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=1 if expired else 30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


@pytest.fixture
def lan(start_daemon: StartDaemon, authority: Authority) -> Daemon:
    """A daemon that serves the LAN too."""
    certificate, key = authority.issue("terminal")
    return start_daemon(
        tls_listen="127.0.0.1:0",
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=authority.file,
        peers=(PeerRule(certificate="his-server"), PeerRule(certificate="lab", client="laboratory")),
    )


def over_tls(
    daemon: Daemon, trusted: Authority, files: tuple[Path, Path] | None, method: str = "GET", **more: Any
) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(trusted.file))
    if files is not None:
        context.load_cert_chain(*files)
    if "version" in more:
        context.minimum_version = context.maximum_version = more.pop("version")
    path = more.pop("path", "/v1/cards")
    with httpx.Client(verify=context, trust_env=False, timeout=30) as client:
        return client.request(method, f"https://127.0.0.1:{daemon.tls_port}{path}", **more)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_a_client(lan: Daemon, authority: Authority, version: ssl.TLSVersion) -> None:
    files = authority.issue("his-server")
    answer = over_tls(
        lan,
        authority,
        files,
        "POST",
        path="/v1/debit",
        version=version,
        json=DEBIT,
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 201
    assert clients(lan) == ["his-server"]


def test_a_certificate_may_have_another_name_in_the_journal(lan: Daemon, authority: Authority) -> None:
    files = authority.issue("lab")
    over_tls(lan, authority, files, "POST", path="/v1/debit", json=DEBIT, headers={"Idempotency-Key": "k"})
    assert clients(lan) == ["laboratory"]


def test_a_certificate_that_no_rule_names_is_nobodys(lan: Daemon, authority: Authority) -> None:
    refused(over_tls(lan, authority, authority.issue("printer")), 401, "client.unauthorised")


def test_without_a_certificate_of_our_authority_nobody_gets_as_far_as_http(
    lan: Daemon, authority: Authority, tmp_path: Path
) -> None:
    own = Authority(tmp_path, "stranger")
    for files in (None, own.issue("his-server"), authority.issue("his-server", expired=True)):
        with pytest.raises(httpx.TransportError):
            over_tls(lan, authority, files, path="/healthz")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{lan.tls_port}/healthz", trust_env=False)
    assert call(lan, None, path="/healthz").status_code == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_an_old_tls_is_not_spoken(lan: Daemon, authority: Authority) -> None:
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        over_tls(lan, authority, authority.issue("his-server"), version=ssl.TLSVersion.TLSv1_1)


def test_a_web_page_cannot_use_the_certificate_of_its_browser(lan: Daemon, authority: Authority) -> None:
    headers = {"Origin": "https://evil.example"}
    refused(over_tls(lan, authority, authority.issue("his-server"), headers=headers), 403, "origin.forbidden")


def test_a_foreign_host_name_is_421_on_the_lan_too(lan: Daemon, authority: Authority) -> None:
    headers = {"Host": "evil.example"}
    refused(over_tls(lan, authority, authority.issue("his-server"), headers=headers), 421, "host.forbidden")


def test_the_lan_is_off_by_default(tmp_path: Path) -> None:
    with listeners(Settings(port=0, socket=None, journal=tmp_path / "journal.db")) as bound:
        assert bound.tls == ()
        assert {listener.getsockname()[0] for listener in bound.plain} <= {"127.0.0.1", "::1"}


def test_half_a_tls_is_no_configuration(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("terminal")
    files: dict[str, Any] = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": authority.file}

    def context(**changes: Any) -> ssl.SSLContext | None:
        return tls_context(Settings(**{"tls_listen": "127.0.0.1:0", **files, **changes}))

    assert context() is not None
    with pytest.raises(ValueError, match="tls_client_ca"):
        context(tls_client_ca=None)
    with pytest.raises(InputInvalid, match="tls_key"):
        context(tls_key=tmp_path / "none")
    with pytest.raises(InputInvalid, match="tls_client_ca"):
        context(tls_client_ca=key)
