"""The stream of events: it comes back after every break, and misses nothing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.conftest import OpenScreen
from tests.console.desk import Screen

LOOK_MS = 21_000
"""After so long the page looks by itself whether everything is as it knows."""

PARSE = """async ([pieces]) => {
  const { Messages } = await import("/console/scripts/messages.js");
  const told = [];
  const messages = new Messages((message) => told.push([message.type, message.data, message.id]));
  pieces.forEach((piece) => messages.feed(piece));
  return told;
}"""
STREAM = (
    'id: 5\nevent: card.inserted\ndata: {"a":1}\n\n'
    ": a comment\n\n"
    "data: one\ndata:two\r\n\r\n"
    "event: without data\n\n"
    "id: 6\ndata:\n\n"
)


def test_a_break_of_the_line_is_shown_and_nothing_is_missed(open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.clock.install()
    screen.log_in()
    context = screen.page.context
    context.set_offline(True)
    screen.page.clock.fast_forward(LOOK_MS)
    screen.shows("offline", "与终端服务的连接中断", "请勿据此收款")
    assert screen.desk.debit(1234, "MISSED").status_code == 201
    context.set_offline(False)
    screen.shows("completed", "MISSED")


def test_what_began_before_the_first_event_came_is_shown_when_the_stream_is_there(open_screen: OpenScreen) -> None:
    screen = open_screen()
    screen.page.route("**/v1/events", lambda route: route.abort())
    screen.log_in()
    screen.shows("offline")
    assert screen.desk.debit(1234, "EARLY").status_code == 201
    screen.page.unroute("**/v1/events")
    screen.shows("completed", "EARLY")


def test_a_new_start_of_the_daemon_ends_the_login_and_says_so(screen: Screen) -> None:
    screen.desk.stop()
    screen.shows("offline")
    expect(screen.page.get_by_role("banner")).to_contain_text("连接中断")
    screen.desk.start()
    expect(screen.page.get_by_role("alert")).to_contain_text("登录已失效")
    screen.fill("一次性地址", screen.desk.address())
    screen.strike("Enter")
    screen.shows("idle")
    screen.desk.debit(1234)
    screen.shows("completed")


def test_without_a_daemon_the_page_says_so_when_something_is_asked(screen: Screen) -> None:
    screen.press("F7")
    expect(screen.view).to_contain_text("待结 0 条记录")
    screen.desk.stop()
    screen.press("F6")
    expect(screen.view.get_by_role("alert")).to_contain_text("终端服务没有应答")


def test_events_are_read_however_the_line_cuts_them(screen: Screen) -> None:
    wanted = [["card.inserted", '{"a":1}', "5"], ["message", "one\ntwo", None], ["message", "", "6"]]
    for size in (1, 2, 3, 7, len(STREAM)):
        pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
        assert screen.page.evaluate(PARSE, [pieces]) == wanted
