"""Layouts in TOML files, of whatever kind."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from cardio.errors import LayoutInvalid
from cardio.products.part import Part

Model = TypeVar("Model", bound=Part)


def read_toml(file: Path) -> dict[str, Any]:
    """Content of a TOML file.

    Raises:
        LayoutInvalid: It is not there, or no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LayoutInvalid(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LayoutInvalid(f"{file.name}: {error}") from error


def validated(model: type[Model], content: dict[str, Any], file: Path) -> Model:
    """Content of a file as a model; relative paths in it start from the file's folder.

    Raises:
        LayoutInvalid: A key is missing, unknown or wrong; file, key and reason are named.
    """
    try:
        return model.model_validate(content, context=file.parent)
    except ValidationError as error:
        reasons = "; ".join(
            ": ".join(filter(None, [".".join(map(str, one["loc"])), one["msg"]])) for one in error.errors()
        )
        raise LayoutInvalid(f"{file.name}: {reasons}") from error
