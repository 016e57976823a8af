/** Whether everything is well: what the daemon sees by itself, and readers and keys on request. */

import { Problem, post } from "../api.js";
import { button, facts, h, show, viewOf } from "../dom.js";
import { said, t, word } from "../language.js";
import { attempt, notice, problem } from "../problems.js";
import { lying } from "../readerspanel.js";
import { symbol } from "../symbols.js";
import { standstill } from "./standstill.js";

export function doctorView({ counter, go }) {
  const checks = h("div", {});
  const devices = h("div", {});
  const result = h("div", {});
  const draw = (part) => {
    if (part === "status") {
      show(checks, checkList(counter.status), wayOut(counter.status, go), about(counter.status));
    }
    if (part === "presence") {
      show(devices, readers(counter, result), sams(counter, result));
    }
  };
  draw("status");
  draw("presence");
  return {
    root: viewOf(
      t("doctor.title"),
      checks,
      result,
      devices,
      h("p", { class: "quiet" }, t("doctor.machine"), " ", h("code", {}, "cardiod doctor")),
    ),
    changed: draw,
  };
}

function checkList({ checks }) {
  const line = ([name, check]) =>
    h(
      "li",
      { class: check.ok ? "check check--ok" : "check check--bad" },
      symbol(check.ok ? "completed" : "trouble"),
      h("strong", {}, word("check", name)),
      h("span", {}, check.ok ? t("doctor.ok") : said(check)),
    );
  return h("ul", { class: "plain checks" }, Object.entries(checks).map(line));
}

/** What can be done about it here. */
function wayOut(status, go) {
  const code = standstill(status);
  return code && button(t("standstill.open"), () => go(`standstill/${code}`), { key: "Z", kind: "main" });
}

function about({ version, journal, load_host: host }) {
  return facts([
    [t("doctor.version"), version],
    [t("doctor.rows"), journal.seq],
    [t("doctor.head"), h("code", {}, journal.hash)],
    [t("doctor.load_host"), t(host ? "doctor.load_host.yes" : "doctor.load_host.no")],
  ]);
}

function readers(counter, result) {
  const line = (reader) => {
    const press = () => attempt(result, [test], () => tested(reader));
    const test = button(t("doctor.test"), press, { id: `test-${reader.id}` });
    return device(reader.name, lying(counter, reader).lines.join(" · "), test);
  };
  const found = counter.readers.filter((reader) => reader.kind === "card");
  return [h("h2", {}, t("readers.title")), found.map(line)];
}

function sams(counter, result) {
  const line = (sam) => {
    const press = () => attempt(result, [check], () => checked(sam));
    const check = button(t("doctor.check"), press, { id: `check-${sam.id}` });
    const number = sam.terminal_number;
    return device(word("sam.kind", sam.kind), number ? t("sam.terminal", { number }) : sam.id, check);
  };
  return [h("h2", {}, t("sams.title")), counter.sams.map(line)];
}

function device(name, line, control) {
  return h("div", { class: "device" }, h("div", {}, h("strong", {}, name), h("p", {}, line)), control);
}

async function tested(reader) {
  const found = await post(`readers/${encodeURIComponent(reader.id)}/self-test`);
  if (!found.ok) {
    return problem(new Problem(found.error));
  }
  return notice("good", t("doctor.tested", { reader: reader.name, protocol: found.protocol }));
}

async function checked(sam) {
  const found = await post(`sams/${encodeURIComponent(sam.id)}/check`);
  return notice("good", t("doctor.checked", { number: found.terminal_number || found.id }));
}
