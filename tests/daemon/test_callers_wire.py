"""Requests that are too large, too slow, or no HTTP: refused, while everybody else is served."""

from __future__ import annotations

import json
import time

import pytest
from pytest_mock import MockerFixture

from cardiod.api.bodies import BODY_LIMIT, PATIENCE_LIMIT
from tests.daemon.callers import DEBIT, call, clients, connect, debit, read_all, refused
from tests.daemon.conftest import TOKEN, Daemon

HEAD = (
    f"POST /v1/debit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Type: application/json\r\nIdempotency-Key: k\r\n"
).encode()


def padded(size: int) -> bytes:
    """A good debit, blown up with blanks."""
    body = json.dumps(DEBIT).encode()
    return body + b" " * (size - len(body))


def post(daemon: Daemon, size: int) -> int:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = call(daemon, TOKEN, "POST", "/v1/debit", content=padded(size), headers=headers)
    if answer.status_code != 201:
        refused(answer, 413, "body.too-large")
        assert answer.headers["connection"] == "close"
    return answer.status_code


def test_a_body_up_to_the_limit_is_taken(daemon: Daemon) -> None:
    assert post(daemon, BODY_LIMIT) == 201


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 5 * BODY_LIMIT, PATIENCE_LIMIT - 1])
def test_a_larger_body_is_413_and_nothing_is_done(daemon: Daemon, size: int) -> None:
    assert post(daemon, size) == 413
    assert clients(daemon) == []


def test_who_never_stops_sending_is_hung_up_on(daemon: Daemon) -> None:
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 (it hangs up at one of the chunks)
            for _ in range(1000 * PATIENCE_LIMIT // 0x8000):
                connection.sendall(chunk)
    assert call(daemon, TOKEN).status_code == 200
    assert clients(daemon) == []


def test_chunks_beyond_the_limit_are_413(daemon: Daemon) -> None:
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        connection.sendall(3 * chunk + b"0\r\n\r\n")
        status, document = read_all(connection)
    assert (status, document["code"]) == (413, "body.too-large")


def test_who_asks_before_sending_too_much_is_told_before_sending(daemon: Daemon) -> None:
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        status, document = read_all(connection)
    assert (status, document["code"]) == (413, "body.too-large")


def test_who_asks_before_sending_is_told_to_go_on(daemon: Daemon) -> None:
    body = json.dumps(DEBIT).encode()
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 201")


def test_a_body_that_dawdles_is_408_and_the_connection_closed(daemon: Daemon, mocker: MockerFixture) -> None:
    mocker.patch("cardiod.api.bodies.BODY_SECONDS", 0.5)
    body = json.dumps(DEBIT).encode()
    begin = time.monotonic()
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        for number in range(4):  # some of it keeps coming: what counts is when it is whole
            connection.sendall(body[number : number + 1])
            time.sleep(0.1)
        status, document = read_all(connection)
    assert (status, document["code"], document["money"]) == (408, "request.timeout", "none")
    assert time.monotonic() - begin < 5
    assert clients(daemon) == []


@pytest.mark.parametrize("part", [b"", b"GET /v1/ca", HEAD])
def test_a_header_that_dawdles_is_408_and_the_connection_closed(
    daemon: Daemon, mocker: MockerFixture, part: bytes
) -> None:
    mocker.patch("cardiod.connection.HEADER_SECONDS", 0.4)
    with connect(daemon) as connection:
        connection.sendall(part)
        for _ in range(3 if part else 0):
            time.sleep(0.1)
            connection.sendall(b"x")
        status, document = read_all(connection)
    assert (status, document["code"]) == (408, "request.timeout")


def test_a_second_request_on_a_connection_may_not_dawdle_either(daemon: Daemon, mocker: MockerFixture) -> None:
    mocker.patch("cardiod.connection.HEADER_SECONDS", 0.4)
    with connect(daemon) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /hea")
        assert read_all(connection)[0] == 408


def test_an_answer_may_take_longer_than_a_header(daemon: Daemon, mocker: MockerFixture) -> None:
    mocker.patch("cardiod.connection.HEADER_SECONDS", 0.2)
    mocker.patch("cardiod.api.bodies.BODY_SECONDS", 0.2)
    daemon.take_citizen_out()
    daemon.social.remove()
    refused(debit(daemon, TOKEN, "k", wait_s=0.8), 409, "card.absent")


@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"A" * 70000])
def test_what_is_no_http_is_told_as_everything_else_is(daemon: Daemon, rubbish: bytes) -> None:
    with connect(daemon) as connection:
        connection.sendall(rubbish)
        status, document = read_all(connection)
    assert (status, document["code"]) == (400, "input.invalid")
    assert call(daemon, TOKEN).status_code == 200


def test_who_hangs_up_in_the_middle_of_a_body_leaves_nothing(daemon: Daemon) -> None:
    with connect(daemon) as connection:
        connection.sendall(HEAD + b"Content-Length: 500\r\n\r\n{")
    assert call(daemon, TOKEN).status_code == 200
    assert clients(daemon) == []


def test_slow_callers_do_not_hold_up_others(daemon: Daemon) -> None:
    slow = [connect(daemon) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(HEAD + b"Content-Length: 500\r\n\r\n{")
        begin = time.monotonic()
        assert debit(daemon, TOKEN, "quick").status_code == 201
        assert time.monotonic() - begin < 5
    finally:
        for connection in slow:
            connection.close()
