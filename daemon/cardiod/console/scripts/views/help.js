/** The keys, and what the colours mean. */

import { h, table, viewOf } from "../dom.js";
import { t } from "../language.js";
import { symbol } from "../symbols.js";

const F_KEYS = ["F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9"];
const LETTERS = ["R", "D", "Q", "Z", "P", "T", "J", "Esc"];
const OTHERS = { Tab: "Tab, Enter", Arrows: "↑ ↓" };
const KINDS = ["waiting", "working", "completed", "declined", "not_debited", "uncertain", "not_genuine", "resolved"];

export function helpView() {
  const keys = [...F_KEYS, ...LETTERS, ...Object.keys(OTHERS)];
  const keyLine = (key) => [h("kbd", {}, OTHERS[key] || key), t(`help.does.${key}`)];
  const label = (kind) => h("span", { class: "state" }, symbol(kind), t(`help.kind.${kind}`));
  const kindLine = (kind) => [label(kind), t(`help.means.${kind}`)];
  return {
    root: viewOf(
      t("help.title"),
      h(
        "div",
        { class: "pair" },
        table(t("help.keys"), [t("help.key"), t("help.does")], keys.map(keyLine)),
        table(t("help.kinds"), [t("help.kind"), t("help.means")], KINDS.map(kindLine)),
      ),
    ),
    changed: () => {},
  };
}
