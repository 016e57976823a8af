"""What goes onto the card's face and into the PIN mailer, as a table (PERS §3.1: every operator's is different)."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from cardio.errors import InputInvalid, StorageUnavailable
from cardio.personalize.personalizer import Prepared

SURFACE = ("record", "card_number", "wallet_serial", "name", "issued", "expires", "photo")
PIN_COLUMN = "pin"


def write_mailer(path: Path, rows: Iterable[Prepared], *, pins: bool) -> int:
    """Write the table as CSV in UTF-8 with a byte order mark, for its owner only; returns the number of rows.

    Args:
        path: The file; an existing one is not overwritten.
        rows: The cards.
        pins: Whether the PINs are in it.

    Raises:
        InputInvalid: The file exists.
        StorageUnavailable: It cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow((*SURFACE, PIN_COLUMN) if pins else SURFACE)
    count = 0
    for row in rows:
        data = row.data
        cells = [data.record, data.card_number, data.wallet_serial, data.holder.name if data.holder else None]
        cells += [data.issued.isoformat() if data.issued else None, data.expires.isoformat() if data.expires else None]
        cells.append(data.photo)
        table.writerow([*cells, row.pin] if pins else cells)
        count += 1
    _write_new(path, text.getvalue().encode("utf-8-sig"))
    return count


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise InputInvalid(f"{path} exists; it is not overwritten") from None
    except OSError as error:
        raise StorageUnavailable(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageUnavailable(f"{path}: {error.strerror}") from error
