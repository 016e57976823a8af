"""Finds product files and loads them.

Products come from packages that announce themselves under the entry point `cardio.products`, from
`/etc/cardio/profiles`, and from folders named by the user; a later one replaces an earlier one of the same id.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from importlib import resources
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from cardio.errors import ProductInvalid
from cardio.products.model import Product

ENTRY_POINT = "cardio.products"
SYSTEM_FOLDER = Path("/etc/cardio/profiles")


class Catalogue:
    """The products a terminal knows, in the order in which they are tried."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = {product.id: product for product in products}

    @classmethod
    def load(cls, *folders: Path) -> Catalogue:
        """All products that are installed, then those of the system folder, then those of `folders`.

        Raises:
            ProductInvalid: A file is wrong; the error names file, key and reason.
        """
        sources = [*_installed(), *_in_folder(SYSTEM_FOLDER)]
        for folder in folders:
            if not folder.is_dir():
                raise ProductInvalid(f"{folder} is not a folder")
            sources += _in_folder(folder)
        return cls(load_product(source) for source in sources)

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products.values())

    def __getitem__(self, identifier: str) -> Product:
        return self._products[identifier]


def load_product(file: Traversable) -> Product:
    """Load one product file.

    Raises:
        ProductInvalid: It is not TOML, or a key is missing, unknown or wrong.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        product = Product.model_validate(content)
    except OSError as error:
        raise ProductInvalid(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProductInvalid(f"{file.name}: {error}") from error
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()
        )
        raise ProductInvalid(f"{file.name}: {reasons}") from error
    if file.name != f"{product.id}.toml":
        raise ProductInvalid(f"{file.name}: id: must be the file's name without .toml")
    return product


def _installed() -> Iterator[Traversable]:
    for entry in entry_points(group=ENTRY_POINT):
        yield from _toml_files(resources.files(entry.module))


def _in_folder(folder: Path) -> Iterator[Traversable]:
    if folder.is_dir():
        yield from _toml_files(folder)


def _toml_files(folder: Traversable) -> Iterator[Traversable]:
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    yield from sorted(files, key=lambda file: file.name)
