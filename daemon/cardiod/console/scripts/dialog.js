/** Asking before something that cannot be taken back. */

import { button, h } from "./dom.js";
import { t } from "./language.js";

/** Ask; the answer is true if the operator confirms. The focus begins on the way back. */
export function confirmed(question, lines, yes, kind = "main") {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      before.focus();
      resolve(answer);
    };
    const back = button(t("dialog.back"), () => close(false), { key: "Escape" });
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "dialog-question" },
      h("h2", { id: "dialog-question" }, question),
      lines.map((line) => h("p", {}, line)),
      h("div", { class: "buttons" }, button(yes, () => close(true), { kind }), back),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(false);
    });
    document.body.append(dialog);
    dialog.showModal();
    back.focus();
  });
}
