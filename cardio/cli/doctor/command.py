"""`cardio doctor`: what the library needs of this computer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import typer

from cardio.cli.doctor.checks import card_products, connected_readers, reader_service, receipt_font
from cardio.cli.doctor.findings import Finding, examine, exit_code
from cardio.cli.doctor.page import print_findings
from cardio.cli.options import JsonOption, ProfilesOption, catalogue
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.products.catalogue import Catalogue
from cardio.transport.channel import ReaderDriver
from cardio.transport.pcsc import PcscDriver


def library_checks(driver: ReaderDriver, load: Callable[[], Catalogue]) -> list[Callable[[], Finding]]:
    """What the library needs; the daemon's doctor looks at it, too.

    Args:
        driver: The readers.
        load: Loads the card products.
    """
    return [
        partial(card_products, load),
        partial(reader_service, driver),
        partial(connected_readers, driver),
        receipt_font,
    ]


@guarded
def doctor(profiles: ProfilesOption = None, as_json: JsonOption = False) -> None:
    """check what this computer lacks: reader service, readers, card products, fonts"""
    findings = examine(library_checks(PcscDriver(), lambda: catalogue(profiles)))
    if as_json:
        print_json({"checks": [finding.document for finding in findings]})
    else:
        print_findings(stdout, findings)
    raise typer.Exit(exit_code(findings))
