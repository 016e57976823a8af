/** Giving a payment back by an order to the settlement centre: no card has a way to undo a purchase. */

import { newKey, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { button, field, h, show, viewOf } from "../dom.js";
import { fen, yuan } from "../format.js";
import { t } from "../language.js";
import { attempt, notice } from "../problems.js";

export function refundView({ counter, go, path }) {
  const [collection, id] = path;
  // A bill is given back whole.
  const amount = collection === "transactions" ? amountInput() : null;
  const reason = h("input", { type: "text", required: true, maxlength: 255, "data-focus": amount === null });
  const [shift] = counter.status.shifts;
  const operator = h("input", { type: "text", maxlength: 64, value: shift ? shift.operator : null });
  const result = h("div", {});
  const send = h("button", { type: "submit", class: "button button--danger" }, t("refund.send"));
  // The same order however often it is sent.
  const key = newKey();
  const submit = async (event) => {
    event.preventDefault();
    const typed = amount === null ? "" : amount.value.trim();
    const wanted = typed === "" ? null : fen(typed);
    if (typed !== "" && !wanted) {
      show(result, notice("bad", t("refund.no_amount")));
      return;
    }
    const texts = { reason: reason.value.trim(), operator: operator.value.trim() || null };
    const body = { by: "order", ...texts, amount_fen: wanted };
    const what = wanted === null ? t("refund.all") : yuan(wanted);
    if (await confirmed(t("refund.question"), [what, texts.reason], t("refund.send"), "danger")) {
      await attempt(result, [send], async () => ordered(await post(`${collection}/${id}/reverse`, body, key)));
    }
  };
  const back = () => go(`${collection.slice(0, -1)}/${id}`);
  return {
    root: viewOf(
      t("refund.title"),
      h("p", {}, t("refund.about")),
      h(
        "form",
        { class: "form", onsubmit: submit },
        amount && field(t("refund.amount"), amount, t("refund.amount.hint")),
        field(t("refund.reason"), reason),
        field(t("fact.operator"), operator),
        h("div", { class: "buttons" }, send, button(t("back"), back, { key: "Escape" })),
      ),
      result,
    ),
    changed: () => {},
  };
}

function amountInput() {
  return h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "data-focus": true });
}

function ordered(document) {
  const orders = document.refunds || [document];
  const sum = orders.reduce((all, order) => all + order.amount_fen, 0);
  const cash = document.cash_back_fen > 0 ? t("refund.cash", { amount: yuan(document.cash_back_fen) }) : null;
  return notice("good", t("refund.done", { amount: yuan(sum) }), [cash, t("refund.done.about")]);
}
