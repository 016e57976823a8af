"""Sections of the configuration about what is connected to the terminal: keys, load host, serial boxes, display."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cardio.security.keyring import MAX_LEVELS
from cardio.security.keys import Family
from cardiod.secret_files import SecretReference

SOFTWARE_HOST = "software"
BAUD = 9600
SERIAL_INTERFACES = 3

KeyIndex = Annotated[int, Field(ge=0, le=0xFF)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the TOML file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TerminalSection(Section):
    """What a PSAM would tell about the terminal; for purchases with keys of an HSM or keyring.

    Attributes:
        number: Terminal number, 12 digits; zeros say that there is no PSAM (SSC §7.4).
        key_indexes: Index of the purchase key that is named to the card, 0 to 255, by family `pboc`, `ldt`; 1 where
            none is given.
    """

    number: str = Field("0" * 12, pattern=r"^[0-9]{12}$")
    key_indexes: dict[Family, KeyIndex] = Field(default_factory=dict)


class HsmKeySection(Section):
    """Where the token keeps the root of a card key.

    Attributes:
        label: Label of the key object.
        levels: Factors that are still to be applied: 3 a national root, 2 a provincial one, 1 a city's, 0 the card's.
    """

    label: str = Field(min_length=1)
    levels: int = Field(ge=0, le=MAX_LEVELS)


class HsmSection(Section):
    """Keys in a hardware security module, behind the PSAMs (OPS §4.11).

    Attributes:
        module: Its PKCS#11 library.
        token: Label of the token; one that begins with `test` holds test keys, which no real card meets.
        pin_file: File or credential with its user PIN.
        keys: Keys that have another label or level than their name says, by name.
    """

    module: Path
    token: str = Field(min_length=1)
    pin_file: SecretReference
    keys: dict[str, HsmKeySection] = Field(default_factory=dict)


class KeyringSection(Section):
    """Keys in an encrypted file, behind the HSM.

    Attributes:
        file: The keyring.
        passphrase_file: File or credential with its passphrase.
    """

    file: Path
    passphrase_file: SecretReference


class LoadHostSection(Section):
    """The host that authorizes loads.

    No specification tells the wire protocol of any city's host, so there is none here: an operator plugs an adapter in.

    Attributes:
        adapter: Name of an entry point of the group `cardio.load_hosts`; or `software`, a host in this process with
            test keys, for development.
        keyring: Keys of the software host.
        max_amount_fen: Largest single load of the software host.
        options: What an adapter wants to be told; secrets as names of files.
    """

    adapter: str = Field(min_length=1)
    keyring: KeyringSection | None = None
    max_amount_fen: Annotated[int, Field(ge=1)] | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.adapter == SOFTWARE_HOST:
            if self.keyring is None or self.options:
                raise ValueError("the software host needs keyring, and takes no options")
        elif self.keyring is not None or self.max_amount_fen is not None:
            raise ValueError("keyring and max_amount_fen are the software host's; an adapter takes options")
        return self


class SerialSlotSection(Section):
    """A slot of a serial box; each is a reader.

    Attributes:
        name: Name of the reader.
        slot: Its number in the box.
        interface: 1, or 2 and 3 for the further SAM interfaces of an ACR122L.
        polled: False for a SAM slot of a box that cannot tell what lies in it, as of the ACR122S and ACR122L.
    """

    name: str = Field(min_length=1)
    slot: int = Field(0, ge=0, le=0xFF)
    interface: int = Field(1, ge=1, le=SERIAL_INTERFACES)
    polled: bool = True


class SerialReaderSection(Section):
    """A reader or SAM box at a serial port, in the ACS framing (PERS §4.7).

    Attributes:
        port: Its device; a name under /dev/serial/by-id, /dev/serial/by-path or /dev/cardio stays the same.
        baud: Bits per second.
        receipt_timeout_s: Until the box has said that a message arrived.
        answer_timeout_s: Until its answer must have begun.
        slots: Its slots.
    """

    port: Path
    baud: int = Field(BAUD, gt=0)
    receipt_timeout_s: Seconds = 1.0
    answer_timeout_s: Seconds = 10.0
    slots: tuple[SerialSlotSection, ...] = Field(min_length=1)


class DisplaySection(Section):
    """A customer display at a serial port; one that is missing or broken never stops a sale.

    Attributes:
        port: Its device.
        kind: `text`, two lines with the commands of the CD5220; or `price`, the LED8 with eight digits.
        baud: Bits per second; if missing 9600 for text, 2400 for prices.
        language: Of the prompts; `zh` needs a display with a Chinese font.
        columns: Columns of a line of text.
    """

    port: Path
    kind: Literal["text", "price"] = "text"
    baud: Annotated[int, Field(gt=0)] | None = None
    language: Literal["zh", "en"] = "zh"
    columns: int = Field(20, ge=16, le=40)


def distinct_readers(boxes: tuple[SerialReaderSection, ...]) -> tuple[SerialReaderSection, ...]:
    """Check that no two slots have the same name, and no two boxes the same port."""
    for what, values in (
        ("name", [slot.name for box in boxes for slot in box.slots]),
        ("port", [str(box.port) for box in boxes]),
    ):
        if len(set(values)) < len(values):
            raise ValueError(f"two serial readers have the same {what}")
    return boxes
