"""What the keys of a token are, in a TOML file of the operator: label and level by the name of the card's key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cardio.errors import InputInvalid
from cardio.security.hsm import HsmKey
from cardio.security.keyring import MAX_LEVELS

HsmKeysOption = Annotated[
    Path | None,
    typer.Option(
        "--hsm-keys",
        help="TOML file: label and level of the token's keys, where the names do not say it",
        metavar="FILE",
    ),
]


class _TokenKey(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    label: str | None = Field(default=None, min_length=1)
    levels: int | None = Field(default=None, ge=0, le=MAX_LEVELS)


def load_hsm_keys(file: Path | None, shared: Iterable[str]) -> dict[str, HsmKey]:
    """Where a token has the keys that are not topmost roots under their own names.

    Args:
        file: What the operator says: a table for each key by its name, with `label` (its name if missing) and `levels`,
            0 to 3 (if missing: all factors of the card are still to be applied).
        shared: Names of keys that cards share, as transport keys: their level is 0 unless the file says another.

    Raises:
        InputInvalid: The file cannot be used; key and reason are named.
    """
    told = {} if file is None else _read(file)
    found = {name: HsmKey(name, 0) for name in shared}
    for name, key in told.items():
        levels = key.levels if key.levels is not None or name not in found else found[name].levels
        found[name] = HsmKey(key.label or name, levels)
    return found


def _read(file: Path) -> dict[str, _TokenKey]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, _TokenKey]).validate_python(content)
    except OSError as error:
        raise InputInvalid(f"{file}: {error.strerror}") from error
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InputInvalid(f"{file.name}: {reasons}") from error
    except ValueError as error:
        raise InputInvalid(f"{file.name}: {error}") from error
