"""The udev rules, judged by the real udevadm together with those that Debian and libccid install (PERS §4.5)."""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.installation.machine import ROOT
from tests.privileges import NEEDS_ROOT

pytestmark = NEEDS_ROOT

RULES = ROOT / "udev"
HERE = Path(__file__).parent
CCID, VENDOR_SPECIFIC, KEYBOARD = (0x0B, 0, 0), (0xFF, 0, 0), (0x03, 1, 1)
BUS = "devices/pci0000:00/0000:00:14.0/usb1"
OPERATORS_OWN = 'SUBSYSTEM=="tty", ENV{ID_SERIAL_SHORT}=="A50285BI", ENV{CARDIO_PORT}="sam-box"\n'


@pytest.fixture(scope="module")
def sysfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes a folder pass for sysfs."""
    made = tmp_path_factory.mktemp("sysfs") / "sysfs.so"
    options = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *options, "-o", made, HERE / "sysfs.c"], check=True)
    return made


@dataclass
class Judged:
    """What udevadm did.

    Attributes:
        said: Its output.
        properties: The device's properties.
        nodes: Device nodes and symlinks: name, group, mode.
        power: What the kernel was told about power.
    """

    said: str
    properties: dict[str, str] = field(init=False)
    nodes: list[str] = field(init=False)
    power: str = field(init=False)

    def __post_init__(self) -> None:
        output, _, after = self.said.partition("\n==\n")
        self.properties = dict(re.findall(r"^([A-Z_]+)=(.*)$", output, re.MULTILINE))
        lines = after.splitlines()
        self.nodes = [line for line in lines if "/dev/" in line]
        # A file, unlike sysfs, keeps the end of what was written before.
        self.power = "on" if lines and lines[-1].startswith("on") else "auto"

    @property
    def complaints(self) -> list[str]:
        """Messages about our files; what a rule does to a device begins with the device."""
        return [line for line in self.said.splitlines() if re.match(r"/run/udev/rules\.d/\S+:\d+", line)]


class Devices:
    """A sysfs of made-up USB devices in a folder."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._folder = folder
        self._library = library
        self._sys = folder / "sys"
        for name in ("bus/usb/devices", "bus/usb-serial", "class/tty", "dev/char", "module", "kernel"):
            (self._sys / name).mkdir(parents=True)
        (folder / "rules").mkdir()
        for file in RULES.iterdir():
            self.add_rules(file.name, file.read_text(encoding="utf-8"))

    def add_rules(self, name: str, content: str) -> None:
        (self._folder / "rules" / name).write_text(content, encoding="utf-8")

    def usb(self, *interfaces: tuple[int, int, int], serial: str = "") -> str:
        """A USB device with interfaces of these classes, subclasses and protocols."""
        descriptors = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, 0, 0, 0, 8, 0x72F, 0x223B, 0x100, 1, 2, 3, 1)
        descriptors += struct.pack("<BBHBBBBB", 9, 2, 9 + 16 * len(interfaces), len(interfaces), 1, 0, 0x80, 50)
        for number, (kind, subclass, protocol) in enumerate(interfaces):
            descriptors += struct.pack("<BBBBBBBBB", 9, 4, number, 0, 1, kind, subclass, protocol, 0)
            descriptors += struct.pack("<BBBBHB", 7, 5, 0x81, 3, 8, 10)
        files = {
            "uevent": "MAJOR=189\nMINOR=1\nDEVNAME=bus/usb/001/002\nDEVTYPE=usb_device\nDRIVER=usb\nBUSNUM=001\n",
            "dev": "189:1",
            "idVendor": "072f",
            "idProduct": "223b",
            "bcdDevice": "0100",
            "manufacturer": "ACS",
            "product": "ACR1252 Dual Reader",
            "serial": serial,
            "power/control": "auto",
        }
        place = self._device(f"{BUS}/1-1", "bus/usb", files)
        (self._sys / place / "descriptors").write_bytes(descriptors)
        (self._sys / "dev/char/189:1").symlink_to(f"/sys/{place}")
        return f"/sys/{place}"

    def serial_port(self, serial: str) -> str:
        """A serial adapter at USB, with its port ttyUSB0."""
        adapter = self.usb(VENDOR_SPECIFIC, serial=serial).removeprefix("/sys/")
        interface = {"uevent": "DEVTYPE=usb_interface\n", "bInterfaceNumber": "00", "bInterfaceClass": "ff"}
        self._device(f"{adapter}/1-1:1.0", "bus/usb", interface)
        self._device(f"{adapter}/1-1:1.0/ttyUSB0", "bus/usb-serial", {"uevent": "", "port_number": "0"})
        port = f"{adapter}/1-1:1.0/ttyUSB0/tty/ttyUSB0"
        self._device(port, "class/tty", {"uevent": "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n", "dev": "188:0"})
        (self._sys / "class/tty/ttyUSB0").symlink_to(f"/sys/{port}")
        (self._sys / "dev/char/188:0").symlink_to(f"/sys/{port}")
        return f"/sys/{port}"

    def judge(self, device: str) -> Judged:
        """Let udevadm add a device."""
        script = ["sh", str(HERE / "udev.sh"), str(self._folder), device, str(self._library)]
        done = subprocess.run(["unshare", "--mount", *script], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return Judged(done.stdout)

    def _device(self, place: str, subsystem: str, files: dict[str, str]) -> str:
        for name, content in files.items():
            file = self._sys / place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if name == "uevent" else content + "\n")
        (self._sys / place / "subsystem").symlink_to(f"/sys/{subsystem}")
        return place


