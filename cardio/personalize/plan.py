"""The plan of a card whose files its operating system creates: from a blank card to a finished one (PERS §5.2, §5.3).

A step says in both languages what it does, and holds what is to be done; commands are made by the COS driver, because
they depend on the card's challenges. Nothing is sent while a plan is made.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from cardio.applications.pin import encode_pin, verify_pin
from cardio.errors import CardChanged, CardNotBlank, MasterMissing
from cardio.files.declaration import PIN
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import Presented
from cardio.personalize.cos.driver import CosDriver
from cardio.personalize.layout import CYCLIC, FREE, KIND, DirectoryLayout, FileLayout, KeyRecord, Layout, Written
from cardio.personalize.resuming import last_key, remaining
from cardio.personalize.steps import CardContent, CardPlan, Finding, Phase, Presentation, Step
from cardio.personalize.verifying import ReadingBack
from cardio.security.issuing import CardKeyReference

STARTING_DAY_KEY = "DSK"


class NativePlan(CardPlan):
    """The plan of a card whose files are created by its operating system.

    Args:
        layout: Its directories, files and keys.
        content: What it holds.
        reference: A key of this card by its name.
        cos: Driver of the card.
        pin: The holder's PIN, for reading back; None if it is not known.
    """

    def __init__(
        self,
        layout: Layout,
        content: CardContent,
        reference: Callable[[str], CardKeyReference],
        cos: CosDriver,
        pin: str | None = None,
    ) -> None:
        self.layout = layout
        self._content = content
        self._reference = reference
        self._cos = cos
        self._back = ReadingBack(layout, content, reference, cos, pin)

    # ---- what every plan has ---------------------------------------------------------------------------------

    @property
    def last_key(self) -> str:
        """The master of the master file."""
        return last_key(self.layout)

    def check_blank(self) -> None:
        """Whether it holds one of the applications already; SELECT tells."""
        for directory in self.layout.master_file.directories:
            if self._cos.holds(directory):
                raise CardNotBlank(f"it holds {directory.label}")

    def check_same(self, keys: Mapping[str, bool]) -> None:
        """Whether it has the directories to which keys were written; SELECT tells."""
        created = {name.partition("/")[0] for name in keys}
        for directory in self.layout.master_file.directories:
            if created & {one.label for one in directory.walk()} and not self._cos.holds(directory):
                raise CardChanged(f"the card that was begun has {directory.label}, and this one has not")

    def whole(self) -> Iterator[Step]:
        """All of it, on a blank card."""
        yield from self.take_over(self.layout.transport)
        yield from self.structure()
        yield from self.close()
        yield from self.content()

    def remaining(
        self, keys: Mapping[str, bool], presented: Mapping[str, Presented], *, closed: bool
    ) -> Iterator[Step]:
        """The steps that the card still needs, by what the register knows and what the card says itself."""
        yield from remaining(self, keys, presented, closed=closed)

    def prove(self) -> None:
        """Present the masters that took the place of temporary ones, and the PIN."""
        self._back.prove_masters()
        self._back.prove_pin()

    def findings(self) -> Iterator[Finding]:
        """One for each file that has content."""
        yield from self._back.findings()

    # ---- phases ----------------------------------------------------------------------------------------------

    def take_over(self, master: str) -> Iterator[Step]:
        """Make the card blank under a master key that it has now; a card without any key takes everything.

        Args:
            master: Name of that key.
        """
        root = self.layout.master_file
        phase = Phase.TAKE_OVER
        yield from self._select(phase, root)
        present = partial(self._cos.authenticate_master, self._reference(master))

        def present_if_any() -> None:
            with suppress(MasterMissing):
                present()

        step = self._authenticate(phase, root, master)
        yield replace(step, act=present_if_any, presents=self.presentation(master))
        erase = Step(phase, root.label, "擦除全部文件和密钥", "erase all files and keys", self._cos.erase)
        yield replace(erase, erases=f"{root.label}/{root.temporary}" if root.temporary else "")

    def presentation(self, master: str) -> Presentation:
        """How the register knows a master key, by its name."""
        return Presentation(master, self._cos.keys.kcv(self._reference(master)).hex().upper())

    def structure(self) -> Iterator[Step]:
        """Directories, keys and files, and the content of those that are written at once."""
        yield from self._fill(self.layout.master_file, None)

    def close(self) -> Iterator[Step]:
        """Replace the temporary masters by the card's own; that of the master file comes last (PERS §1.8)."""
        for directory in reversed(list(self.layout.master_file.walk())):
            if directory.temporary is not None:
                yield from self.replace_master(directory)

    def replace_master(self, directory: DirectoryLayout) -> Iterator[Step]:
        """Replace the temporary master of one directory."""
        phase, record = Phase.CLOSE, directory.master
        if directory.temporary is None or record is None:
            raise ValueError(f"{directory.label} has no temporary master")
        before, old, new = _temporary(directory), self._reference(directory.temporary), self._reference(record.name)
        yield from self._select(phase, directory)
        yield self._authenticate(phase, directory, directory.temporary)
        yield Step(
            phase, directory.label, f"以主控密钥{record.name}替换{directory.temporary}",
            f"replace {directory.temporary} by the card's own master {record.name}",
            partial(self._cos.replace_key, before, record, new, old),
            key=f"{directory.label}/{record.name}", kcv=partial(self._cos.keys.kcv, new),
        )  # fmt: skip

    def present_master(self, directory: DirectoryLayout, master: str) -> None:
        """Select a directory and present a master key, by its name, at once.

        Raises:
            TransportKeyWrong: The card has another.
        """
        self._cos.select(directory)
        self._cos.authenticate_master(self._reference(master))

    def content(self) -> Iterator[Step]:
        """What is written under the update keys of the finished card; every step can be repeated (PERS §1.8)."""
        for directory in self.layout.master_file.walk():
            steps = list(self._written_afterwards(directory))
            if steps:
                yield from self._select(Phase.CONTENT, directory)
                yield from steps

    # ---- structure -------------------------------------------------------------------------------------------

    def _fill(self, directory: DirectoryLayout, parent: CardKeyReference | None) -> Iterator[Step]:
        master = yield from self._keys(directory, parent)
        for file in directory.files:
            yield from self._file(directory, file)
        for below in directory.directories:
            yield Step(
                Phase.STRUCTURE, directory.label, f"建立目录{below.label}，{below.size}字节",
                f"create directory {below.label}, {below.size} bytes",
                partial(self._cos.create_directory, below),
            )  # fmt: skip
        for below in directory.directories:
            yield from self._select(Phase.STRUCTURE, below)
            yield from self._fill(below, master)

    def _keys(
        self, directory: DirectoryLayout, parent: CardKeyReference | None
    ) -> Generator[Step, None, CardKeyReference | None]:
        phase, label = Phase.STRUCTURE, directory.label
        first = _temporary(directory) if directory.temporary else directory.master
        if first is None:
            return parent
        master = self._reference(first.name)
        step = self._key(directory, first, parent)
        yield Step(
            phase, label, f"建立密钥文件，{directory.key_file}字节", f"create the key file, {directory.key_file} bytes",
            partial(self._cos.create_key_file, directory), key=step.key, kcv=step.kcv,
        )  # fmt: skip
        yield replace(step, key=None, kcv=None)
        yield self._authenticate(phase, directory, first.name)
        for record in directory.keys:
            if record.kind is not KeyKind.PIN or self._content.pin is not None:
                yield self._key(directory, record, master)
        return master

    def _key(self, directory: DirectoryLayout, record: KeyRecord, master: CardKeyReference | None) -> Step:
        label = directory.label
        if record.kind is KeyKind.PIN:
            return Step(
                Phase.STRUCTURE, label, f"写入密码，{record.tries}次", f"load the PIN, {record.tries} tries",
                partial(self._cos.add_key, record, encode_pin(self._pin()), _needed(master)), key=f"{label}/{PIN}",
            )  # fmt: skip
        key = self._reference(record.name)
        name = f"{label}/{record.name}+{PIN}" if record.companion else f"{label}/{record.name}"
        cos = self._cos
        act = partial(cos.add_key, record, key, master) if master else partial(cos.add_first_key, record, key)
        return Step(
            Phase.STRUCTURE, label, f"写入密钥{record.name}，类型{record.type_byte:02X}，标识{record.id:02X}",
            f"load key {record.name}, type {record.type_byte:02X}, id {record.id:02X}", act, key=name,
            kcv=partial(cos.keys.kcv, key),
        )  # fmt: skip

    def _pin(self) -> str:
        if self._content.pin is None:
            raise ValueError("the card has no PIN")
        return self._content.pin

    def _file(self, directory: DirectoryLayout, file: FileLayout) -> Iterator[Step]:
        yield Step(
            Phase.STRUCTURE, directory.label, f"建立文件{file.label}", f"create file {file.label}",
            partial(self._cos.create_file, file),
        )  # fmt: skip
        if file.written is Written.AT_ONCE:
            yield from self._write(Phase.STRUCTURE, directory, file)

    # ---- content ---------------------------------------------------------------------------------------------

    def _written_afterwards(self, directory: DirectoryLayout) -> Iterator[Step]:
        files: dict[str, list[FileLayout]] = {}
        for file in directory.files:
            if file.written is Written.AFTERWARDS and file.key and self._records(directory, file):
                files.setdefault(file.key, []).append(file)
        for name, opened in files.items():
            yield self._authorize(directory, name)
            for file in opened:
                yield from self._open_log(directory, file)
                yield from self._write(Phase.CONTENT, directory, file)
        day = self.layout.starting_day
        if day and any(key.name == STARTING_DAY_KEY for key in directory.keys):
            yield self._authorize(directory, STARTING_DAY_KEY)
            yield Step(
                Phase.CONTENT, directory.label, f"设置医保年度起始日{day}", f"set the starting day {day}",
                partial(self._cos.set_starting_day, day),
            )  # fmt: skip

    def _open_log(self, directory: DirectoryLayout, file: FileLayout) -> Iterator[Step]:
        """What was appended to a cyclic file before an interruption is read before more is appended."""
        if file.kind & KIND != CYCLIC or file.read == FREE:
            return
        low, high = file.read & 0x0F, file.read >> 4
        for key in directory.keys:
            if key.kind is KeyKind.EXTERNAL and key.use == FREE and low <= key.state & 0x0F <= high:
                yield self._authorize(directory, key.name)
                return
        pin = self.layout.pin_of(directory)
        if pin is not None and self._content.pin is not None and low <= pin.state & 0x0F <= high:
            act = partial(verify_pin, self._cos.card, self._pin())
            yield Step(Phase.CONTENT, directory.label, "出示密码", "present the PIN", act)

    def _write(self, phase: Phase, directory: DirectoryLayout, file: FileLayout) -> Iterator[Step]:
        records = self._records(directory, file)
        if not records:
            return
        line = self._reference(_line_key(directory).name) if file.protected else None
        yield Step(
            phase, directory.label, f"写入{file.label}，{len(records)}条记录",
            f"write {file.label}, {len(records)} record{'s' if len(records) > 1 else ''}",
            partial(self._cos.write, file, records, line),
        )  # fmt: skip

    def _records(self, directory: DirectoryLayout, file: FileLayout) -> Sequence[bytes]:
        return file.content or self._content.files.get((directory.label, file.label), ())

    # ---- steps -----------------------------------------------------------------------------------------------

    def _select(self, phase: Phase, directory: DirectoryLayout) -> Iterator[Step]:
        """Of several environments each is found from the master file only (SSC §2)."""
        root = self.layout.master_file
        path = [root, directory] if len(root.directories) > 1 and directory in root.directories else [directory]
        for one in path:
            yield Step(phase, one.label, f"选择{one.label}", f"select {one.label}", partial(self._cos.select, one))

    def _authenticate(self, phase: Phase, directory: DirectoryLayout, master: str) -> Step:
        act = partial(self._cos.authenticate_master, self._reference(master))
        return Step(phase, directory.label, f"以{master}认证", f"authenticate with {master}", act)

    def _authorize(self, directory: DirectoryLayout, name: str) -> Step:
        record, key = directory.key(name), self._reference(name)
        return Step(
            Phase.CONTENT, directory.label, f"以更新密钥{name}认证", f"authenticate with update key {name}",
            partial(self._cos.authorize_update, record, key),
        )  # fmt: skip


def _temporary(directory: DirectoryLayout) -> KeyRecord:
    """The master that a directory has until it is closed: as its own, but for name and protection."""
    if directory.master is None:
        raise ValueError(f"{directory.label} has no master")
    return directory.master.model_copy(update={"name": directory.temporary, "protected": directory.temporary_protected})


def _line_key(directory: DirectoryLayout) -> KeyRecord:
    if directory.line_key is None:
        raise ValueError(f"{directory.label} has no line protection key")
    return directory.line_key


def _needed(master: CardKeyReference | None) -> CardKeyReference:
    if master is None:
        raise ValueError("a PIN is loaded under a master key only")
    return master
