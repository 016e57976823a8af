/** Two persons who answer for something together, by name and with their grounds. */

import { field, h, show } from "../dom.js";
import { confirmed } from "../dialog.js";
import { t } from "../language.js";
import { attempt, notice } from "../problems.js";

/** Their controls as `parts`, and what they said as the `body` of a request. */
export function twoPersons() {
  const person = () => h("input", { type: "text", required: true, maxlength: 64, autocomplete: "off" });
  const persons = [person(), person()];
  const reason = h("textarea", { required: true, maxlength: 255, rows: 2 });
  return {
    parts: [
      h("div", { class: "pair" }, field(t("persons.first"), persons[0]), field(t("persons.second"), persons[1])),
      field(t("persons.reason"), reason, t("persons.reason.hint")),
    ],
    body: () => ({ persons: persons.map((input) => input.value.trim()), reason: reason.value.trim() }),
  };
}

/** Let them confirm it, unless it is the same person twice; then do `work`, whose refusal is shown in `result`. */
export async function decided({ persons, reason }, lines, yes, result, send, work) {
  const [first, second] = persons;
  if (first.toLowerCase() === second.toLowerCase()) {
    show(result, notice("bad", t("persons.same")));
    return;
  }
  const told = [...lines, t("persons.by", { first, second }), `${t("persons.reason")} ${reason}`, t("persons.final")];
  if (await confirmed(t("persons.question"), told, yes, "danger")) {
    await attempt(result, [send], work);
  }
}
