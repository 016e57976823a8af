/** A journal that is behind its cards takes no money until two persons have compared it with them and the centre. */

import { post } from "../api.js";
import { button, h, viewOf } from "../dom.js";
import { t } from "../language.js";
import { decided, twoPersons } from "./persons.js";

export function reconcileView({ counter, go }) {
  const two = twoPersons();
  const result = h("div", {});
  const send = h("button", { type: "submit", class: "button button--danger" }, t("reconcile.send"));
  const submit = (event) => {
    event.preventDefault();
    const body = two.body();
    decided(body, [], t("reconcile.send"), result, send, async () => {
      await post("journal/reconcile", body);
      counter.look();
      go("doctor");
    });
  };
  const back = button(t("back"), () => go("doctor"), { key: "Escape" });
  return {
    root: viewOf(
      t("reconcile.title"),
      h("p", {}, t("reconcile.about")),
      h("form", { class: "form", onsubmit: submit }, two.parts, h("div", { class: "buttons" }, send, back)),
      result,
    ),
    changed: () => {},
  };
}
