"""Commands of JavaCards (PERS §2.1, §2.5). Their data are under the protection of a channel and stay closed."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.globalplatform import CardState, Scope
from cardio.apdu.globalplatform_status import CONTENT, EXTERNAL_AUTHENTICATE, INITIALIZE_UPDATE, PUT_KEY
from cardio.apdu.status import Outcomes
from cardio.cli.trace.explanation import Phrase, Secrecy, simple
from cardio.cli.trace.findings import Findings, Seen

SCOPES = {
    Scope.ISSUER_SECURITY_DOMAIN: Phrase("发卡方安全域", "issuer security domain"),
    Scope.APPLICATIONS: Phrase("应用", "applications"),
    Scope.LOAD_FILES: Phrase("装载文件", "load files"),
    Scope.LOAD_FILES_AND_MODULES: Phrase("装载文件及模块", "load files with modules"),
}
INSTALLS = {
    0x02: Phrase("准备装载", "for load"),
    0x0C: Phrase("安装并可选", "for install and make selectable"),
    0x20: Phrase("准备个人化", "for personalization"),
}


@dataclass(frozen=True)
class Management:
    """A command of which its name is told and no data.

    Attributes:
        name: Name in the standard.
        title: The same in two languages.
        outcomes: Meaning of the status words.
        request: Who may see the command data.
    """

    name: str
    title: Phrase
    outcomes: Outcomes = CONTENT
    request: Secrecy = Secrecy.PERSONAL

    def __call__(self, _: Seen) -> Findings:
        """Explain a command of this kind."""
        return Findings(self.name, self.title, outcomes=self.outcomes, request=self.request)


external_authenticate = Management(
    "EXTERNAL AUTHENTICATE", Phrase("安全通道外部认证", "open the secure channel"), EXTERNAL_AUTHENTICATE
)
delete = Management("DELETE", Phrase("删除", "delete"))
load = Management("LOAD", Phrase("装载", "load"))
store_data = Management("STORE DATA", Phrase("写入数据组", "store data groupings"))
put_key = Management("PUT KEY", Phrase("写入密钥组", "put a key set"), PUT_KEY, Secrecy.SECRET)


def initialize_update(seen: Seen) -> Findings:
    """INITIALIZE UPDATE (80 50), with the key version that is asked for."""
    found = Findings(
        "INITIALIZE UPDATE", Phrase("安全通道初始化", "begin a secure channel"), outcomes=INITIALIZE_UPDATE
    )
    found.parameters.append(simple("version", "密钥版本", "key version", f"{seen.header[2]:02X}"))
    return found


def install(seen: Seen) -> Findings:
    """INSTALL (80 E6)."""
    found = Findings("INSTALL", Phrase("安装", "install"), outcomes=CONTENT)
    kind = INSTALLS.get(seen.header[2])
    found.parameters.append(simple("kind", "类别", "kind", kind or f"{seen.header[2]:02X}"))
    return found


def get_status(seen: Seen) -> Findings:
    """GET STATUS (80 F2)."""
    found = Findings("GET STATUS", Phrase("读注册表", "read the registry"), outcomes=CONTENT)
    scope = SCOPES.get(Scope(seen.header[2])) if seen.header[2] in list(Scope) else None
    found.parameters.append(simple("scope", "范围", "scope", scope or f"{seen.header[2]:02X}"))
    return found


def set_status(seen: Seen) -> Findings:
    """SET STATUS (80 F0): of the card by name, of an application by its byte."""
    _, _, p1, p2 = seen.header
    found = Findings("SET STATUS", Phrase("设置生命周期", "set the life cycle"), outcomes=CONTENT)
    card = p1 == Scope.ISSUER_SECURITY_DOMAIN and p2 in list(CardState)
    found.parameters.append(simple("state", "状态", "state", CardState(p2).name if card else f"{p2:02X}"))
    return found


def get_data(seen: Seen) -> Findings:
    """GET DATA (80 CA) of a tag."""
    found = Findings("GET DATA", Phrase("取数据", "get data"), outcomes=CONTENT)
    found.parameters.append(simple("tag", "标签", "tag", f"{seen.header[2]:02X}{seen.header[3]:02X}"))
    return found
