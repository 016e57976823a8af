/** Errors before people: what happened, whether money moved, what to do now. */

import { Problem, Unreachable } from "./api.js";
import { h, show } from "./dom.js";
import { said, t, word } from "./language.js";

/** An error as a part of the page. Errors of ours are not caught: they belong into the browser's log. */
export function problem(error) {
  if (error instanceof Unreachable) {
    return notice("bad", t("problem.unreachable"), [t("problem.unreachable.do")]);
  }
  if (!(error instanceof Problem)) {
    throw error;
  }
  const { document } = error;
  const lines = [
    document.money === "none" ? null : t(`problem.money.${document.money}`),
    document.action === "none" ? null : word("action", document.action),
  ];
  const engineers = document.detail ? `${document.code}: ${document.detail}` : document.code;
  return notice("bad", said(document), [...lines, h("small", {}, engineers)]);
}

/** A message: `kind` is `bad` or `good`. It is read out when it appears. */
export function notice(kind, title, lines = []) {
  const below = lines.filter((line) => line !== null).map((line) => h("p", {}, line));
  return h("div", { class: `notice notice--${kind}`, role: "alert" }, h("strong", {}, title), below);
}

/**
 * Do something that may be refused, and show in `place` what it gives: a node, or nothing. Meanwhile `busy` controls
 * are off, so that nothing is asked twice; the one that had the focus gets it back.
 */
export async function attempt(place, busy, work) {
  const focused = document.activeElement;
  busy.forEach((control) => {
    control.disabled = true;
  });
  try {
    show(place, (await work()) || "");
  } catch (error) {
    show(place, problem(error));
  } finally {
    busy.forEach((control) => {
      control.disabled = false;
    });
    if (busy.includes(focused) && document.activeElement === document.body) {
      focused.focus();
    }
  }
}
