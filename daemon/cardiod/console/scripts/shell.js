/** The frame around all views: bar, troubles, readers, the large state, and the keys. */

import { post } from "./api.js";
import { button, focusFirst, h, show } from "./dom.js";
import { cardTime } from "./format.js";
import { troubles } from "./headline.js";
import { choose, other, said, t } from "./language.js";
import { NowPanel } from "./nowpanel.js";
import { readersPanel } from "./readerspanel.js";
import { end } from "./session.js";
import { symbol } from "./symbols.js";
import { PLACES, viewAt } from "./places.js";

const SYMBOLS = { ready: "completed", degraded: "trouble", down: "trouble", offline: "offline" };

export class Shell {
  /** `rebuild` makes the whole page anew, in the language chosen since. */
  constructor(counter, rebuild) {
    this._counter = counter;
    this._rebuild = rebuild;
    this._bar = h("header", { class: "bar" });
    this._troubles = h("div", { class: "troubles", role: "status" });
    this._readers = h("aside", { class: "readers", "aria-label": t("readers.label") });
    this._now = new NowPanel(counter, (place) => this.go(place));
    this._stage = h("section", { class: "stage" });
    this._keys = h("nav", { class: "keys", "aria-label": t("keys.label") });
    this._clock = h("span", { class: "bar__clock" });
    this._main = h("main", { class: "main" }, this._now.root, this._stage);
    this.root = h("div", { class: "shell" }, this._bar, this._troubles, this._readers, this._main, this._keys);
    this.changed("status");
    this.changed("presence");
    this.open();
  }

  /** Go to a view; the browser's way back leads here again. */
  go(place) {
    if (place === this._place()) {
      this.open();
    } else {
      window.location.hash = place;
    }
  }

  /** Show the view that the address names. */
  open() {
    const place = this._place();
    this._view = viewAt(place, { counter: this._counter, go: (to) => this.go(to) });
    this._main.classList.toggle("main--home", place === "counter");
    show(this._stage, this._view.root);
    show(this._keys, this._keyButtons());
    focusFirst(this._view.root);
  }

  /** A part of what is known has changed. */
  changed(part) {
    if (part === "status") {
      this._showBar();
      this._showTroubles();
    }
    if (part === "presence") {
      show(this._readers, readersPanel(this._counter));
    }
    this._now.refresh();
    if (this._view) {
      this._view.changed(part);
      show(this._keys, this._keyButtons());
    }
  }

  /** Once a second. */
  tick() {
    this._clock.textContent = cardTime(this._counter.time()).slice(11, 19);
    this._now.refresh();
  }

  _place() {
    return window.location.hash.slice(1) || "counter";
  }

  _showBar() {
    const { status, connected } = this._counter;
    const state = connected ? status.status : "offline";
    const operators = status.shifts.map((shift) => shift.operator).join(t("list.comma"));
    show(
      this._bar,
      h("span", { class: "bar__name" }, t("bar.name")),
      h("span", { class: `bar__state bar__state--${state}` }, symbol(SYMBOLS[state]), t(`bar.${state}`)),
      h("span", { class: "bar__shift" }, operators ? t("bar.shift", { operators }) : t("bar.no_shift")),
      this._clock,
      button(t("bar.language"), () => this._switch(), { key: "F9", kind: "bar" }),
      button(t("bar.logout"), logout, { id: "logout", kind: "bar" }),
    );
  }

  _showTroubles() {
    const lines = this._counter.connected ? troubles(this._counter).map(said) : [];
    // Shown again they would be read out again.
    if (lines.join() !== this._told) {
      this._told = lines.join();
      show(this._troubles, lines.map((line) => h("p", {}, symbol("trouble"), line)));
    }
  }

  _keyButtons() {
    const here = this._place().split("/")[0];
    return PLACES.map(({ key, place, text }) => {
      const open = place === "uncertain" ? this._counter.uncertain.length : 0;
      const named = button(t(text), () => this.go(place), { key, kind: open ? "alarm" : "key" });
      if (open) {
        named.append(h("span", { class: "count" }, String(open)));
      }
      if (here === place) {
        named.setAttribute("aria-current", "page");
      }
      return named;
    });
  }

  _switch() {
    choose(other());
    this._rebuild();
  }
}

async function logout() {
  try {
    await post("logout");
  } finally {
    end("logged_out");
  }
}
