/** The end of a question that no card will answer any more: two persons say what became of the money. */

import { post } from "../api.js";
import { button, h, viewOf } from "../dom.js";
import { t, word } from "../language.js";
import { decided, twoPersons } from "./persons.js";

const ANSWERS = ["moved", "none", "unknown"];

export function resolveView({ go, path }) {
  const [id] = path;
  const money = ANSWERS.map((value, index) =>
    h("input", { type: "radio", name: "money", value, required: true, "data-focus": index === 0 }),
  );
  const choice = (radio) => h("label", { class: "choice" }, radio, h("span", {}, t(`resolve.money.${radio.value}`)));
  const two = twoPersons();
  const result = h("div", {});
  const send = h("button", { type: "submit", class: "button button--danger" }, t("resolve.send"));
  const submit = (event) => {
    event.preventDefault();
    const body = { money: money.find((radio) => radio.checked).value, ...two.body() };
    const lines = [`${t("resolve.money")} ${word("money", body.money)}`];
    decided(body, lines, t("resolve.send"), result, send, async () => {
      await post(`transactions/${id}/resolve`, body);
      go(`transaction/${id}`);
    });
  };
  const back = button(t("back"), () => go(`recover/${id}`), { key: "Escape" });
  return {
    root: viewOf(
      t("resolve.title"),
      h("p", {}, t("resolve.about")),
      h(
        "form",
        { class: "form", onsubmit: submit },
        h("fieldset", {}, h("legend", {}, t("resolve.money")), money.map(choice)),
        two.parts,
        h("div", { class: "buttons" }, send, back),
      ),
      result,
    ),
    changed: () => {},
  };
}
