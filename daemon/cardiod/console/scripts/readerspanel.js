/** The readers, and the card that lies on each: its product and the last digits of its number, nobody's name. */

import { h } from "./dom.js";
import { said, t, word } from "./language.js";

/** What lies in one reader: `state` for its look, and the lines that say it. */
export function lying(counter, reader) {
  if (reader.state === "poisoned" || reader.state === "stopped") {
    return { state: "bad", lines: [t(`reader.${reader.state}`)] };
  }
  const card = counter.cards.find((one) => one.reader === reader.name);
  if (card === undefined) {
    return { state: "empty", lines: [t(reader.card_present ? "reader.released" : "reader.empty")] };
  }
  if (card.error) {
    return { state: "bad", lines: [said(card.error)] };
  }
  if (!card.identified) {
    return { state: "busy", lines: [t("reader.looking")] };
  }
  const names = card.products.map((id) => said(counter.product(id))).join(t("list.comma"));
  const purses = card.purses.map((purse) => word("purse", purse)).join(t("list.comma"));
  return { state: "card", lines: [names, card.number, purses].filter(Boolean), card };
}

export function readersPanel(counter) {
  const readers = counter.readers.filter((reader) => reader.kind === "card");
  return [
    h("h2", {}, t("readers.title")),
    readers.length === 0 ? h("p", { class: "quiet" }, t("readers.none")) : null,
    h("ul", { class: "plain" }, readers.map((reader) => readerItem(counter, reader))),
    h("h2", {}, t("sams.title")),
    counter.sams.length === 0 ? h("p", { class: "bad" }, t("sams.none")) : null,
    h("ul", { class: "plain" }, counter.sams.map(samItem)),
  ];
}

function readerItem(counter, reader) {
  const { state, lines } = lying(counter, reader);
  const pad = reader.pin_pad ? h("p", { class: "quiet" }, t("reader.pin_pad")) : null;
  return h(
    "li",
    { class: `reader reader--${state}` },
    h("p", { class: "reader__name" }, reader.name),
    lines.map((line, index) => h("p", { class: index === 0 ? "reader__card" : "" }, line)),
    pad,
  );
}

function samItem(sam) {
  return h(
    "li",
    { class: "reader reader--sam" },
    h("p", { class: "reader__card" }, word("sam.kind", sam.kind), sam.virtual ? ` ${t("sam.virtual")}` : ""),
    sam.terminal_number ? h("p", {}, t("sam.terminal", { number: sam.terminal_number })) : null,
  );
}
