/** The slip of a shift: its sums, and the head of the journal's chain, which on paper is the anchor outside of it. */

import { moment, yuan } from "./format.js";
import { t, word } from "./language.js";
import { kindOf } from "./lists.js";

const RULE = "-".repeat(40);
const HALF = 32;
/** Digits of a hash on one line. */

/** The slip as text of 40 columns. */
export function slip(shift) {
  const sums = shift.totals.flatMap((total) => [
    `${kindOf(total)} ${word("state", total.state)}`,
    `  ${total.count} × = ${yuan(total.amount_fen)}`,
  ]);
  const lines = [
    t("slip.title"),
    RULE,
    `${t("shift.operator")}: ${shift.operator}`,
    shift.lane ? `${t("shift.lane")}: ${shift.lane}` : null,
    `${t("shift.opened")}: ${moment(shift.opened_at)}`,
    shift.closed_at ? `${t("shift.closed")}: ${moment(shift.closed_at)}` : null,
    shift.closed_by ? `${t("shift.closed_by")}: ${shift.closed_by}` : null,
    shift.terminals.length ? `${t("shift.terminals")}: ${shift.terminals.join(" ")}` : null,
    shift.software,
    RULE,
    ...(sums.length ? sums : [t("list.empty")]),
    RULE,
    ...head(t("slip.opened_head"), shift.opened_head),
    ...(shift.closed_head ? head(t("slip.closed_head"), shift.closed_head) : []),
    RULE,
    t("slip.signed"),
  ];
  return lines.filter((line) => line !== null).join("\n");
}

function head(title, { seq, hash }) {
  return [`${title} ${seq}`, hash.slice(0, HALF), hash.slice(HALF)];
}
