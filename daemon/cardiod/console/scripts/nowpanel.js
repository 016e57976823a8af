/** The large state on the screen, and read out when it changes. */

import { post } from "./api.js";
import { button, facts, h, show } from "./dom.js";
import { yuan } from "./format.js";
import { headline } from "./headline.js";
import { t } from "./language.js";
import { attempt } from "./problems.js";
import { symbol } from "./symbols.js";

export class NowPanel {
  /** `go` opens a view by its place. */
  constructor(counter, go) {
    this._counter = counter;
    this._go = go;
    this._shown = "";
    this._symbol = h("div", { class: "now__symbol" });
    // Only words that change are read out, so they have a place of their own.
    this._words = h("div", { class: "now__words", role: "status", "aria-live": "assertive", "aria-atomic": "true" });
    this._more = h("div", { class: "now__more" });
    this.root = h("section", { class: "now", "aria-label": t("now.label") }, this._symbol, this._words, this._more);
    this.refresh();
  }

  refresh() {
    const found = headline(this._counter);
    const shown = JSON.stringify(found);
    if (shown === this._shown) {
      return;
    }
    this._shown = shown;
    this.root.className = `now now--${found.kind}`;
    this.root.dataset.kind = found.kind;
    show(this._symbol, symbol(found.kind));
    show(
      this._words,
      h("h2", { class: "now__title" }, found.title),
      found.fen === undefined ? null : h("p", { class: "now__amount" }, yuan(found.fen)),
      found.due > 0 ? h("p", { class: "now__due" }, `${t("now.due")} `, h("strong", {}, yuan(found.due))) : null,
      h("p", { class: "now__say" }, found.say),
      found.then ? h("p", { class: "now__then" }, found.then) : null,
    );
    show(this._more, found.facts ? facts(found.facts) : null, this._buttons(found));
  }

  _buttons({ question, place, waits }) {
    const trouble = h("div", {});
    const cancel = button(t("now.cancel"), () => attempt(trouble, [cancel], () => cancelled(waits)), { id: "cancel" });
    return [
      h(
        "div",
        { class: "buttons" },
        question ? button(t("now.recover"), () => this._go(`recover/${question}`), { key: "R", kind: "main" }) : null,
        place && !question ? button(t("now.details"), () => this._go(place), { key: "D" }) : null,
        waits ? cancel : null,
      ),
      trouble,
    ];
  }
}

async function cancelled(id) {
  await post(`transactions/${id}/cancel`);
}
