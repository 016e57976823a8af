"""What commands print for programs: JSON; and the console for what they print for people."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from cardio.errors import error_document
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group

stdout = Console(highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    stdout.print_json(json.dumps(value, ensure_ascii=False))


def readings_document(readings: dict[Group, GroupReading]) -> dict[str, Any]:
    """Groups for `--json`; its schema is `docs/schema/read.schema.json`."""
    document: dict[str, Any] = {}
    for group, reading in readings.items():
        entry: dict[str, Any] = {}
        if reading.content is not None:
            entry["data"] = reading.content
        if reading.error is not None:
            entry["error"] = error_document(reading.error)
        document[group.value] = entry
    return document
