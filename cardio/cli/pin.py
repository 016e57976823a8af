"""`cardio pin …`: the holder's PIN."""

from __future__ import annotations

from typing import Annotated

import typer

from cardio.applications.pin import PinPresenter, PinState, pin_state
from cardio.applications.pin_change import PAD_DIGITS
from cardio.cli.key_sources import KeyOptions
from cardio.cli.option_groups import grouped
from cardio.cli.options import CardOptions, JsonOption, PinOption, load_pin
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import PinBlocked, PinMismatch
from cardio.products.maintenance import change_holders_pin, maintain_pin, select_pin

pin = typer.Typer(
    help="""the holder's PIN

    \b
    cardio pin status
    cardio pin change                     (on the reader's PIN pad)
    cardio pin unblock --keyring issuer.keys
    """,
    no_args_is_help=True,
)
LastTryOption = Annotated[bool, typer.Option("--allow-last-try", help="the holder agrees to use the last try")]


@pin.command("status")
@grouped
@guarded
def status(
    options: CardOptions,
    as_json: JsonOption = False,
) -> None:
    """show whether the card has a PIN, and how many tries are left; spends none"""
    with options.card() as card:
        select_pin(card, options.products)
        try:
            state = pin_state(card)
        except PinBlocked:
            state = PinState(is_set=True, tries_left=0)
    if as_json:
        print_json({"state": _word(state), "tries_left": state.tries_left})
        return
    left = "" if state.tries_left is None else f"，剩余次数 tries left: {state.tries_left}"
    stdout.print(f"{_TEXTS[_word(state)]}{left}", markup=False)


_TEXTS = {"unset": "未设密码 no PIN is set", "required": "已设密码 a PIN is set", "blocked": "密码已锁定 blocked"}


def _word(state: PinState) -> str:
    if not state.is_set:
        return "unset"
    return "blocked" if state.tries_left == 0 else "required"


@pin.command("verify")
@grouped
@guarded
def verify(
    options: CardOptions,
    ask: PinOption = False,
    allow_last_try: LastTryOption = False,
) -> None:
    """check the PIN, typed on the reader's PIN pad or here"""
    with options.card() as card:
        found = select_pin(card, options.products).product
        presenter = PinPresenter(card, load_pin(ask), caller_pin=found.pin.caller, allow_last_try=allow_last_try)
        presenter.present()
    stdout.print("密码正确 the PIN is right")


@pin.command("change")
@grouped
@guarded
def change(
    options: CardOptions,
    ask: PinOption = False,
    first: Annotated[bool, typer.Option("--first", help="with --pin: the card has no PIN yet")] = False,
    digits: Annotated[
        int, typer.Option(help="on a PIN pad: length of the old and the new PIN", min=4, max=12)
    ] = PAD_DIGITS,
    allow_last_try: LastTryOption = False,
) -> None:
    """change the PIN, on the reader's PIN pad or here; a card without a PIN gets its first one"""
    old = _typed("原密码 old PIN") if ask and not first else None
    new = _typed_twice() if ask else None
    with options.card() as card:
        change_holders_pin(card, options.products, old, new, digits=digits, allow_last_try=allow_last_try)
    stdout.print("密码已修改 the PIN was changed")


@pin.command("unblock")
@grouped
@guarded
def unblock(
    options: CardOptions,
    keys: KeyOptions,
    ask: Annotated[bool, typer.Option("--pin", help="ask for the PIN, by which a wallet is unblocked")] = False,
) -> None:
    """give the PIN all its tries back, under the issuer's keys; the PIN stays"""
    with keys.maintenance(options.choice) as sources:
        known = load_pin(ask)
        with options.card() as card:
            maintain_pin(card, options.products, sources, known).unblock_pin(known)
    stdout.print("密码已解锁 the PIN is unblocked")


@pin.command("reload")
@grouped
@guarded
def reload(
    options: CardOptions,
    keys: KeyOptions,
) -> None:
    """give the card a new PIN, typed here, under the issuer's keys; the old one need not be known"""
    with keys.maintenance(options.choice) as sources:
        new = _typed_twice()
        with options.card() as card:
            maintain_pin(card, options.products, sources, new).reload_pin(new)
    stdout.print("密码已重装 the card has the new PIN")


def _typed(prompt: str) -> str:
    typed: str = typer.prompt(prompt, hide_input=True, err=True)
    return typed


def _typed_twice() -> str:
    new = _typed("新密码 new PIN")
    if _typed("再输一次新密码 new PIN again") != new:
        raise PinMismatch
    return new
