"""Reads a finished JavaCard back: keys, life cycle, registry, and the data that its applets tell (PERS §2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cardio.apdu.command import select_name
from cardio.apdu.globalplatform import Scope
from cardio.crypto.globalplatform.keys import KeyIdentifier
from cardio.errors import CardioError, ReaderError
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.commands import get_data
from cardio.personalize.globalplatform.dgi import Dgi
from cardio.personalize.globalplatform.driver import JavaCardDriver
from cardio.personalize.globalplatform.layout import AppletLayout, JavaCardLayout
from cardio.personalize.steps import Finding


class JavaCardReadingBack:
    """Reads one card that a plan has made.

    Args:
        layout: The card's layout.
        load_files: Its CAP files.
        groupings: What its applets got, by their labels.
        driver: The card.
    """

    def __init__(
        self,
        layout: JavaCardLayout,
        load_files: tuple[CapFile, ...],
        groupings: Mapping[str, Sequence[Dgi]],
        driver: JavaCardDriver,
    ) -> None:
        self._layout = layout
        self._load_files = load_files
        self._groupings = groupings
        self._driver = driver

    def findings(self) -> Iterator[Finding]:
        """Through a channel with the card's own keys first, then from each application itself."""
        self._driver.open_own()
        yield self._keys()
        state, wanted = self._driver.state(), self._layout.life_cycle
        yield Finding("ISD/life-cycle", "" if state == wanted else f"{state:02X}, not {wanted:02X}")
        for file in self._load_files:
            yield self._load_file(file)
        for applet in self._layout.applets:
            yield self._application(applet)
        for applet in self._layout.applets:
            yield from self._data(applet)

    def _keys(self) -> Finding:
        told = self._driver.manager.key_information()
        own, transport = self._layout.own.version, self._layout.transport.version
        kind = self._layout.protocol.key_type
        found = {key.identifier for key in told if key.version == own and key.type == kind}
        if not found >= set(KeyIdentifier):
            return Finding("ISD/keys", f"the key set {own:02X} is not there")
        if own != transport and any(key.version == transport for key in told):
            return Finding("ISD/keys", f"the transport key set {transport:02X} is still there")
        return Finding("ISD/keys")

    def _load_file(self, file: CapFile) -> Finding:
        name = f"ISD/{file.package.hex().upper()}"
        found = self._driver.manager.registry(Scope.LOAD_FILES, file.package)
        return Finding(name, "" if any(one.aid == file.package for one in found) else "the load file is not there")

    def _application(self, applet: AppletLayout) -> Finding:
        name = f"ISD/{applet.label}"
        found = self._driver.manager.registry(Scope.APPLICATIONS, applet.instance)
        entry = next((one for one in found if one.aid == applet.instance), None)
        if entry is None:
            return Finding(name, "the application is not there")
        if entry.locked:
            return Finding(name, "the application is locked")
        wrong = entry.privileges != applet.privileges
        return Finding(name, f"privileges {entry.privileges:06X}" if wrong else "")

    def _data(self, applet: AppletLayout) -> Iterator[Finding]:
        groupings = self._groupings[applet.label]
        if groupings:
            self._driver.card.call(select_name(applet.instance))
        readable = {one.dgi for one in applet.data if one.readable}
        for grouping in groupings:
            name = f"{applet.label}/{grouping.identifier:04X}"
            if grouping.identifier in readable:
                yield self._grouping(name, grouping)
            else:
                yield Finding(name, "unread: the application does not tell it")

    def _grouping(self, name: str, grouping: Dgi) -> Finding:
        try:
            told = self._driver.card.call(get_data(grouping.identifier))
        except ReaderError:
            raise
        except CardioError as error:
            return Finding(name, f"unread: {error.code}")
        return Finding(name, "" if told == grouping.value else "differs")
