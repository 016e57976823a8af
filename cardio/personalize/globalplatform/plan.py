"""The plan of a JavaCard, from the transport keys to SECURED (PERS §2.5).

Everything before PUT KEY can be repeated: the load file is deleted, with the applications that were made from it, and
all is done anew. PUT KEY and the life cycle are in the register before they are sent. After an interruption the card is
asked which keys it has, by INITIALIZE UPDATE: its key version and cryptogram tell, and no try is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from cardio.apdu.globalplatform import CardState
from cardio.applications.pin import encode_pin
from cardio.errors import CardNotBlank, LayoutInvalid
from cardio.personalize.attempts import Presented
from cardio.personalize.globalplatform.applet_keys import AppletKeys
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.commands import Installation
from cardio.personalize.globalplatform.dgi import Dgi, DgiProtection
from cardio.personalize.globalplatform.driver import JavaCardDriver
from cardio.personalize.globalplatform.layout import AppletLayout, GroupingLayout, JavaCardLayout, load_file_of
from cardio.personalize.globalplatform.reading_back import JavaCardReadingBack
from cardio.personalize.steps import CardContent, CardPlan, Finding, Phase, Step

DOMAIN = "ISD"
"""Place of what is done to the card as a whole."""


class JavaCardPlan(CardPlan):
    """The plan of one JavaCard.

    Args:
        layout: Its load files, applets and keys.
        load_files: CAP files of its packages, in the same order.
        content: What it holds.
        applet_keys: Keys of its applications.
        driver: The card.

    Raises:
        LayoutInvalid: A grouping that is sent encrypted without padding has no whole blocks.
    """

    def __init__(
        self,
        layout: JavaCardLayout,
        load_files: tuple[CapFile, ...],
        content: CardContent,
        applet_keys: AppletKeys,
        driver: JavaCardDriver,
    ) -> None:
        self._layout = layout
        self._load_files = load_files
        self._content = content
        self._applet_keys = applet_keys
        self._driver = driver
        self._told = {applet.label: list(self._without_keys(applet)) for applet in layout.applets}

    # ---- what every plan has ---------------------------------------------------------------------------------

    @property
    def last_key(self) -> str:
        """The card's own key set."""
        own = self._layout.own
        return f"{DOMAIN}/" + "+".join(dict.fromkeys((own.enc, own.mac, own.dek)))

    def check_blank(self) -> None:
        """Whether one of the applications can be selected."""
        for applet in self._layout.applets:
            if self._driver.holds(applet.instance):
                raise CardNotBlank(f"it holds {applet.label}")

    def whole(self) -> Iterator[Step]:
        """All of it, on a blank card."""
        yield self._domain(
            Phase.TAKE_OVER,
            "以运输密钥建立安全通道",
            "open a channel with the transport keys",
            self._driver.open_transport,
        )
        yield from self._until_own_keys()
        yield self._open_own()
        yield from self._with_own_keys()

    def remaining(
        self,
        keys: Mapping[str, bool],
        presented: Mapping[str, Presented],  # noqa: ARG002 - the card proves itself first: no try is spent
        *,
        closed: bool,
    ) -> Iterator[Step]:
        """All of it, unless the card may have got its own keys; then the card says whether it has."""
        if closed:
            return
        if self.last_key not in keys:
            yield from self.whole()
        elif keys[self.last_key]:
            yield self._open_own()
            yield from self._with_own_keys()
        else:
            yield from self._ask()

    def prove(self) -> None:
        """Open a channel with the card's own keys, in which both ends prove them."""
        self._driver.open_own()

    def findings(self) -> Iterator[Finding]:
        """Key sets, life cycle, load files, applications, and what these tell of their data."""
        back = JavaCardReadingBack(self._layout, self._load_files, self._told, self._driver)
        yield from back.findings()

    # ---- parts -----------------------------------------------------------------------------------------------

    def _ask(self) -> Iterator[Step]:
        """Which keys the card has, told by itself; everything is done anew if they are still those of a blank card."""
        has_own = False

        def ask() -> None:
            nonlocal has_own
            has_own = self._driver.open_either()

        yield self._domain(Phase.CLOSE, "询问卡片持有的密钥", "ask the card which keys it has", ask)
        if not has_own:
            yield from self._until_own_keys()
            yield self._open_own()
        yield from self._with_own_keys()

    def _until_own_keys(self) -> Iterator[Step]:
        """What is done through a channel with the transport keys."""
        driver = self._driver
        for file in reversed(self._load_files):
            aid = file.package.hex().upper()
            yield self._domain(
                Phase.TAKE_OVER, f"删除旧装载文件{aid}", f"delete the old load file {aid}, if there is one",
                partial(driver.delete_old, file.package),
            )  # fmt: skip
        for file in self._load_files:
            aid, size = file.package.hex().upper(), len(file.load_file())
            yield self._domain(
                Phase.STRUCTURE, f"装载{aid}，{size}字节", f"load {aid}, {size} bytes", partial(self._load, file)
            )
        for applet in self._layout.applets:
            yield self._install(applet)
        for applet in self._layout.applets:
            yield from self._store(applet)
        yield Step(
            Phase.CLOSE, DOMAIN, f"写入卡片自有密钥组{self._layout.own.version:02X}",
            f"put the card's own key set {self._layout.own.version:02X}", driver.put_own_keys,
            key=self.last_key, kcv=driver.own_check_values,
        )  # fmt: skip

    def _with_own_keys(self) -> Iterator[Step]:
        """What is done through a channel with the card's own keys; each step looks whether it is done already."""
        version = self._layout.transport.version
        yield self._domain(
            Phase.CLOSE, f"删除残留的运输密钥组{version:02X}",
            f"delete the transport key set {version:02X}, if it is still there", self._driver.delete_transport,
        )  # fmt: skip
        for state in (CardState.INITIALIZED, CardState.SECURED):
            if state <= self._layout.life_cycle:
                yield Step(
                    Phase.CLOSE, DOMAIN, f"卡片生命周期置为{state.name}", f"move the card's life cycle to {state.name}",
                    partial(self._driver.advance, state), life_cycle=state.name,
                )  # fmt: skip

    def _open_own(self) -> Step:
        return self._domain(
            Phase.CLOSE, "以卡片自有密钥建立安全通道", "open a channel with the card's own keys", self._driver.open_own
        )

    def _load(self, file: CapFile) -> None:
        self._driver.manager.load(file)

    def _install(self, applet: AppletLayout) -> Step:
        load_file = load_file_of(applet, self._load_files).package
        made = Installation(load_file, applet.module, applet.instance, applet.privileges, applet.parameters)
        aid = applet.instance.hex().upper()
        return Step(
            Phase.STRUCTURE, applet.label, f"安装应用{aid}", f"install the application {aid}",
            partial(self._driver.install, made),
        )  # fmt: skip

    def _store(self, applet: AppletLayout) -> Iterator[Step]:
        names = [name for grouping in applet.data for name in grouping.keys]
        count = len(self._told[applet.label]) + sum(bool(grouping.keys) for grouping in applet.data)
        if not count:
            return
        yield Step(
            Phase.CONTENT, applet.label, f"写入{count}个数据组",
            f"store {count} data grouping{'s' if count > 1 else ''}",
            partial(self._send, applet), key=f"{applet.label}/{'+'.join(names)}" if names else None,
            kcv=partial(self._applet_keys.check_values, names) if names else None,
        )  # fmt: skip

    def _send(self, applet: AppletLayout) -> None:
        """Groupings in the layout's order; keys get their values here, for no longer than it takes to send them."""
        told = {dgi.identifier: dgi for dgi in self._told[applet.label]}
        keys = {
            grouping.dgi: Dgi(grouping.dgi, self._applet_keys.values(grouping.keys), grouping.protection)
            for grouping in applet.data
            if grouping.keys
        }
        both = told | keys
        self._driver.store(applet.instance, [both[one.dgi] for one in applet.data if one.dgi in both])

    def _without_keys(self, applet: AppletLayout) -> Iterator[Dgi]:
        """The groupings that have content, but for keys."""
        block = self._layout.protocol.block
        for grouping in applet.data:
            value = self._value(grouping)
            if value is None:
                continue
            if grouping.protection is DgiProtection.ENCRYPTED and len(value) % block:
                raise LayoutInvalid(f"{applet.label}/{grouping.dgi:04X}: {len(value)} bytes are no blocks of {block}")
            yield Dgi(grouping.dgi, value, grouping.protection)

    def _value(self, grouping: GroupingLayout) -> bytes | None:
        if grouping.pin:
            return None if self._content.pin is None else encode_pin(self._content.pin)
        if grouping.place is None:
            return grouping.constant
        records: Sequence[bytes] = self._content.files.get(grouping.place, ())
        return b"".join(records) or None

    @staticmethod
    def _domain(phase: Phase, zh: str, en: str, act: Callable[[], object]) -> Step:
        return Step(phase, DOMAIN, zh, en, act)
