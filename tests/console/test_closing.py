"""The end of a shift and of a batch."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.desk import OPERATOR, Screen


def test_a_shift_is_opened_and_closed_with_a_slip_that_anchors_the_journal(screen: Screen) -> None:
    desk = screen.desk
    screen.press("F6")
    screen.fill("操作员", OPERATOR)
    screen.fill("窗口", "3号窗")
    screen.strike("Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("已开班：收银员01")
    expect(screen.page.get_by_role("banner")).to_contain_text("当班：收银员01")
    desk.debit(1234)
    expect(screen.view.get_by_role("row", name="电子钱包 消费 成功 1 ¥12.34")).to_be_visible()
    screen.push("交班")
    expect(screen.dialog).to_contain_text("收银员01 交班？")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("已交班：收银员01")
    expect(screen.page.get_by_role("banner")).to_contain_text("未开班")
    [shift] = desk.call("GET", "shifts").json()["shifts"]
    [slip] = screen.prints
    for text in ("交班单", OPERATOR, "3号窗", "999999000001", "1 × = ¥12.34", shift["software"]):
        assert text in slip
    for head in (shift["opened_head"], shift["closed_head"]):
        assert f"{head['seq']}\n{head['hash'][:32]}\n{head['hash'][32:]}" in slip
    screen.press("P")
    assert screen.prints == [slip, slip]


def test_a_second_shift_of_the_same_operator_is_refused(screen: Screen) -> None:
    screen.desk.call("POST", "shifts", {"operator": OPERATOR})
    screen.press("F6")
    screen.fill("操作员", OPERATOR)
    screen.strike("Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("shift.open")


def test_a_batch_is_closed_once_and_its_file_is_the_daemons(screen: Screen) -> None:
    desk = screen.desk
    screen.press("F7")
    expect(screen.view).to_contain_text("待结 0 条记录")
    expect(screen.key("J")).to_be_disabled()
    desk.debit(1234)
    expect(screen.view).to_contain_text("待结 1 条记录")
    screen.press("J")
    expect(screen.dialog).to_contain_text("把 1 条记录结为一批？")
    screen.press("Escape")
    expect(screen.dialog).to_have_count(0)
    assert desk.call("GET", "batches").json()["batches"] == []
    screen.press("J")
    screen.strike("Shift+Tab", "Enter")
    expect(screen.view.get_by_role("alert")).to_contain_text("第 1 批已结，共 1 条")
    expect(screen.view).to_contain_text("待结 0 条记录")
    [batch] = desk.call("GET", "batches").json()["batches"]
    expect(screen.view).to_contain_text(batch["hash"])
    with screen.page.expect_download() as begun:
        screen.push("下载文件")
    assert begun.value.suggested_filename == "batch-000001.ndjson"
    assert begun.value.path().read_text(encoding="utf-8") == desk.call("GET", "batches/1/file").text


def test_the_checks_show_what_is_wrong_and_test_readers_and_keys(screen: Screen) -> None:
    screen.press("F8")
    for text in ("读卡器正常", "密钥正常", "流水正常", "时钟正常", "存储空间正常", "cardiod doctor"):
        expect(screen.view).to_contain_text(text)
    screen.push("测试读卡")
    expect(screen.view.get_by_role("alert")).to_contain_text("citizen：读卡正常")
    screen.push("检查")
    expect(screen.view.get_by_role("alert")).to_contain_text("密钥正常：999999000001")
    screen.desk.citizen.remove()
    screen.push("测试读卡")
    expect(screen.view.get_by_role("alert")).to_contain_text("请插卡或放卡")
    screen.desk.driver.unplug("sam")
    expect(screen.view).to_contain_text("未插入PSAM卡")
