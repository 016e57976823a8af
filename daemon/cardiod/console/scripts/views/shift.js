/** Opening and closing shifts. */

import { post } from "../api.js";
import { confirmed } from "../dialog.js";
import { button, facts, field, h, viewOf } from "../dom.js";
import { moment } from "../format.js";
import { t } from "../language.js";
import { totalsTable } from "../lists.js";
import { print } from "../paper.js";
import { attempt, notice } from "../problems.js";
import { slip } from "../slip.js";
import { fetched } from "./fetched.js";

const SHOWN = 10;

export function shiftView() {
  const list = h("div", {});
  const result = h("div", {});
  const look = fetched(list, () => "shifts", ({ shifts }) => drawn(shifts, result, () => look()));
  return {
    root: viewOf(t("shift.title"), result, opening(result, look), list),
    changed: (part) => part === "books" && look(),
  };
}

function opening(result, look) {
  const operator = h("input", { type: "text", required: true, maxlength: 64, autocomplete: "off" });
  const lane = h("input", { type: "text", maxlength: 64, autocomplete: "off" });
  const open = h("button", { type: "submit", class: "button button--main" }, t("shift.open"));
  const submit = (event) => {
    event.preventDefault();
    attempt(result, [open], async () => {
      const shift = await post("shifts", { operator: operator.value.trim(), lane: lane.value.trim() });
      operator.value = "";
      look();
      return notice("good", t("shift.is_open", { operator: shift.operator }));
    });
  };
  const controls = [field(t("shift.operator"), operator), field(t("shift.lane"), lane), open];
  return h("form", { class: "filter", onsubmit: submit }, controls);
}

function drawn(shifts, result, look) {
  const open = shifts.filter((shift) => shift.closed_at === null);
  const closed = shifts.filter((shift) => shift.closed_at !== null).slice(0, SHOWN);
  return [
    open.length === 0 ? h("p", { class: "quiet" }, t("shift.none")) : null,
    open.map((shift) => openShift(shift, result, look)),
    closed.length === 0 ? null : h("h2", {}, t("shift.former")),
    h("ul", { class: "plain list", "data-rows": true }, closed.map(closedShift)),
  ];
}

function openShift(shift, result, look) {
  const close = button(t("shift.close"), () => closing(shift, result, close, look), { id: shift.id, kind: "danger" });
  return h(
    "section",
    { class: "box" },
    h("h2", {}, shift.operator, shift.lane ? ` · ${shift.lane}` : ""),
    facts([
      [t("shift.opened"), moment(shift.opened_at)],
      [t("shift.terminals"), shift.terminals.join(" ")],
    ]),
    totalsTable(t("totals.caption"), shift.totals),
    h("div", { class: "buttons" }, close),
  );
}

async function closing(shift, result, close, look) {
  const { operator } = shift;
  const question = t("shift.question", { operator });
  if (await confirmed(question, [t("shift.question.about")], t("shift.close"), "danger")) {
    await attempt(result, [close], async () => {
      const text = slip(await post(`shifts/${shift.id}/close`));
      look();
      print(text);
      return [notice("good", t("shift.is_closed", { operator })), slipOnScreen(text)];
    });
  }
}

function slipOnScreen(text) {
  return [
    h("pre", { class: "voucher", tabindex: 0, "aria-label": t("slip.title") }, text),
    h("div", { class: "buttons" }, button(t("slip.print"), () => print(text), { key: "P", kind: "main" })),
  ];
}

function closedShift(shift) {
  const line = button("", () => print(slip(shift)), { id: shift.id, kind: "row" });
  line.append(
    h("span", { class: "row__kind" }, shift.operator),
    h("span", { class: "row__time" }, `${moment(shift.opened_at)} – ${moment(shift.closed_at)}`),
    h("span", { class: "row__reference" }, t("slip.print")),
  );
  return h("li", {}, line);
}
