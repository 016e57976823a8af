/** The views by their places: what stands behind # in the address. */

import { batchesView } from "./views/batches.js";
import { counterView } from "./views/counter.js";
import { doctorView } from "./views/doctor.js";
import { helpView } from "./views/help.js";
import { recoverView } from "./views/recover.js";
import { refundView } from "./views/refund.js";
import { resolveView } from "./views/resolve.js";
import { settlementView } from "./views/settlement.js";
import { shiftView } from "./views/shift.js";
import { standstillView } from "./views/standstill.js";
import { todayView } from "./views/today.js";
import { transactionView } from "./views/transaction.js";
import { uncertainView } from "./views/uncertain.js";

/** Those with a key of their own, in the order of the keys. */
export const PLACES = [
  { key: "F1", place: "help", text: "keys.help" },
  { key: "F2", place: "counter", text: "keys.counter" },
  { key: "F3", place: "uncertain", text: "keys.uncertain" },
  { key: "F4", place: "today", text: "keys.today" },
  { key: "F6", place: "shift", text: "keys.shift" },
  { key: "F7", place: "batches", text: "keys.batches" },
  { key: "F8", place: "doctor", text: "keys.doctor" },
];

const VIEWS = {
  batches: batchesView,
  counter: counterView,
  doctor: doctorView,
  help: helpView,
  recover: recoverView,
  refund: refundView,
  resolve: resolveView,
  settlement: settlementView,
  shift: shiftView,
  standstill: standstillView,
  today: todayView,
  transaction: transactionView,
  uncertain: uncertainView,
};

/**
 * The view of a place, as `{root, changed}`; that of the counter for a place that is not known. `page` has the
 * `counter`, and `go` to leave for another place; the view also gets the `path` behind its name.
 */
export function viewAt(place, page) {
  const [name, ...path] = place.split("/");
  const known = Object.prototype.hasOwnProperty.call(VIEWS, name);
  return (known ? VIEWS[name] : counterView)({ ...page, path });
}
