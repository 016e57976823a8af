/** What stops all money until two persons have looked at it: a journal that is behind its cards, or a clock. */

import { post } from "../api.js";
import { button, h, viewOf } from "../dom.js";
import { t } from "../language.js";
import { decided, twoPersons } from "./persons.js";

const WAYS = { "journal.behind": "reconcile", "clock.untrusted": "accept-clock" };
/** Where the daemon is told of it, by the code of the check. */

/** The standstill among the checks of the daemon, by its code; undefined if two persons can end none. */
export function standstill({ checks }) {
  return Object.values(checks)
    .map((check) => check.code)
    .find((code) => code in WAYS);
}

export function standstillView({ counter, go, path }) {
  const [code] = path;
  const two = twoPersons();
  const result = h("div", {});
  const yes = t("standstill.send");
  const send = h("button", { type: "submit", class: "button button--danger" }, yes);
  const submit = (event) => {
    event.preventDefault();
    const body = two.body();
    decided(body, [], yes, result, send, async () => {
      await post(`journal/${WAYS[code]}`, body);
      counter.look();
      go("doctor");
    });
  };
  const back = button(t("back"), () => go("doctor"), { key: "Escape" });
  return {
    root: viewOf(
      t("standstill.title"),
      h("p", {}, t(`standstill.${code}`)),
      h("form", { class: "form", onsubmit: submit }, two.parts, h("div", { class: "buttons" }, send, back)),
      result,
    ),
    changed: () => {},
  };
}
