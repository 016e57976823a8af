"""Today's transactions: the list with its sums, one of them, its reprints, and giving it back."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.desk import Screen

SCRIPT = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>'


def open_newest(screen: Screen) -> None:
    """From the large state to the details."""
    screen.shows("completed")
    screen.press("D")
    expect(screen.page.get_by_role("heading", level=1)).to_be_focused()


def test_today_has_a_list_and_the_daemons_sums(screen: Screen) -> None:
    desk = screen.desk
    for number, amount in enumerate((1234, 560, 2350)):
        assert desk.debit(amount, f"SALE-{number}").status_code == 201
    assert desk.debit(90000, "TOO-MUCH").status_code == 402
    screen.press("F4")
    expect(screen.view).to_contain_text("已收款 3 笔¥41.44")
    expect(screen.view.get_by_role("row", name="电子钱包 消费 成功 3 ¥41.44")).to_be_visible()
    rows = screen.view.locator(".list button")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("SALE-2")
    desk.debit(100, "LATER")
    expect(rows).to_have_count(5)


def test_a_sale_is_found_by_its_reference_and_its_state(screen: Screen) -> None:
    for number in range(3):
        screen.desk.debit(100, f"SALE-{number}")
    screen.desk.debit(90000, "TOO-MUCH")
    screen.press("F4")
    rows = screen.view.locator(".list button")
    expect(rows).to_have_count(4)
    screen.fill("业务单号", "SALE-1")
    screen.strike("Enter")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("SALE-1")
    screen.fill("业务单号", "")
    screen.strike("Delete", "Enter")
    expect(rows).to_have_count(4)
    screen.tab_to(screen.page.get_by_label("状态"))
    screen.strike("ArrowDown", "ArrowDown", "ArrowDown")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("TOO-MUCH")


def test_arrows_go_through_the_list_and_enter_opens_one(screen: Screen) -> None:
    for number in range(3):
        screen.desk.debit(100, f"SALE-{number}")
    screen.press("F4")
    rows = screen.view.locator(".list button")
    expect(rows).to_have_count(3)
    screen.tab_to(rows.first)
    screen.strike("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp")
    expect(rows.nth(1)).to_be_focused()
    screen.strike("Enter")
    expect(screen.view).to_contain_text("交易详情")
    expect(screen.view).to_contain_text("SALE-1")
    screen.press("Escape")
    expect(screen.view).to_contain_text("今日交易")


def test_details_tell_the_whole_story(screen: Screen) -> None:
    sale = screen.desk.debit(1234, "SALE").json()
    open_newest(screen)
    for text in (sale["id"], sale["tac"], "****0123", "999999000001", "¥500.00", "¥487.66", "收银员01", "SALE"):
        expect(screen.view).to_contain_text(text)
    expect(screen.view.locator(".voucher")).to_contain_text("电子钱包消费凭证")


def test_reprints_are_counted_marked_and_printed_without_the_page(screen: Screen) -> None:
    screen.desk.debit(1234)
    open_newest(screen)
    screen.press("P")
    expect(screen.view.locator(".voucher")).to_contain_text("重印 REPRINT 1")
    expect(screen.view.get_by_role("alert")).to_contain_text("已重印")
    screen.press("P")
    expect(screen.view.locator(".voucher")).to_contain_text("重印 REPRINT 2")
    assert ["REPRINT 1" in screen.prints[0], "REPRINT 2" in screen.prints[1]] == [True, True]
    screen.page.emulate_media(media="print")
    expect(screen.page.locator("#paper")).to_be_visible()
    expect(screen.now).to_be_hidden()


def test_vouchers_are_saved_for_printers_and_as_pdf(screen: Screen) -> None:
    sale = screen.desk.debit(1234).json()
    open_newest(screen)
    for key, name, beginning in (("E", f"{sale['id']}.bin", b"\x1b@"), ("F", f"{sale['id']}.pdf", b"%PDF-")):
        with screen.page.expect_download() as begun:
            screen.press(key)
        assert begun.value.suggested_filename == name
        assert begun.value.path().read_bytes().startswith(beginning)


def test_a_paid_sale_is_given_back_by_an_order_and_never_twice(screen: Screen) -> None:
    sale = screen.desk.debit(1234).json()
    open_newest(screen)
    screen.press("T")
    expect(screen.page.get_by_label("金额（元）")).to_be_focused()
    screen.type("twelve")
    screen.fill("退款原因", "退货")
    screen.push("开立退款指令")
    expect(screen.view.get_by_role("alert")).to_contain_text("金额格式不对")
    screen.fill("金额（元）", "2.3")
    screen.push("开立退款指令")
    expect(screen.dialog).to_contain_text("¥2.30")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("退款指令已开立：¥2.30")
    # The same order again, from the same page.
    screen.push("开立退款指令")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.dialog).to_have_count(0)
    expect(screen.view.get_by_role("alert")).to_contain_text("退款指令已开立：¥2.30")
    assert len(screen.desk.call("GET", f"transactions/{sale['id']}").json()["reversed_by"]) == 1


def test_a_settlement_has_its_legs_one_voucher_and_one_refund(screen: Screen) -> None:
    bill = screen.desk.settle(10000, 6000, 2500, "wallet").json()
    open_newest(screen)
    expect(screen.view).to_contain_text("医保结算详情")
    expect(screen.view.locator(".list button")).to_have_count(2)
    screen.press("P")
    expect(screen.view.locator(".voucher")).to_contain_text("重印 REPRINT 1")
    screen.press("T")
    screen.fill("退款原因", "退费")
    screen.push("开立退款指令")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("退款指令已开立：¥40.00")
    again = {"by": "order", "reason": "again"}
    assert screen.desk.call("POST", f"settlements/{bill['id']}/reverse", again, "other").status_code == 409


def test_what_callers_send_is_text_and_never_part_of_the_page(screen: Screen) -> None:
    desk = screen.desk
    assert desk.call("POST", "shifts", {"operator": SCRIPT[:64], "lane": SCRIPT[:64]}).status_code == 201
    assert desk.debit(1234, SCRIPT[:64], operator=SCRIPT[:64]).status_code == 201
    screen.shows("completed", SCRIPT[:64])
    expect(screen.page.get_by_role("banner")).to_contain_text(SCRIPT[:40])
    for key in ("F4", "F6", "F7", "F2", "D"):
        screen.press(key)
        expect(screen.view).to_contain_text("<img src=x" if key in {"F4", "F6", "D"} else "")
    screen.page.goto(f"{desk.url}/#transaction/{SCRIPT}")
    screen.page.goto(f"{desk.url}/#{SCRIPT}")
    expect(screen.now).to_be_visible()
    assert screen.page.locator("img, script:not([src])").count() == 0
    assert screen.page.evaluate("window.attacked") is None
