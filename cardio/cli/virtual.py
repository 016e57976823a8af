"""`cardio virtual`: virtual cards in PC/SC readers, for any program to use."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cardio.applications.medical import CardMode
from cardio.cli.options import ProfilesOption, catalogue
from cardio.cli.output import stdout
from cardio.cli.reporting import guarded
from cardio.errors import ReaderUnavailable
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import PERSON_B, citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.products import example_card
from cardio.virtual.saving import load, save
from cardio.virtual.vpcd import DEFAULT_PORT, VpcdLink

DEBIAN_SLOTS = 2


class Kind(StrEnum):
    """Virtual cards that can be put into a reader."""

    SOCIAL_SECURITY = "social-security"
    SOCIAL_SECURITY_OFFLINE = "social-security-offline"
    CITIZEN = "citizen"
    PSAM = "psam"
    BLANK_FMCOS = "blank-fmcos"
    BLANK_LDT = "blank-ldt"


CARDS: dict[Kind, Callable[[], VirtualCard]] = {
    Kind.SOCIAL_SECURITY: social_security_card,
    Kind.SOCIAL_SECURITY_OFFLINE: lambda: social_security_card(PERSON_B, mode=CardMode.OFFLINE, balance_fen=50000),
    Kind.CITIZEN: citizen_card,
    Kind.PSAM: psam,
    Kind.BLANK_FMCOS: blank_fmcos_card,
    Kind.BLANK_LDT: blank_ldt_card,
}


@guarded
def virtual(
    cards: Annotated[
        list[str],
        typer.Argument(
            help=f"cards, one for each slot: {', '.join(Kind)}, or the id of a card product; "
            "CARD=FILE keeps the card in a file",
            metavar="CARD...",
        ),
    ],
    port: Annotated[int, typer.Option(help="TCP port of the first vpcd slot", min=1, max=65535)] = DEFAULT_PORT,
    pcscd: Annotated[
        bool, typer.Option("--pcscd", help="start a pcscd of its own, with as many readers as cards")
    ] = False,
    profiles: ProfilesOption = None,
) -> None:
    """put virtual cards into PC/SC readers until Ctrl-C; their PIN is 123456, their keys are test keys

    Blank cards have a transport key only, FF eight times, and are personalized by commands.

    A card that is kept is made when its file is not there, and goes on from it otherwise, whatever its name; at the
    end it is saved.

    Without --pcscd the cards go to the running pcscd through its vpcd readers, of which Debian has two.
    """
    named = [argument.partition("=") for argument in cards]
    made = [_card(name, Path(file) if file else None, profiles) for name, _, file in named]
    with ExitStack() as stack:
        for card, (_, _, file) in zip(made, named, strict=True):
            if file:
                signal.signal(signal.SIGTERM, signal.default_int_handler)  # else it would end without saving
                stack.callback(save, card, Path(file))
        if pcscd:
            own = stack.enter_context(PrivatePcscd(len(cards)))
            ports = [own.port(slot) for slot in range(len(cards))]
            for name, value in own.environment().items():
                stdout.print(f"export {name}={value}", markup=False, soft_wrap=True)
        else:
            ports = [port + slot for slot in range(len(cards))]
        for (name, _, _), card, slot_port in zip(named, made, ports, strict=True):
            try:
                stack.enter_context(VpcdLink(card, port=slot_port))
            except ReaderUnavailable as error:
                raise ReaderUnavailable(
                    f"{error.detail}; is pcscd running, with vsmartcard-vpcd installed? "
                    f"Debian's has {DEBIAN_SLOTS} slots; --pcscd starts one with as many as are needed"
                ) from error
            stdout.print(f"{name}: 已插入 inserted, vpcd port {slot_port}", markup=False)
        stdout.print("Ctrl-C 取出 takes the cards out")
        threading.Event().wait()


def _card(name: str, file: Path | None, profiles: Path | None) -> VirtualCard:
    if file is not None and file.exists():
        return load(file, products=catalogue(profiles))
    card = CARDS[Kind(name)]() if name in CARDS else example_card(next(iter(catalogue(profiles, name))))
    if file is not None:
        save(card, file)  # a folder that cannot be written to is told now
    return card
