/** Batches for the settlement centre: what waits for the next one, closing it, and those that were closed. */

import { getFor, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { button, facts, h, table, viewOf } from "../dom.js";
import { moment, yuan } from "../format.js";
import { t } from "../language.js";
import { kindOf } from "../lists.js";
import { download } from "../paper.js";
import { attempt, notice } from "../problems.js";
import { fetched } from "./fetched.js";

export function batchesView() {
  const list = h("div", {});
  const result = h("div", {});
  const look = fetched(list, () => "batches", (found) => drawn(found, result, () => look()));
  return {
    root: viewOf(t("batches.title"), h("p", {}, t("batches.about")), result, list),
    changed: (part) => part === "books" && look(),
  };
}

function drawn({ batches, waiting }, result, look) {
  const close = button(t("batches.close"), () => closing(waiting, result, close, look), {
    key: "J",
    kind: "main",
    disabled: waiting.records === 0,
  });
  return [
    h(
      "section",
      { class: "box" },
      h("h2", {}, t("batches.waiting", { count: waiting.records })),
      waiting.uncertain > 0 ? h("p", {}, t("batches.uncertain", { count: waiting.uncertain })) : null,
      waiting.sums.length > 0 ? sumsTable(waiting.sums) : null,
      h("div", { class: "buttons" }, close),
    ),
    h("h2", {}, t("batches.closed")),
    batches.length === 0 ? h("p", { class: "quiet" }, t("list.empty")) : batches.map((batch) => closed(batch, result)),
  ];
}

async function closing({ records }, result, close, look) {
  if (await confirmed(t("batches.question", { count: records }), [t("batches.question.about")], t("batches.close"))) {
    await attempt(result, [close], async () => {
      const batch = await post("batches");
      await look();
      return notice("good", t("batches.is_closed", { number: batch.number, count: batch.records }));
    });
  }
}

function closed(batch, result) {
  const { number } = batch;
  const save = button(t("batches.file"), () => attempt(result, [save], () => saved(number)), { id: `batch-${number}` });
  return h(
    "section",
    { class: "box" },
    h("h3", {}, t("batches.number", { number })),
    facts([
      [t("batches.closed_at"), moment(batch.closed_at)],
      [t("batches.records"), batch.records],
      [t("state.uncertain"), batch.uncertain || null],
      [t("batches.hash"), h("code", {}, batch.hash)],
    ]),
    batch.sums.length > 0 ? sumsTable(batch.sums) : null,
    h("div", { class: "buttons" }, save),
  );
}

async function saved(number) {
  await download(await getFor(`batches/${number}/file`), `batch-${String(number).padStart(6, "0")}.ndjson`);
}

function sumsTable(sums) {
  const rows = sums.map((sum) => [kindOf(sum), String(sum.count), yuan(sum.amount_fen)]);
  return table(t("totals.caption"), [t("totals.kind"), t("totals.count"), t("totals.amount")], rows, [1, 2]);
}
