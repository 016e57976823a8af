"""The issuer security domain of a virtual JavaCard: content management (PERS §2.5).

Sources leave open with which status word a card refuses an AID that is there already: here a load file is 6985, an
application 6A80 (PROJECT CHOICE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cardio.apdu.globalplatform import CardState, Privilege, Scope
from cardio.crypto.globalplatform.keys import KeyType
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.virtual.chip import OK, Chip
from cardio.virtual.globalplatform_applet import Factory
from cardio.virtual.globalplatform_channel import CardChannel
from cardio.virtual.globalplatform_data import CardObjects
from cardio.virtual.globalplatform_fields import fields, need_aid, objects, value_of
from cardio.virtual.globalplatform_keys import put_key
from cardio.virtual.globalplatform_loading import Loading
from cardio.virtual.globalplatform_registry import Application, Registry
from cardio.virtual.globalplatform_storing import Storing
from cardio.virtual.received import Received, Status

INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE = (0x80, 0x50), (0x84, 0x82)
GET_DATA, SET_STATUS, LOAD, STORE_DATA = 0xCA, 0xF0, 0xE8, 0xE2
FOR_LOAD, FOR_INSTALL, FOR_PERSONALIZATION = 0x02, 0x0C, 0x20
PAGE = 223
"""Bytes of registry in one answer, which leave room for padding and MAC."""
WITH_RELATED = 0x80
LOCK = 0x80
MORE_DATA = 0x6310
NOTHING_MORE = b"\x00"
"""Answer of commands that have a receipt where there is delegated management."""
NEXT_STATES = {
    # PROJECT CHOICE: no source says whether a card may skip a state; a strict one does not let it.
    CardState.OP_READY: {CardState.INITIALIZED},
    CardState.INITIALIZED: {CardState.SECURED},
    CardState.SECURED: {CardState.CARD_LOCKED},
    CardState.CARD_LOCKED: {CardState.SECURED},
}


class SecurityDomain:
    """The issuer security domain.

    Args:
        chip: The card.
        registry: What is on it.
        channel: Its secure channel.
        key_type: Algorithm of its keys.
        factory: Makes the instances of all applets.
        serial: Serial number of the card.
    """

    def __init__(
        self, chip: Chip, registry: Registry, channel: CardChannel, key_type: KeyType, factory: Factory, serial: int
    ) -> None:
        self._chip = chip
        self._registry = registry
        self._channel = channel
        self._key_type = key_type
        self._factory = factory
        self._objects = CardObjects(registry, channel, serial)
        self.reset()

    def reset(self) -> None:
        """End the channel and whatever was begun through it."""
        self._channel.reset()
        self._forget()

    def _forget(self) -> None:
        self._loading: Loading | None = None
        self._storing: Storing | None = None
        self._pages: list[bytes] = []

    def execute(self, command: Received) -> bytes:
        """Answer data of a command.

        Raises:
            Status: The command fails, or GET STATUS has more to tell.
        """
        if command.instruction == INITIALIZE_UPDATE:
            self._forget()
            return self._channel.initialize_update(command)
        if command.instruction == EXTERNAL_AUTHENTICATE:
            self._channel.external_authenticate(command)
            return b""
        try:
            data, sw = self._handle(self._channel.unprotect(command)), OK
        except Status as status:
            data, sw = status.data, status.sw
        data = self._channel.seal(data, sw)
        if sw != OK:
            raise Status(sw, data)
        return data

    def _handle(self, command: Received) -> bytes:
        if command.cla != 0x80:
            raise Status(0x6E00)
        if command.ins == GET_DATA:
            return self._objects.get(command)
        handlers: dict[int, Callable[[Received], bytes]] = {
            0xE4: self._delete,
            0xE6: self._install,
            LOAD: self._load,
            0xD8: self._put_key,
            STORE_DATA: self._store_data,
            0xF2: self._get_status,
            SET_STATUS: self._set_status,
        }
        handler = handlers.get(command.ins)
        if handler is None:
            raise Status(0x6D00)
        self._need_rights(command)
        if command.ins != LOAD:
            self._loading = None
        if command.ins != STORE_DATA:
            self._storing = None
        return handler(command)

    def _need_rights(self, command: Received) -> None:
        """An open channel, from SECURED on one with MACs; a locked card only lets itself be unlocked."""
        state = self._registry.state
        level = self._channel.level
        managed = state in {CardState.OP_READY, CardState.INITIALIZED}
        if level is None or not (managed or level & SecurityLevel.C_MAC):
            raise Status(0x6982)
        if state is CardState.CARD_LOCKED and command.ins != SET_STATUS:
            raise Status(0x6985)

    # ---- applications ----------------------------------------------------------------------------------------

    def _install(self, command: Received) -> bytes:
        if command.p2:
            raise Status(0x6A86)
        if command.p1 == FOR_LOAD:
            self._begin_loading(*fields(command.data, 5))
        elif command.p1 == FOR_INSTALL:
            self._make(*fields(command.data, 6))
        elif command.p1 == FOR_PERSONALIZATION:
            self._begin_personalization(*fields(command.data, 6))
        else:
            raise Status(0x6A86)
        return NOTHING_MORE

    def _begin_loading(self, load_file: bytes, domain: bytes, digest: bytes, parameters: bytes, token: bytes) -> None:
        need_aid(load_file)
        if domain not in {b"", self._registry.security_domain}:
            raise Status(0x6A88)
        objects(parameters)
        if digest or token:
            raise Status(0x6A80)
        if self._registry.knows(load_file):
            raise Status(0x6985)
        self._loading = Loading(load_file, self._registry.free)

    def _load(self, command: Received) -> bytes:
        loading, self._loading = self._loading, None
        if loading is None:
            raise Status(0x6985)
        done = loading.take(command)
        if done is None:
            self._loading = loading
            return b""
        self._chip.commit(lambda: self._registry.load_files.update({done.aid: done}))
        return NOTHING_MORE

    def _make(
        self, load_file: bytes, module: bytes, instance: bytes, privileges: bytes, parameters: bytes, token: bytes
    ) -> None:
        registry = self._registry
        found = registry.load_files.get(load_file)
        if found is None or module not in found.modules:
            raise Status(0x6A88)
        need_aid(instance)
        own = value_of(parameters, 0xC9)
        if registry.knows(instance) or len(privileges) not in {1, 3} or own is None or token:
            raise Status(0x6A80)
        applet = self._factory(self._chip, own)
        made = Application(instance, load_file, applet, Privilege.decode(privileges))
        self._chip.commit(lambda: registry.applications.update({instance: made}))

    def _delete(self, command: Received) -> bytes:
        if command.p1 or command.p2 not in {0x00, WITH_RELATED}:
            raise Status(0x6A86)
        aid, version = value_of(command.data, 0x4F), value_of(command.data, 0xD2)
        if value_of(command.data, 0xD0) is not None:
            raise Status(0x6A80)  # a key set is deleted as a whole
        if aid is not None:
            self._delete_content(aid, related=command.p2 == WITH_RELATED)
        elif version is not None and len(version) == 1:
            self._delete_keys(version[0])
        else:
            raise Status(0x6A80)
        return NOTHING_MORE

    def _delete_content(self, aid: bytes, *, related: bool) -> None:
        registry = self._registry
        if not registry.knows(aid):
            raise Status(0x6A88)
        made = registry.made_from(aid)
        if aid == registry.security_domain or (made and not related):
            raise Status(0x6985)

        def write() -> None:
            for gone in (aid, *made):
                registry.applications.pop(gone, None)
            registry.load_files.pop(aid, None)

        self._chip.commit(write)

    # ---- personal data ---------------------------------------------------------------------------------------

    def _begin_personalization(self, load_file: bytes, module: bytes, instance: bytes, *others: bytes) -> None:
        if load_file or module or any(others):
            raise Status(0x6A80)
        target = self._registry.applications.get(instance)
        if target is None:
            raise Status(0x6A88)
        if target.locked:
            raise Status(0x6985)
        self._storing = Storing(target, self._channel.session)

    def _store_data(self, command: Received) -> bytes:
        storing, self._storing = self._storing, None
        if storing is None:
            raise Status(0x6985)
        if storing.take(command):
            self._storing = storing
        return b""

    # ---- keys ------------------------------------------------------------------------------------------------

    def _put_key(self, command: Received) -> bytes:
        key_set = put_key(command, self._channel.key_sets, self._key_type, self._channel.session)
        key_sets, version = self._channel.key_sets, key_set.keys.version
        # The initial keys of a blank card vanish with the first set of its own.
        kept = {old: one for old, one in key_sets.items() if old not in {command.p1, version, 0xFF}}

        def write() -> None:
            key_sets.clear()
            key_sets.update(kept)
            key_sets[version] = key_set

        self._chip.commit(write)
        return bytes([version]) + b"".join(key_set.keys.check_values())

    def _delete_keys(self, version: int) -> None:
        key_sets = self._channel.key_sets
        if version not in key_sets:
            raise Status(0x6A88)
        if len(key_sets) == 1:
            raise Status(0x6985)
        self._chip.commit(lambda: key_sets.__delitem__(version))

    # ---- registry and life cycle -----------------------------------------------------------------------------

    def _get_status(self, command: Received) -> bytes:
        if command.p1 not in list(Scope) or command.p2 not in {0x02, 0x03}:
            raise Status(0x6A86)
        prefix = value_of(command.data, 0x4F)
        if prefix is None:
            raise Status(0x6A80)
        if command.p2 == 0x02:
            self._pages = list(_pages(self._registry.tell(Scope(command.p1), prefix)))
        if not self._pages:
            raise Status(0x6A88)
        page = self._pages.pop(0)
        if self._pages:
            raise Status(MORE_DATA, page)
        return page

    def _set_status(self, command: Received) -> bytes:
        match command.p1:
            case Scope.ISSUER_SECURITY_DOMAIN:
                self._set_card_state(command.p2)
            case Scope.APPLICATIONS:
                self._set_lock(command.data, command.p2)
            case _:
                raise Status(0x6A86)
        return b""

    def _set_card_state(self, state: int) -> None:
        registry = self._registry
        if state not in list(CardState):
            raise Status(0x6A80)
        wanted = CardState(state)
        if wanted is not CardState.TERMINATED and wanted not in NEXT_STATES.get(registry.state, set()):
            raise Status(0x6985)

        def write() -> None:
            registry.state = wanted

        self._chip.commit(write)

    def _set_lock(self, aid: bytes, state: int) -> None:
        application = self._registry.applications.get(aid)
        if application is None:
            raise Status(0x6A88)
        if bool(state & LOCK) is application.locked:
            raise Status(0x6985)

        def write() -> None:
            application.state ^= LOCK

        self._chip.commit(write)


def _pages(entries: Iterator[bytes]) -> Iterator[bytes]:
    """Entries in answers that are not too long, each entry whole."""
    page = b""
    for entry in entries:
        if page and len(page) + len(entry) > PAGE:
            yield page
            page = b""
        page += entry
    if page:
        yield page
