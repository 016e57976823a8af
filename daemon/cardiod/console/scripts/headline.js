/**
 * The one large state: what is going on at the counter right now, and what to do.
 *
 * A headline has a `kind`, which gives colour and symbol, a `title`, and what to `say` about it; as far as there are
 * such: what to do `then`, `fen`, `due` (cash to take, fen), `facts`, the `place` that tells more, the `question` that
 * is open (id of its transaction), and what can be cancelled (`waits`, id of a transaction).
 */

import { clock, yuan } from "./format.js";
import { said, t, word } from "./language.js";
import { TAKING, placeOf } from "./lists.js";

const FRESH_MS = 60000;
/** How long a result stays. */
const PATIENCE_MS = 310000;
/** How long a card is awaited at most: longer than any till does. */
const TYPING_MS = 180000;
/** How long a holder can be asked for PINs at most; the pads end it before. */

export function headline(counter) {
  if (!counter.connected) {
    return { kind: "offline", title: t("now.offline"), say: t("now.offline.say") };
  }
  return ofPin(counter) || ofNow(counter) || ofQuestion(counter) || ofTroubles(counter) || ready(counter);
}

/** Checks of the daemon that are not well. */
export function troubles({ status }) {
  return Object.values(status.checks).filter((check) => !check.ok);
}

function ofPin({ pinAskedAt }) {
  const asked = pinAskedAt !== null && Date.now() - pinAskedAt < TYPING_MS;
  return asked ? { kind: "waiting", title: t("now.pin"), say: t("now.pin.say") } : null;
}

function ofNow(counter) {
  const { now } = counter;
  if (now === null || now.document === null || Date.now() - now.at > lasting(now)) {
    return null;
  }
  return now.kind === "settlement" ? ofSettlement(counter, now) : ofTransaction(counter, now);
}

/** How long it is shown, in milliseconds; an unknown outcome until there is another transaction. */
function lasting({ document, refused }) {
  if (["armed", "uncertain"].includes(document.state)) {
    return Infinity;
  }
  const awaited = ["accepted", "awaiting_card"].includes(document.state) && refused === null;
  return awaited ? PATIENCE_MS : FRESH_MS;
}

function ofQuestion(counter) {
  const [newest] = counter.uncertain;
  return newest ? ofOutcome(counter, newest) : null;
}

function ofTroubles(counter) {
  const found = troubles(counter);
  const say = found.map(said).join(" · ");
  return found.length === 0 ? null : { kind: "trouble", title: t("now.trouble"), say, place: "doctor" };
}

function ready({ recent }) {
  const [last] = recent;
  const line = last && `${clock(last.created_at)} ${yuan(last.amount_fen)} ${word("state", last.state)}`;
  return { kind: "idle", title: t("now.idle"), say: t("now.idle.say"), facts: [[t("now.last"), line]] };
}

function ofTransaction(counter, now) {
  const { document } = now;
  if (document.state !== "accepted") {
    return ofOutcome(counter, document);
  }
  const common = { fen: document.amount_fen, facts: saleFacts(counter, document), place: placeOf(document) };
  return now.refused
    ? { ...common, ...refusal(counter, now) }
    : { ...common, ...awaited(document.purse), waits: document.id };
}

/** A transaction whose card was reached, or that has ended. */
function ofOutcome(counter, document) {
  const { state, operation } = document;
  const found = { fen: document.amount_fen, facts: saleFacts(counter, document), place: placeOf(document) };
  switch (state) {
    case "armed":
      return { ...found, kind: "working", title: t("now.working"), say: t("now.working.say") };
    case "completed": {
      const say = document.recovered ? "now.completed.recovered" : "now.completed.say";
      return { ...found, kind: state, title: t(`now.completed.${operation}`), say: t(say) };
    }
    case "uncertain":
      return { ...found, kind: state, title: t("now.uncertain"), say: t("now.uncertain.say"), question: document.id };
    case "resolved":
      return { ...found, kind: state, title: t("now.resolved"), say: t(`now.resolved.${document.money}`) };
    case "not_genuine":
      return { ...found, kind: state, title: t("now.not_genuine"), say: t("now.not_genuine.say") };
    default: {
      const told = state === "declined" && document.error;
      const why = told ? reason(counter, document.error) : { say: t(`now.${state}.say`) };
      const what = TAKING.includes(operation) ? "debit" : "other";
      return { ...found, kind: state, title: t(`now.${state}.${what}`), ...why };
    }
  }
}

function ofSettlement(counter, now) {
  const { document } = now;
  const found = { fen: document.bill.total_fen, facts: billFacts(document), place: `settlement/${document.id}` };
  const leg = document.legs.find((one) => one.state === "armed" || one.state === document.state);
  if (leg && leg.state !== "accepted" && leg.state !== "completed") {
    return { ...ofOutcome(counter, leg), ...found };
  }
  switch (document.state) {
    case "accepted":
    case "awaiting_card": {
      const purse = now.waiting || (document.state === "accepted" ? "medical" : "wallet");
      return { ...found, ...(now.refused ? refusal(counter, now) : awaited(purse)) };
    }
    case "completed": {
      const due = document.due_fen;
      const say = due > 0 ? t("now.due.say") : t("now.completed.say");
      return { ...found, kind: "completed", title: t("now.completed.settle"), say, due };
    }
    default:
      return { ...found, kind: document.state, title: t("now.cancelled.debit"), say: t("now.cancelled.say") };
  }
}

function awaited(purse) {
  return { kind: "waiting", title: t(`now.waiting.${purse}`), say: t(`now.waiting.${purse}.say`) };
}

/** Nothing was begun, and the till may ask again. */
function refusal(counter, { refused }) {
  return { kind: "declined", title: t("now.declined.debit"), ...reason(counter, refused) };
}

function reason(counter, code) {
  const error = counter.error(code);
  // A missing card's own text asks for it already.
  const silent = ["none", "present_card"].includes(error.action);
  return { say: said(error), then: silent ? null : word("action", error.action) };
}

function saleFacts(counter, document) {
  return [
    [t("fact.card"), document.card],
    [t("fact.product"), document.product ? said(counter.product(document.product)) : null],
    [t("fact.balance_after"), document.balance_after_fen === null ? null : yuan(document.balance_after_fen)],
    [t("fact.reference"), document.reference],
  ];
}

function billFacts({ bill, legs, reference }) {
  const paid = legs.filter((leg) => leg.purse === "wallet" && leg.money === "moved");
  return [
    [t("fact.fund"), yuan(bill.fund_fen)],
    [t("fact.account"), yuan(bill.account_fen)],
    [t("fact.wallet"), paid.length ? yuan(paid[0].amount_fen) : null],
    [t("fact.reference"), reference],
  ];
}
