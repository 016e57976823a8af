"""A CAP file whose load is published: the HelloWorld applet that kaoh/globalplatform installs."""

from __future__ import annotations

import zipfile
from pathlib import Path

# The load file of kaoh/globalplatform: globalplatform/src/scp02Test.c install_mac_enc, decrypted with the test's keys.
LOAD_FILE = bytes.fromhex(
    "c4820157010011decaffed010204000107d0d1d2d3d4d50102001f0011001f000c000b0026000c003b0019000f0000005d00020001000c"
    "01010004000b01000107a000000062010103000c0108d0d1d2d3d4d50101000c06000c00800300ff0007010000001707003b000110188c"
    "0000188b00017a02308f00023d8c00033b7a0521198b00042d198b00053b7b0006031a037b0006928d00073b19037b0006928b00087a08"
    "001900020001000103000c48656c6c6f20576f726c64210000000005002600090680030003800301010000000600000103800a0103800a"
    "06050000000680100203800a0809000f0000000b05040604080504060406040b005d01000100000000010003ff1a0000000016ff820001"
    "00140009000000000009000c0021000900000000070100170024002200000000000900140014ffff0014001600180016001a001e011001"
    "b0014006b4b44403441004b431066800a1"
)
PACKAGE = bytes.fromhex("D0D1D2D3D4D501")
APPLET = bytes.fromhex("D0D1D2D3D4D50101")
NAMES = {
    0x01: "Header",
    0x02: "Directory",
    0x03: "Applet",
    0x04: "Import",
    0x05: "ConstantPool",
    0x06: "Class",
    0x07: "Method",
    0x08: "StaticField",
    0x09: "RefLocation",
    0x0B: "Descriptor",
}


def components() -> dict[str, bytes]:
    """The components by name."""
    found, rest = {}, LOAD_FILE[4:]
    while rest:
        size = 3 + int.from_bytes(rest[1:3], "big")
        found[NAMES[rest[0]]] = rest[:size]
        rest = rest[size:]
    return found


def write_cap(path: Path, parts: dict[str, bytes]) -> Path:
    """A CAP file, as a compiler writes it: components in the order of their names, and other things beside them."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        for name in sorted(parts):
            archive.writestr(f"hello/javacard/{name}.cap", parts[name])
    return path
