"""`cardio profile list`, `cardio profile show` and `cardio profile check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cardio.cli.options import JsonOption, ProfilesOption, catalogue
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.files.declaration import PIN, Access
from cardio.products.catalogue import load_product
from cardio.products.checking import Check, check_product
from cardio.products.model import Product

profile = typer.Typer(help="card products: what differs from city to city", no_args_is_help=True)
ProductArgument = Annotated[str, typer.Argument(help="id of a product, or a product file", metavar="PRODUCT")]


@profile.command("list")
@guarded
def profile_list(profiles: ProfilesOption = None, as_json: JsonOption = False) -> None:
    """list the card products that this terminal knows"""
    products = list(catalogue(profiles))
    if as_json:
        print_json([_summary(product) for product in products])
        return
    table = Table()
    for title in ("产品\nproduct", "名称\ntitle", "社保卡\nsocial security", "钱包\nwallet", "文件\nfiles"):
        table.add_column(title)
    for product in products:
        social, wallet = product.social_security, product.wallet
        table.add_row(
            product.id,
            f"{product.title.zh}\n{product.title.en}",
            f"{social.card} {', '.join(social.versions)}" if social else "",
            wallet.aid.hex().upper() if wallet else "",
            str(len(product.files)),
        )
    stdout.print(table)


@profile.command("show")
@guarded
def profile_show(product: ProductArgument, profiles: ProfilesOption = None, as_json: JsonOption = False) -> None:
    """show one product: its rules, and every file with its rights"""
    found = _find(product, profiles)
    if as_json:
        print_json({**found.model_dump(mode="json", exclude_none=True), "files": _files(found)})
        return
    stdout.print(f"{found.id}  {found.title.zh}  {found.title.en}", markup=False)
    if found.wallet:
        stdout.print(f"钱包 wallet: {found.wallet.aid.hex().upper()}  {found.wallet.factors.value}", markup=False)
    for purse, part in (("钱包 wallet", found.wallet), ("医疗账户 medical account", found.medical)):
        if part:
            confirmed = (
                "" if part.confirmed else "；规则未经确认，不得用于真实卡片 not confirmed: refused for real cards"
            )
            stdout.print(f"{purse}: {part.algorithm.value}{confirmed}", markup=False)
    table = Table()
    for title in ("文件\nfile", "名称\ntitle", "结构\nstructure", "读\nread", "写\nupdate"):
        table.add_column(title, overflow="fold")
    for name, file in found.files.items():
        table.add_row(name, f"{file.zh}\n{file.en}", file.structure.value, _rights(file.read), _rights(file.update))
    stdout.print(table)


@profile.command("check")
@guarded
def profile_check(
    product: Annotated[str | None, typer.Argument(help="id of a product, or a product file; all if missing")] = None,
    profiles: ProfilesOption = None,
    as_json: JsonOption = False,
) -> None:
    """prove the vectors of one product, or of all"""
    products = list(catalogue(profiles)) if product is None else [_find(product, profiles)]
    checked = {found.id: check_product(found) for found in products}
    wrong = [check for checks in checked.values() for check in checks if not check.holds]
    if as_json:
        print_json({name: [_check_document(check) for check in checks] for name, checks in checked.items()})
    else:
        for name, checks in checked.items():
            _print_checks(name, checks)
    if wrong:
        raise typer.Exit(InputInvalid.exit_code)


def _find(product: str, profiles: Path | None) -> Product:
    if product.endswith(".toml"):
        return load_product(Path(product))
    return next(iter(catalogue(profiles, product)))


def _summary(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "title": product.title.model_dump(),
        "social_security": product.social_security.card if product.social_security else None,
        "wallet": product.wallet.aid.hex().upper() if product.wallet else None,
        "files": len(product.files),
    }


def _files(product: Product) -> list[dict[str, str]]:
    return [
        {
            "file": name,
            "title": file.zh,
            "title_en": file.en,
            "structure": file.structure.value,
            "read": _rights(file.read),
            "update": _rights(file.update),
        }
        for name, file in product.files.items()
    ]


def _rights(access: Access) -> str:
    """PIN | RK1DF03 for any of several, PIN & RK1DF04 for all of them."""
    if not access.alternatives:
        return "never"
    ways = [" & ".join(sorted(way, key=lambda right: (right != PIN, right))) for way in access.alternatives]
    return " | ".join(way or "free" for way in ways)


def _check_document(check: Check) -> dict[str, Any]:
    return {"file": check.file, "bytes": check.bytes, "holds": check.holds, "problem": check.problem}


def _print_checks(name: str, checks: list[Check]) -> None:
    wrong = [check for check in checks if not check.holds]
    held = len(checks) - len(wrong)
    stdout.print(f"{name}: {held} 条向量成立 vectors hold, {len(wrong)} 条不成立 do not", markup=False)
    for check in wrong:
        stdout.print(f"  {check.file} {check.bytes}: {check.problem}", markup=False)
