/** Today's transactions with their sums. */

import { get } from "../api.js";
import { button, field, h, show, viewOf } from "../dom.js";
import { yuan } from "../format.js";
import { t, word } from "../language.js";
import { placeOf, takenAndOpen, totalsTable, transactionList } from "../lists.js";
import { attempt } from "../problems.js";
import { fetched } from "./fetched.js";

const PAGE = 50;
const STATES = [
  ...["completed", "uncertain", "declined", "not_debited", "not_genuine", "cancelled", "resolved"],
  ...["accepted"],
];

export function todayView({ counter, go }) {
  const states = STATES.map((one) => h("option", { value: one }, word("state", one)));
  const state = h("select", {}, h("option", { value: "" }, t("today.all")), states);
  const reference = h("input", { type: "search", maxlength: 64, autocomplete: "off" });
  const list = h("div", {});
  const wanted = () => query({ since: counter.midnight(), state: state.value, reference: reference.value.trim() });
  const path = () => `transactions?${wanted()}`;
  const open = (one) => go(placeOf(one));
  const next = (before) => get(`transactions?${wanted()}&before=${before}`);
  const look = fetched(list, path, (page) => drawn(page, open, next));
  const search = (event) => {
    event.preventDefault();
    look();
  };
  state.addEventListener("change", look);
  return {
    root: viewOf(
      t("today.title"),
      h(
        "form",
        { class: "filter", onsubmit: search },
        field(t("totals.state"), state),
        field(t("fact.reference"), reference),
        h("button", { type: "submit", class: "button" }, t("today.search")),
      ),
      list,
    ),
    changed: (part) => part === "books" && look(),
  };
}

/** The parameters that have a value, and the size of a page. */
function query(values) {
  const parameters = new URLSearchParams({ limit: PAGE });
  Object.entries(values).filter(([, value]) => value).forEach(([name, value]) => parameters.set(name, value));
  return parameters;
}

function drawn(page, open, next) {
  if (page.transactions.length === 0) {
    return h("p", { class: "quiet" }, t("list.empty"));
  }
  const { taken, open: unknown } = takenAndOpen(page.totals);
  return [
    h(
      "div",
      { class: "tiles" },
      tile("tile", t("today.taken", { count: taken.count }), taken.fen),
      unknown.count > 0 ? tile("tile tile--open", t("today.open", { count: unknown.count }), unknown.fen) : null,
    ),
    totalsTable(t("totals.caption"), page.totals),
    h("h2", {}, t("today.list")),
    pages(page, open, next),
  ];
}

function tile(look, text, fen) {
  return h("p", { class: look }, h("small", {}, text), yuan(fen));
}

/** A page of the list, and a button for the next, which takes the button's place. */
function pages(page, open, next) {
  const rest = h("div", {});
  const fetchMore = async () => pages(await next(page.next), open, next);
  const more = button(t("today.more"), () => attempt(rest, [more], fetchMore), { id: "more" });
  if (page.next !== null) {
    show(rest, more);
  }
  return h("div", {}, transactionList(page.transactions, open), rest);
}
