/** Logging in by a one-time address, whose code is behind its #, where no server and no log sees it. */

import { Problem, Unreachable, post } from "./api.js";
import { button, field, h, show } from "./dom.js";
import { choose, other, t } from "./language.js";
import { begin } from "./session.js";

const CODE = /(?:^|#)login=([\w-]+)/;

/** The code of this page's address, which is worth nothing there any more; null if there is none. */
export function codeOfAddress() {
  const found = CODE.exec(window.location.hash);
  if (found === null) {
    return null;
  }
  window.history.replaceState(null, "", window.location.pathname);
  return found[1];
}

/** Use a code up; `failed` is called with the reason if it is worth nothing. */
export async function useCode(code, start, failed) {
  let session;
  try {
    session = await post("logins", { code });
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) {
      throw error;
    }
    failed(error instanceof Problem ? "invalid" : "unreachable");
    return;
  }
  begin(session.token);
  await start();
}

/** The page of whoever is not logged in; `reason` says why they are not. */
export function loginPage(reason, start, again) {
  const address = h("input", { type: "text", autocomplete: "off", "data-focus": true, spellcheck: "false" });
  const said = h("div", { role: "alert" }, h("p", { class: "login__reason" }, t(`login.${reason}`)));
  const enter = (event) => {
    event.preventDefault();
    const text = address.value.trim();
    const found = CODE.exec(text);
    const refused = (why) => show(said, h("p", { class: "login__reason" }, t(`login.${why}`)));
    useCode(found === null ? text || "-" : found[1], start, refused);
  };
  const change = () => {
    choose(other());
    again();
  };
  return h(
    "main",
    { class: "login" },
    h("h1", {}, t("title")),
    said,
    h("h2", {}, t("login.how")),
    h(
      "ol",
      {},
      h("li", {}, t("login.run"), " ", h("code", {}, "cardiod console")),
      h("li", {}, t("login.open")),
      h("li", {}, t("login.once")),
    ),
    h(
      "form",
      { onsubmit: enter },
      field(t("login.paste"), address),
      h("button", { type: "submit", class: "button button--main" }, t("login.enter")),
    ),
    button(t("bar.language"), change, { key: "F9" }),
  );
}
