"""All checks, in the order in which trouble is looked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cardio.cli.doctor.command import library_checks
from cardio.cli.doctor.findings import Finding, examine
from cardio.products.catalogue import Catalogue
from cardio.transport.channel import ReaderDriver
from cardiod.doctor import account, addresses, clock, configuration, installation, journal, sams, storage
from cardiod.doctor.site import Site

CHECKS: tuple[Callable[[Site], Finding], ...] = (
    configuration.files_for_the_service,
    configuration.certificate,
    configuration.ports,
    account.account,
    storage.folder,
    storage.durable,
    storage.sync_cost,
    storage.free_space,
    journal.journal,
    journal.clock_behind_journal,
    installation.polkit,
    installation.udev_rules,
    installation.unit,
    installation.enabled,
    addresses.unix_socket,
    addresses.port,
)


def examination(site: Site, driver: ReaderDriver) -> list[Finding]:
    """Do everything; the configuration could be loaded already."""
    return examine(
        [
            *configuration.trials(site),
            *library_checks(driver, lambda: Catalogue.load(*site.settings.profiles)),
            partial(sams.psam, driver, site),
            *(partial(check, site) for check in CHECKS),
            clock.synchronized,
        ]
    )
