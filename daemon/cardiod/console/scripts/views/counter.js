/** The first view: beside the large state what is open, and how the day goes. */

import { h, heading, show } from "../dom.js";
import { yuan } from "../format.js";
import { t } from "../language.js";
import { placeOf, takenAndOpen, transactionList } from "../lists.js";

export function counterView({ counter, go }) {
  const boxes = h("div", {});
  const title = heading(t("counter.title"));
  title.classList.add("hidden");
  const draw = () => show(boxes, uncertainBox(counter, go), todayBox(counter), recentBox(counter, go));
  draw();
  return {
    root: h("div", { class: "side" }, title, boxes),
    changed: (part) => part === "books" && draw(),
  };
}

function uncertainBox({ uncertain }, go) {
  if (uncertain.length === 0) {
    return null;
  }
  return h(
    "section",
    { class: "box box--alarm" },
    h("h2", {}, t("counter.uncertain", { count: uncertain.length })),
    transactionList(uncertain, (one) => go(placeOf(one))),
  );
}

function todayBox({ today }) {
  const { taken, open } = takenAndOpen(today);
  return h(
    "section",
    { class: "box" },
    h("h2", {}, t("today.title")),
    figure(taken, t("today.taken", { count: taken.count })),
    open.count > 0 ? figure(open, t("today.open", { count: open.count })) : null,
  );
}

function figure({ fen }, text) {
  return h("p", { class: "figure" }, yuan(fen), h("small", {}, text));
}

function recentBox({ recent }, go) {
  const list = () => transactionList(recent, (one) => go(placeOf(one)));
  return h(
    "section",
    { class: "box" },
    h("h2", {}, t("counter.recent")),
    recent.length === 0 ? h("p", { class: "quiet" }, t("list.empty")) : list(),
  );
}
