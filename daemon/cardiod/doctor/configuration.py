"""Whether the configuration works, for the user of the service as well as for whoever asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509

from cardio.cli.doctor.findings import Finding, Text, fail, failed_with, ok, warn
from cardio.errors import CardioError
from cardio.ledger.ledger import now
from cardiod.doctor.site import Site
from cardiod.secret_files import CREDENTIAL
from cardiod.settings import Settings
from cardiod.trials import open_keys, open_load_host, open_ports, open_tls, open_tokens, serial_ports

NOTICE = timedelta(days=30)
"""How long before its end a certificate should be renewed."""
CORRECT = Text("请修正配置", "correct the configuration; cardiod config check shows what holds")

TRIALS: tuple[tuple[str, Text, Callable[[Settings], None]], ...] = (
    ("config.tls", Text("TLS文件", "files for TLS"), open_tls),
    ("config.tokens", Text("令牌文件", "file of tokens"), open_tokens),
    ("config.keys", Text("加密机和密钥文件", "HSM and keyring"), open_keys),
    ("config.load-host", Text("充值中心", "load host"), open_load_host),
)


def trial(name: str, what: Text, attempt: Callable[[Settings], None], site: Site) -> Finding:
    """Open something that the configuration names."""
    try:
        attempt(site.settings)
    except CardioError as error:
        return failed_with(name, error, CORRECT)
    return ok(name, Text(f"{what.zh}可用或未配置", f"{what.en}: usable, or not configured"))


def trials(site: Site) -> list[Callable[[], Finding]]:
    """A check for everything that the configuration names."""
    return [partial(trial, name, what, attempt, site) for name, what, attempt in TRIALS]


def files_for_the_service(site: Site) -> Finding:
    """Whether the service's user can read what the configuration names: root, who asks, can read everything."""
    name = "config.files"
    closed = [file for file in _files(site.settings) if site.may(file, os.R_OK) is False]
    if closed:
        return fail(
            name,
            Text("服务用户无法读取：", "the service's user cannot read:") + ", ".join(map(str, closed)),
            Text(
                f"chown {site.user_name}: 文件；上级目录须可进入",
                f"chown {site.user_name}: FILE; the folders above must let it in",
            ),
        )
    return ok(name, Text("配置中的文件可读", "the service's user can read the files of the configuration"))


def _files(settings: Settings) -> list[Path]:
    """Files that are read while the service runs; credentials are systemd's."""
    named = [settings.tls_certificate, settings.tls_key, settings.tls_client_ca]
    if settings.hsm is not None:
        named += [settings.hsm.module, Path(settings.hsm.pin_file)]
    keyrings = [settings.keyring, None if settings.load_host is None else settings.load_host.keyring]
    for keyring in keyrings:
        if keyring is not None:
            named += [keyring.file, Path(keyring.passphrase_file)]
    return [file for file in (*named, *settings.profiles) if file and not str(file).startswith(CREDENTIAL)]


def certificate(site: Site) -> Finding:
    """How long the certificate for the LAN is valid."""
    name, file = "tls.certificate", site.settings.tls_certificate
    if not site.settings.tls_listen or file is None:
        return ok(name, Text("局域网未开放", "nothing listens on the LAN"))
    try:
        ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return fail(name, Text("证书无法读取", "the certificate cannot be read") + str(file), CORRECT)
    return _validity(name, ends)


def _validity(name: str, ends: datetime) -> Finding:
    day = f"{ends:%Y-%m-%d}"
    renew = Text("请更换证书", "renew it: tls_certificate, tls_key; then restart the service")
    if ends <= now():
        return fail(name, Text(f"证书已于{day}过期", f"the certificate expired on {day}"), renew)
    if ends <= now() + NOTICE:
        return warn(name, Text(f"证书将于{day}过期", f"the certificate expires on {day}"), renew)
    return ok(name, Text(f"证书有效期至{day}", f"the certificate is valid until {day}"))


def ports(site: Site) -> Finding:
    """Whether the serial ports are there, and may be used by the service."""
    name = "serial.ports"
    known = serial_ports(site.settings)
    if not known:
        return ok(name, Text("未配置串口", "no serial ports are configured"))
    try:
        open_ports(site.settings)
    except CardioError as error:
        look = Text("检查接线和udev规则70-cardio.rules", "check the cable, and udev's 70-cardio.rules")
        return failed_with(name, error, look)
    closed = [port for port in known if site.may(port, os.R_OK | os.W_OK) is False]
    if closed:
        return fail(
            name,
            Text("服务用户无法使用：", "the service's user may not use:") + ", ".join(map(str, closed)),
            Text(
                "按70-cardio.rules中的说明为端口命名，或将用户加入dialout组",
                "name the port as 70-cardio.rules says, or put the user into the group dialout",
            ),
        )
    return ok(name, Text("串口可用：", "serial ports:") + ", ".join(map(str, known)))
