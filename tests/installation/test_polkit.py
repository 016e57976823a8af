"""The rule that lets the service use readers, judged by the real polkitd (PERS §4.6)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.daemon.processes import CARDIOD
from tests.installation.machine import ROOT
from tests.privileges import NEEDS_ROOT

pytestmark = NEEDS_ROOT

RULE = ROOT / "daemon" / "polkit" / "50-cardio.rules"
PCSC, CARD, OTHER = "org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card", "org.cardio.tests.other"

# As pcsc-lite ships its two actions (doc/org.debian.pcsc-lite.policy), and one that has nothing to do with them.
ACTION = """
 <action id="{}"><description>a test</description><message>a test</message>
  <defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active></defaults>
 </action>"""
POLICY = f"""<?xml version="1.0" encoding="UTF-8"?>
<policyconfig>{"".join(ACTION.format(name) for name in (PCSC, CARD, OTHER))}
</policyconfig>
"""
BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default">
 <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
</policy>
</busconfig>
"""


@dataclass
class Judgement:
    """What polkitd said.

    Attributes:
        allowed: Users with the actions that they may do.
        log: Its log.
        doctor: Outcome of the check of `cardiod doctor`, which asks it, too.
    """

    allowed: set[tuple[str, str]]
    log: str
    doctor: str


def judge(folder: Path, rules: str) -> Judgement:
    """Ask polkitd about both users and all actions."""
    for name in ("rules", "actions"):
        (folder / name).mkdir()
    (folder / "rules" / RULE.name).write_text(rules, encoding="utf-8")
    (folder / "actions" / "org.debian.pcsc-lite.policy").write_text(POLICY, encoding="utf-8")
    (folder / "bus.conf").write_text(BUS, encoding="utf-8")
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    script = ["sh", str(Path(__file__).with_name("polkit.sh")), str(folder), f"{PCSC} {CARD} {OTHER}", str(CARDIOD)]
    done = subprocess.run([*namespaces, *script], capture_output=True, text=True, check=False, timeout=60)
    log = (folder / "polkitd.log").read_text(errors="replace")
    assert done.returncode == 0, done.stderr + log
    asked, _, report = done.stdout.partition("{")
    answers = [line.split() for line in asked.splitlines()]
    assert len(answers) == 6
    assert {code for _, _, code in answers} <= {"0", "1"}
    (found,) = (one for one in json.loads("{" + report)["checks"] if one["name"] == "polkit")
    return Judgement({(user, action) for user, action, code in answers if code == "0"}, log, found["outcome"])


def test_the_services_user_may_use_readers_and_cards_and_nothing_else_and_nobody_else_may(tmp_path: Path) -> None:
    judged = judge(tmp_path, RULE.read_text(encoding="utf-8"))
    assert judged.allowed == {("cardio", PCSC), ("cardio", CARD)}
    assert judged.doctor == "ok"
    assert "Finished loading, compiling and executing 1 rules" in judged.log
    assert "rror" not in judged.log.replace("Error getting login monitor", "")


@pytest.mark.parametrize(
    ("rules", "said"), [("", "executing 1 rules"), ("polkit.addRule(function (", "Error compiling")]
)
def test_without_a_rule_that_works_the_service_may_nothing(tmp_path: Path, rules: str, said: str) -> None:
    judged = judge(tmp_path, rules)
    assert judged.allowed == set()
    assert judged.doctor == "fail"
    assert said in judged.log
