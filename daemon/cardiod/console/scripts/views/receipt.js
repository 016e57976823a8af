/** The voucher of a transaction or settlement, and its reprints, which the daemon counts and marks. */

import { postFor } from "../api.js";
import { button, field, h, show } from "../dom.js";
import { spoken, t } from "../language.js";
import { download, print } from "../paper.js";
import { attempt, notice } from "../problems.js";

const WIDTHS = [80, 58];
const FILES = { escpos: "bin", pdf: "pdf" };

/** `collection` is `transactions` or `settlements`. */
export function receipt(collection, { id, voucher }) {
  if (voucher === null) {
    return h("p", { class: "quiet" }, t("receipt.none"));
  }
  const text = h("pre", { class: "voucher", tabindex: 0, "aria-label": t("receipt.title") }, voucher[spoken()]);
  const width = h("select", {}, WIDTHS.map((one) => h("option", { value: one }, `${one} mm`)));
  const result = h("div", {});
  const reprint = (format) => {
    const body = { format, lang: spoken(), width: Number(width.value) };
    return postFor(`${collection}/${id}/reprint`, body);
  };
  const printed = async () => {
    const copy = await (await reprint("text")).text();
    show(text, copy);
    print(copy);
    return notice("good", t("receipt.printed"));
  };
  const saved = (format) => async () => {
    await download(await reprint(format), `${id}.${FILES[format]}`);
    return notice("good", t("receipt.saved"));
  };
  const buttons = [
    button(t("receipt.print"), () => attempt(result, buttons, printed), { key: "P", kind: "main" }),
    button(t("receipt.pdf"), () => attempt(result, buttons, saved("pdf")), { key: "F" }),
    button(t("receipt.escpos"), () => attempt(result, buttons, saved("escpos")), { key: "E" }),
  ];
  return h(
    "section",
    { class: "receipt" },
    h("h2", {}, t("receipt.title")),
    text,
    field(t("receipt.width"), width),
    h("p", { class: "quiet" }, t("receipt.about")),
    h("div", { class: "buttons" }, buttons),
    result,
  );
}