@pytest.fixture
def devices(tmp_path: Path, sysfs: Path) -> Devices:
    return Devices(tmp_path, sysfs)


@pytest.mark.parametrize(
    "interfaces", [[CCID], [CCID, CCID], [KEYBOARD, CCID]], ids=["one", "reader with SAM", "behind a keyboard"]
)
def test_a_reader_is_not_suspended_whatever_other_packages_say(
    devices: Devices, interfaces: list[tuple[int, int, int]]
) -> None:
    judged = devices.judge(devices.usb(*interfaces))
    assert judged.complaints == []
    assert ":0b0000:" in judged.properties["ID_USB_INTERFACES"]
    assert judged.power == "on"


def test_other_devices_keep_their_power_saving(devices: Devices) -> None:
    judged = devices.judge(devices.usb(KEYBOARD))
    assert judged.complaints == []
    assert judged.power == "auto"


def test_a_serial_port_that_was_named_belongs_to_the_service_under_its_name_and_is_no_modem(devices: Devices) -> None:
    devices.add_rules("65-cardio-ports.rules", OPERATORS_OWN)
    judged = devices.judge(devices.serial_port("A50285BI"))
    assert judged.complaints == []
    assert judged.nodes == ["'/dev/ttyUSB0' 61184 660", "'/dev/cardio/sam-box' -> '../ttyUSB0' 0 777"]
    assert judged.properties["ID_MM_PORT_IGNORE"] == judged.properties["ID_MM_DEVICE_IGNORE"] == "1"


def test_a_serial_port_that_was_not_named_is_left_to_others(devices: Devices) -> None:
    devices.add_rules("65-cardio-ports.rules", OPERATORS_OWN)
    judged = devices.judge(devices.serial_port("somebody-elses"))
    assert [node.split()[-2:] for node in judged.nodes] == [["20", "660"]]
    assert "ID_MM_PORT_IGNORE" not in judged.properties


def test_the_lines_in_the_comment_are_rules_that_work(devices: Devices) -> None:
    lines = re.findall(r"^#   (SUBSYSTEM.*)$", (RULES / "70-cardio.rules").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 2
    devices.add_rules("65-cardio-ports.rules", "\n".join(lines) + "\n")
    judged = devices.judge(devices.serial_port("A50285BI"))
    assert judged.complaints == []
    assert "'/dev/cardio/display' -> '../ttyUSB0'" in "\n".join(judged.nodes)


@pytest.mark.parametrize("wrong", ['ENV{X}=="1", GRUOP="cardio"', 'SUBSYSTEM="usb"', 'GROUP="nobody-knows-it"'])
def test_udev_would_say_so_if_a_rule_were_wrong(devices: Devices, wrong: str) -> None:
    devices.add_rules("94-wrong.rules", wrong + "\n")
    assert devices.judge(devices.usb(CCID)).complaints
