"""Which ways a page has to the service, by its address and its browser (OPS §2.9, T-05)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cardio.cli.doctor.findings import Outcome
from cardio.errors import InputInvalid
from cardio.ledger.ledger import now
from cardiod.doctor.browsers import Browser, Page, ways
from cardiod.settings import Settings, hash_token
from cardiod.tokens import Token, TokenFile

HTTPS, HTTP = "https://his.example", "http://10.1.2.3:8080"


def settings(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(journal=tmp_path / "journal.db", socket=None, **{"origins": (HTTPS, HTTP), **changes})


def outcomes(page: str, browser: str, given: Settings) -> dict[str, Outcome]:
    found = ways(Page.parse(page), Browser.parse(browser), given)
    return {way.name.removeprefix("browser."): way.outcome for way in found}


@pytest.mark.parametrize(
    ("page", "browser", "call"),
    [
        (HTTPS, "chrome 141", Outcome.OK),
        (HTTPS, "chrome 142", Outcome.WARN),
        (HTTPS, "edge 142", Outcome.WARN),
        (HTTPS, "chrome 147", Outcome.WARN),
        (HTTP, "chrome 141", Outcome.OK),
        (HTTP, "chrome 142", Outcome.FAIL),
        (HTTP, "edge 150", Outcome.FAIL),
        ("http://127.0.0.1:7816/", "chrome 150", Outcome.OK),
        ("http://localhost:7816/x", "chrome 150", Outcome.OK),
        ("http://[::1]:7816/", "edge 150", Outcome.OK),
        (HTTPS, "firefox 145", Outcome.WARN),
        ("https://other.example", "chrome 147", Outcome.FAIL),
        ("https://other.example", "chrome 100", Outcome.FAIL),
        ("http://127.0.0.1:9000", "chrome 150", Outcome.FAIL),
    ],
)
def test_whether_a_page_may_call(tmp_path: Path, page: str, browser: str, call: Outcome) -> None:
    assert outcomes(page, browser, settings(tmp_path))["call"] is call


@pytest.mark.parametrize(
    ("version", "policy", "framed"),
    [
        (142, "LocalNetworkAccessAllowedForUrls", False),
        (145, "LocalNetworkAccessAllowedForUrls", True),
        (146, "LoopbackNetworkAllowedForUrls", True),
    ],
)
def test_the_remedy_names_the_policy_of_the_version(tmp_path: Path, version: int, policy: str, framed: bool) -> None:
    call, *_ = ways(Page.parse(HTTPS), Browser("chrome", version), settings(tmp_path))
    assert call.remedy is not None
    for text in (call.remedy.zh, call.remedy.en):
        assert policy in text
        assert HTTPS in text
        assert ("loopback-network" in text) is framed


def test_a_page_on_http_is_told_of_the_other_ways(tmp_path: Path) -> None:
    found = outcomes(HTTP, "chrome 147", settings(tmp_path))
    assert (found["console"], found["server"], found["websocket"]) == (Outcome.OK, Outcome.FAIL, Outcome.FAIL)
    files = dict.fromkeys(("tls_certificate", "tls_key", "tls_client_ca"), Path("/x"))
    assert outcomes(HTTP, "chrome 147", settings(tmp_path, tls_listen="0.0.0.0:7817", **files))["server"] is Outcome.OK


def test_the_origin_of_a_token_counts(tmp_path: Path) -> None:
    given = settings(tmp_path, origins=())
    assert outcomes(HTTPS, "chrome 141", given)["call"] is Outcome.FAIL
    TokenFile(given.tokens_file).add(Token(name="his", sha256=hash_token("t"), created=now(), origin=HTTPS))
    assert outcomes(HTTPS, "chrome 141", given)["call"] is Outcome.OK


@pytest.mark.parametrize(
    ("text", "browser"),
    [("chrome 147", ("chrome", 147)), ("Edge/142.0.3595.53", ("edge", 142)), (" Chrome147 ", ("chrome", 147))],
)
def test_browsers_are_named_as_people_do(text: str, browser: tuple[str, int]) -> None:
    found = Browser.parse(text)
    assert (found.name, found.version) == browser


@pytest.mark.parametrize("text", ["", "chrome", "147", "chrome 147 beta", "chrome 99999"])
def test_what_is_no_browser_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        Browser.parse(text)


@pytest.mark.parametrize("url", ["", "his.example", "ftp://his.example", "https://", "https://x:99999/"])
def test_what_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(InputInvalid):
        Page.parse(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://HIS.example:443/a?b", "https://his.example"),
        ("http://his.example:80", "http://his.example"),
        ("https://his.example:8443/", "https://his.example:8443"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080"),
    ],
)
def test_the_origin_is_written_as_browsers_send_it(url: str, origin: str) -> None:
    assert Page.parse(url).origin == origin
