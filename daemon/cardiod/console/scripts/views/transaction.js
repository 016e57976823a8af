/** All about one transaction. */

import { button, facts, h, viewOf } from "../dom.js";
import { moment, yuan } from "../format.js";
import { said, t, word } from "../language.js";
import { TAKING, kindOf, stateLabel } from "../lists.js";
import { fetched } from "./fetched.js";
import { receipt } from "./receipt.js";

export function transactionView({ counter, go, path }) {
  const [id] = path;
  const root = h("div", {});
  const look = fetched(root, () => `transactions/${id}`, (transaction) => drawn(counter, transaction, go));
  const back = button(t("back"), () => go("today"), { key: "Escape" });
  return {
    root: viewOf(t("transaction.title"), root, back),
    changed: (part) => part === "books" && look(),
  };
}

function drawn(counter, transaction, go) {
  const { id, state } = transaction;
  const refundable = state === "completed" && TAKING.includes(transaction.operation) && !transaction.reversed_by;
  return h(
    "div",
    { class: "pair" },
    h(
      "section",
      {},
      h("p", { class: "figure" }, yuan(transaction.amount_fen), h("small", {}, kindOf(transaction)), stateLabel(state)),
      facts(details(counter, transaction)),
      h(
        "div",
        { class: "buttons" },
        state === "uncertain" ? button(t("now.recover"), () => go(`recover/${id}`), { key: "R", kind: "main" }) : null,
        refundable ? button(t("refund.open"), () => go(`refund/transactions/${id}`), { key: "T" }) : null,
      ),
    ),
    receipt("transactions", transaction),
  );
}

function details(counter, transaction) {
  const { error, resolution, reversed_by: given_back } = transaction;
  const money = (fen) => (fen === null || fen === undefined ? null : yuan(fen));
  return [
    [t("fact.why"), error ? said(counter.error(error)) : null],
    [t("fact.money"), word("money", transaction.money)],
    [t("fact.card"), transaction.card],
    [t("fact.product"), transaction.product ? said(counter.product(transaction.product)) : null],
    [t("fact.time"), moment(transaction.created_at)],
    [t("fact.reference"), transaction.reference],
    [t("fact.operator"), transaction.operator],
    [t("fact.balance_before"), money(transaction.balance_before_fen)],
    [t("fact.balance_after"), money(transaction.balance_after_fen)],
    [t("fact.tac"), transaction.tac],
    [t("fact.terminal"), transaction.terminal_number],
    [t("fact.sequence"), transaction.terminal_sequence],
    [t("fact.reader"), transaction.reader],
    [t("fact.evidence"), transaction.evidence.map(({ kind }) => word("evidence", kind)).join(t("list.comma"))],
    [t("fact.persons"), resolution ? resolution.persons.join(t("list.comma")) : null],
    [t("persons.reason"), resolution ? resolution.reason : null],
    [t("fact.given_back"), given_back ? given_back.length : null],
    [t("fact.id"), transaction.id],
  ];
}
