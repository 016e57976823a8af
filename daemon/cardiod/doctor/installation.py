"""The files that make a service of the program: units, udev rules, the rule for polkit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cardio.cli.doctor.checks import pcscd_features
from cardio.cli.doctor.findings import Finding, Text, fail, ok, warn
from cardiod.doctor.site import Site, run

UNIT = "cardiod.service"
UNIT_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
UDEV_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
POLKIT_FOLDERS = ("etc/polkit-1/rules.d", "usr/share/polkit-1/rules.d")
UDEV_RULES = ("70-cardio.rules", "93-cardio.rules")
POLKIT_RULE = "50-cardio.rules"
POLKIT_ACTIONS = ("org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card")
POLICY = ("org.debian.pcsc-lite.policy", "usr/share/polkit-1/actions")


def shipped(kind: str, name: str) -> Path:
    """Where a file that is to be installed lies: beside the program, or in its sources."""
    installed = Path(sys.prefix) / "share" / "cardio" / kind / name
    sources = Path(__file__).parents[3]
    return installed if installed.is_file() else sources / ("udev" if kind == "udev" else f"daemon/{kind}") / name


def udev_rules(site: Site) -> Finding:
    """Whether the rules are installed, and are those of this version."""
    name = "udev.rules"
    found = {rule: site.installed(rule, *UDEV_FOLDERS) for rule in UDEV_RULES}
    missing = [rule for rule, file in found.items() if file is None]
    install = Text(
        f"cp {shipped('udev', '*.rules')} /etc/udev/rules.d/; udevadm control --reload; udevadm trigger",
        f"cp {shipped('udev', '*.rules')} /etc/udev/rules.d/; udevadm control --reload; udevadm trigger",
    )
    if missing:
        return warn(name, Text("未安装udev规则：", "udev rules are not installed:") + ", ".join(missing), install)
    other = [str(file) for rule, file in found.items() if file and not _same(file, shipped("udev", rule))]
    if other:
        text = Text("udev规则与本版本不同：", "udev rules differ from this version's:")
        return warn(name, text + ", ".join(other), install)
    return ok(name, Text("udev规则已安装", "the udev rules are installed"))


def unit(site: Site) -> Finding:
    """Whether the unit is installed, and systemd has nothing to say about it."""
    name, file = "systemd.unit", site.installed(UNIT, *UNIT_FOLDERS)
    if file is None:
        return warn(
            name,
            Text("未安装systemd单元", "the systemd unit is not installed"),
            Text(
                f"cp {shipped('systemd', 'cardiod.*')} /etc/systemd/system/; systemctl daemon-reload",
                f"cp {shipped('systemd', 'cardiod.*')} /etc/systemd/system/; systemctl daemon-reload",
            ),
        )
    done = run("systemd-analyze", "verify", "--man=no", str(file))
    if done is None:
        return warn(
            name,
            Text("没有systemd-analyze，未检查单元", "the unit was not checked: there is no systemd-analyze"),
            Text("apt-get install systemd", "apt-get install systemd"),
        )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "cardiod" in line]
    if said:
        return fail(
            name,
            Text("systemd指出单元有误：", "systemd finds fault with the unit:") + "; ".join(said),
            Text(f"修正{file}", f"correct {file}"),
        )
    return ok(name, Text("systemd单元已安装且无误", "the systemd unit is installed and correct"))


def enabled(site: Site) -> Finding:
    """Whether the service is started with the computer."""
    name = "systemd.enabled"
    remedy = Text(
        "systemctl enable --now cardiod.socket cardiod.service", "systemctl enable --now cardiod.socket cardiod.service"
    )
    if not (site.root / "run/systemd/system").is_dir():
        text = Text("本机未由systemd启动", "this computer was not started by systemd")
        return warn(name, text, Text("须以其他方式启动cardiod serve", "start cardiod serve in another way"))
    states = {unit: _state(unit) for unit in ("cardiod.socket", UNIT)}
    if set(states.values()) != {"enabled"}:
        shown = ", ".join(f"{unit} {state}" for unit, state in states.items())
        return warn(name, Text("服务不会随系统启动：", "the service is not started with the computer:") + shown, remedy)
    return ok(name, Text("服务随系统启动", "the service is started with the computer"))


def polkit(site: Site) -> Finding:
    """Whether pcscd's polkit lets the service in, where pcscd asks it (PERS §4.6)."""
    name = "polkit"
    policy, folder = POLICY
    if "polkit" not in pcscd_features() and site.installed(policy, folder) is None:
        return ok(name, Text("此pcscd不使用polkit", "this pcscd asks no polkit"))
    install = Text(
        f"cp {shipped('polkit', POLKIT_RULE)} /etc/polkit-1/rules.d/",
        f"cp {shipped('polkit', POLKIT_RULE)} /etc/polkit-1/rules.d/",
    )
    allowed = _allowed(site)
    if allowed is None:
        # The folder of the rules is closed to everybody but polkitd: only root sees whether the rule is there.
        if site.installed(POLKIT_RULE, *POLKIT_FOLDERS) is None:
            return warn(name, Text("未见polkit规则", "no polkit rule is to be seen"), install)
        return ok(name, Text("polkit规则已安装", "the polkit rule is installed"))
    refused = [action for action, yes in allowed.items() if not yes]
    if refused:
        text = Text("polkit拒绝服务用户使用读卡器：", "polkit keeps the service's user from readers:")
        return fail(name, text + ", ".join(refused), install)
    return ok(name, Text("polkit允许服务用户使用读卡器", "polkit lets the service's user use readers"))


def _allowed(site: Site) -> dict[str, bool] | None:
    """Polkit's answer about a process of the service's user; None if it cannot be asked by us."""
    user = site.user
    if user is None or run("pkcheck", "--version") is None:
        return None
    try:
        process = subprocess.Popen(["sleep", "60"], user=user.uid, group=user.gid, extra_groups=user.groups)  # noqa: S607
    except PermissionError:
        return None
    try:
        answers = {one: run("pkcheck", "--action-id", one, "--process", str(process.pid)) for one in POLKIT_ACTIONS}
    finally:
        process.kill()
        process.wait()
    # 0 allowed, 1 to 3 not; anything else says that nobody answered.
    if any(done is None or done.returncode not in range(4) for done in answers.values()):
        return None
    return {action: done is not None and done.returncode == 0 for action, done in answers.items()}


def _state(unit: str) -> str:
    done = run("systemctl", "is-enabled", unit)
    return "?" if done is None else done.stdout.strip() or "not-found"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False
