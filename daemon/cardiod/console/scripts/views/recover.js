/** The way out of an unknown outcome, step by step: the same card answers; else two persons decide. */

import { post } from "../api.js";
import { button, facts, h, show, viewOf } from "../dom.js";
import { moment, yuan } from "../format.js";
import { said, t, word } from "../language.js";
import { kindOf, stateLabel } from "../lists.js";
import { attempt, notice } from "../problems.js";
import { lying } from "../readerspanel.js";
import { fetched } from "./fetched.js";

const WAIT_S = 30;

export function recoverView({ counter, go, path }) {
  const [id] = path;
  const guide = h("div", {});
  const cards = h("div", { role: "status" });
  let wanted = null;
  const seeCards = () => wanted !== null && show(cards, cardLines(counter, wanted));
  const look = fetched(guide, () => `transactions/${id}`, (transaction) => {
    wanted = transaction;
    seeCards();
    const open = transaction.state === "uncertain";
    const way = open ? steps(transaction, cards, go, () => look()) : ended(transaction, go);
    return h("div", { class: "guide" }, way, summary(counter, transaction));
  });
  const back = button(t("back"), () => go("counter"), { key: "Escape" });
  return {
    root: viewOf(t("recover.title"), guide, h("div", { class: "buttons" }, back)),
    changed: (part) => {
      if (part === "presence") {
        seeCards();
      } else if (part === "books") {
        look();
      }
    },
  };
}

function summary(counter, transaction) {
  return h(
    "div",
    { class: "box" },
    h("p", { class: "figure" }, yuan(transaction.amount_fen), h("small", {}, kindOf(transaction))),
    facts([
      [t("fact.card"), transaction.card],
      [t("fact.product"), transaction.product ? said(counter.product(transaction.product)) : null],
      [t("fact.time"), moment(transaction.created_at)],
      [t("fact.reference"), transaction.reference],
      [t("fact.operator"), transaction.operator],
    ]),
  );
}

function steps(transaction, cards, go, look) {
  const result = h("div", {});
  const ask = button(t("recover.ask"), () => attempt(result, [ask], () => asked(transaction, look, result)), {
    key: "Q",
    kind: "main",
  });
  const pin = transaction.purse === "medical" ? h("p", {}, t("recover.pin")) : null;
  const persons = button(t("recover.persons"), () => go(`resolve/${transaction.id}`), { key: "Z" });
  const step = (title, about, ...parts) => h("li", {}, h("h2", {}, title), h("p", {}, about), parts);
  return h(
    "ol",
    { class: "steps" },
    step(t("recover.step.card"), t("recover.step.card.do"), cards),
    step(t("recover.step.ask"), t("recover.step.ask.do"), pin, ask, result),
    step(t("recover.step.persons"), t("recover.step.persons.do"), persons),
  );
}

/** What lies in each reader: the card of the transaction, or another one, as far as its last digits tell. */
function cardLines(counter, transaction) {
  const readers = counter.readers.filter((reader) => reader.kind === "card");
  const found = readers.map((reader) => lying(counter, reader)).filter(({ card }) => card !== undefined);
  if (found.length === 0) {
    return h("p", { class: "seen seen--none" }, t("recover.no_card"));
  }
  return found.map(({ card }) => {
    const same = card.number === transaction.card;
    const text = t(same ? "recover.same_card" : "recover.other_card", { card: card.number });
    return h("p", { class: same ? "seen seen--same" : "seen seen--other" }, text);
  });
}

async function asked(transaction, look, result) {
  show(result, notice("good", t("recover.asking", { seconds: WAIT_S })));
  const found = await post(`transactions/${transaction.id}/recover`, { wait_s: WAIT_S });
  if (found.state === "uncertain") {
    return notice("bad", t("recover.still"), [t("recover.still.do")]);
  }
  await look();
  return null;
}

function ended({ state, settlement, id, money }, go) {
  const place = settlement ? `settlement/${settlement}` : `transaction/${id}`;
  return h(
    "div",
    {},
    notice(state === "not_genuine" ? "bad" : "good", word("recovered", state), [t("recovered.about")]),
    h("p", {}, stateLabel(state), " ", word("money", money)),
    button(t("now.details"), () => go(place), { key: "D", kind: "main" }),
  );
}
