"""What the configuration names: unusable, closed to the service, or running out."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cardio.cli.doctor.findings import Outcome, examine
from cardio.ledger.ledger import now
from cardiod.doctor import account, configuration
from cardiod.sections import DisplaySection, KeyringSection
from tests.daemon.doctor.conftest import MakeSite
from tests.privileges import NEEDS_ROOT
from tests.transport.serial_box import Far


def certificate(folder: Path, days: float) -> Path:
    """A certificate that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "till")])
    ends = now() + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(ends - timedelta(days=400)).not_valid_after(ends).sign(key, SHA256())
    file = folder / "tls.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    return file


def tls(file: Path) -> dict[str, object]:
    return {"tls_listen": "127.0.0.1:0", "tls_certificate": file, "tls_key": file, "tls_client_ca": file}


@pytest.mark.parametrize(("days", "outcome"), [(-1, Outcome.FAIL), (10, Outcome.WARN), (60, Outcome.OK)])
def test_a_certificate_is_told_before_it_ends(site: MakeSite, tmp_path: Path, days: float, outcome: Outcome) -> None:
    assert configuration.certificate(site(**tls(certificate(tmp_path, days)))).outcome is outcome


def test_what_is_no_certificate_fails(site: MakeSite, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no certificate")
    assert configuration.certificate(site(**tls(tmp_path / "x"))).outcome is Outcome.FAIL
    assert configuration.certificate(site(**tls(tmp_path / "none"))).outcome is Outcome.FAIL


def test_without_the_lan_there_is_no_certificate(site: MakeSite) -> None:
    assert configuration.certificate(site()).outcome is Outcome.OK


def test_each_thing_that_cannot_be_opened_fails_by_itself(site: MakeSite, tmp_path: Path) -> None:
    keyring = KeyringSection(file=tmp_path / "none", passphrase_file=str(tmp_path / "none"))
    made = site(keyring=keyring, **tls(tmp_path / "none"))
    found = {one.name: one for one in examine(configuration.trials(made))}
    assert [name for name, one in found.items() if one.outcome is Outcome.FAIL] == ["config.tls", "config.keys"]
    assert all(one.outcome is Outcome.OK for one in examine(configuration.trials(site())))


@NEEDS_ROOT
def test_a_file_that_only_root_can_read_fails(site: MakeSite, tmp_path: Path) -> None:
    file = certificate(tmp_path, 60)
    found = configuration.files_for_the_service(site("nobody", **tls(file)))
    assert found.outcome is Outcome.FAIL
    assert str(file) in found.text.en
    assert configuration.files_for_the_service(site("root", **tls(file))).outcome is Outcome.OK


def test_a_credential_of_systemd_is_systemds_to_open(site: MakeSite) -> None:
    keyring = KeyringSection(file=Path("/etc/hostname"), passphrase_file="credential:words")
    assert configuration.files_for_the_service(site(keyring=keyring)).outcome is Outcome.OK


def test_serial_ports_are_looked_for(site: MakeSite, tmp_path: Path) -> None:
    assert configuration.ports(site()).outcome is Outcome.OK
    assert configuration.ports(site(display=DisplaySection(port=tmp_path / "none"))).outcome is Outcome.FAIL
    with closing(Far()) as display:
        assert configuration.ports(site(display=DisplaySection(port=Path(display.device)))).outcome is Outcome.OK


@NEEDS_ROOT
def test_a_port_that_only_root_may_use_fails(site: MakeSite) -> None:
    with closing(Far()) as display:
        Path(display.device).chmod(0o600)
        found = configuration.ports(site("nobody", display=DisplaySection(port=Path(display.device))))
        assert found.outcome is Outcome.FAIL
        assert display.device in found.text.en


# ---- the user ----------------------------------------------------------------------------------------------------


def test_a_user_or_a_group_that_does_not_exist_fails(site: MakeSite) -> None:
    missing = account.account(site("nobody-of-that-name"))
    assert (missing.outcome, "systemd-sysusers" in (missing.remedy or missing.text).en) == (Outcome.FAIL, True)
    assert account.account(site("root", socket_group="no-group-of-that-name")).outcome is Outcome.FAIL
    assert account.account(site("root", socket_group="root")).outcome is Outcome.OK
