/** Transactions and their sums, as lists and tables. */

import { button, h, table } from "./dom.js";
import { clock, yuan } from "./format.js";
import { t, word } from "./language.js";
import { symbol } from "./symbols.js";

/** Operations that take money from a card. */
export const TAKING = ["purchase", "cash", "composite", "grey_debit"];

/** What a transaction is, in words: purse and operation. */
export function kindOf({ purse, operation }) {
  return `${word("purse", purse)} ${word("operation", operation)}`;
}

/** A state with its symbol. */
export function stateLabel(state) {
  return h("span", { class: `state state--${state}` }, symbol(state), word("state", state));
}

/** Transactions one below the other; `open` is called with the one that is chosen. */
export function transactionList(transactions, open) {
  return h("ul", { class: "plain list", "data-rows": true }, transactions.map((one) => h("li", {}, row(one, open))));
}

function row(transaction, open) {
  const line = button("", () => open(transaction), { id: transaction.id, kind: "row" });
  line.append(
    stateLabel(transaction.state),
    h("span", { class: "row__amount" }, yuan(transaction.amount_fen)),
    h("span", { class: "row__kind" }, kindOf(transaction)),
    h("span", { class: "row__card" }, transaction.card),
    h("span", { class: "row__time" }, clock(transaction.created_at)),
    h("span", { class: "row__reference" }, transaction.reference),
  );
  return line;
}

/** Sums by kind and state, as the daemon made them. */
export function totalsTable(caption, totals) {
  const heads = [t("totals.kind"), t("totals.state"), t("totals.count"), t("totals.amount")];
  const row = (total) => [kindOf(total), stateLabel(total.state), String(total.count), yuan(total.amount_fen)];
  return table(caption, heads, totals.map(row), [2, 3]);
}

/** Count and amount of what was taken from cards, and of what is not known. */
export function takenAndOpen(totals) {
  const taken = totals.filter(({ operation, state }) => state === "completed" && TAKING.includes(operation));
  return { taken: sum(taken), open: sum(totals.filter(({ state }) => state === "uncertain")) };
}

function sum(totals) {
  const add = (all, total) => ({ count: all.count + total.count, fen: all.fen + total.amount_fen });
  return totals.reduce(add, { count: 0, fen: 0 });
}

/** Where a transaction is told of: an open one where it is recovered, a leg with its bill. */
export function placeOf(transaction) {
  if (transaction.state === "uncertain") {
    return `recover/${transaction.id}`;
  }
  return transaction.settlement ? `settlement/${transaction.settlement}` : `transaction/${transaction.id}`;
}
