"""`cardiod doctor`: what keeps the service from its work, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from cardio.cli.doctor.findings import Finding, Text, exit_code, failed_with, ok
from cardio.cli.doctor.page import print_findings
from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid
from cardio.transport.pcsc import PcscDriver
from cardiod.commands.options import ConfigOption
from cardiod.doctor.browsers import Browser, Page, ways
from cardiod.doctor.configuration import CORRECT
from cardiod.doctor.examination import examination
from cardiod.doctor.site import SERVICE_USER, Site
from cardiod.settings import SYSTEM_CONFIG, load_settings


@guarded
def doctor(
    config: ConfigOption = None,
    page: Annotated[
        str | None, typer.Option(help="web page that is to call the service, as https://his.example/", metavar="URL")
    ] = None,
    browser: Annotated[
        str | None, typer.Option(help="the page's browser, as `chrome 147`", metavar="NAME VERSION")
    ] = None,
    user: Annotated[str, typer.Option(help="user of the service", metavar="NAME")] = SERVICE_USER,
    as_json: JsonOption = False,
) -> None:
    """check the whole installation, as root for all of it; exit code 6 if something fails"""
    if (page is None) is not (browser is None):
        raise InputInvalid("--page and --browser belong together")
    asked = None if page is None or browser is None else (Page.parse(page), Browser.parse(browser))
    paths: list[Finding] = []
    try:
        settings = load_settings(config)
    except InputInvalid as error:
        findings = [failed_with("config", error, CORRECT)]
    else:
        text = Text("配置有效：", "the configuration is valid:") + str(config or SYSTEM_CONFIG)
        findings = [ok("config", text), *examination(Site(settings, user), PcscDriver())]
        paths = [] if asked is None else ways(*asked, settings)
    if as_json:
        document = {"checks": [finding.document for finding in findings]}
        print_json({**document, "paths": [way.document for way in paths]} if asked else document)
    else:
        print_findings(stdout, [*findings, *paths])
    raise typer.Exit(exit_code(findings))
