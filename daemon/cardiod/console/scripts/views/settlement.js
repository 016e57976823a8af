/** All about the payment of one bill. */

import { button, facts, h, viewOf } from "../dom.js";
import { moment, yuan } from "../format.js";
import { t } from "../language.js";
import { stateLabel, transactionList } from "../lists.js";
import { fetched } from "./fetched.js";
import { receipt } from "./receipt.js";

export function settlementView({ go, path }) {
  const [id] = path;
  const root = h("div", {});
  const look = fetched(root, () => `settlements/${id}`, (settlement) => drawn(settlement, go));
  const back = button(t("back"), () => go("today"), { key: "Escape" });
  return {
    root: viewOf(t("settlement.title"), root, back),
    changed: (part) => part === "books" && look(),
  };
}

/** By how much the figures of a bill do not make the sum that they should; nobody corrects them but who split it. */
function unbalanced({ bill_checks: checks = [] }) {
  const wrong = checks.filter(({ holds }) => !holds);
  return wrong.length ? wrong.map((check) => `${t(`bill.${check.identity}`)} ${yuan(check.difference_fen)}`).join("; ") : null;
}

function drawn(settlement, go) {
  const { id, bill, legs, state } = settlement;
  const open = ({ id: leg, state: stands }) => go(stands === "uncertain" ? `recover/${leg}` : `transaction/${leg}`);
  const refund = button(t("refund.open"), () => go(`refund/settlements/${id}`), { key: "T" });
  return h(
    "div",
    { class: "pair" },
    h(
      "section",
      {},
      h("p", { class: "figure" }, yuan(bill.total_fen), h("small", {}, t("settlement.total")), stateLabel(state)),
      facts([
        [t("fact.fund"), yuan(bill.fund_fen)],
        [t("fact.account"), yuan(bill.account_fen)],
        [t("fact.mutual_aid"), bill.mutual_aid_fen ? yuan(bill.mutual_aid_fen) : null],
        [t("fact.self_pay"), yuan(bill.self_pay_fen)],
        [t("fact.hospital"), bill.hospital_fen ? yuan(bill.hospital_fen) : null],
        [t("fact.unbalanced"), unbalanced(settlement)],
        [t("now.due"), yuan(settlement.due_fen)],
        [t("fact.time"), moment(settlement.created_at)],
        [t("fact.reference"), settlement.reference],
        [t("fact.operator"), settlement.operator],
        [t("fact.id"), id],
      ]),
      h("h2", {}, t("settlement.legs")),
      transactionList(legs, open),
      h("div", { class: "buttons" }, state === "completed" ? refund : null),
    ),
    receipt("settlements", settlement),
  );
}
