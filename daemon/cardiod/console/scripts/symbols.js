/** Drawings that say what a colour says, for whoever does not see colours: each state has a shape of its own. */

import { s } from "./dom.js";

const FRAMES = {
  circle: () => s("circle", { cx: 24, cy: 24, r: 21 }),
  square: () => s("rect", { x: 4, y: 4, width: 40, height: 40, rx: 4 }),
  triangle: () => s("path", { d: "M24 4 46 43H2Z" }),
  octagon: () => s("path", { d: "M15 3h18l12 12v18L33 45H15L3 33V15Z" }),
  card: () => s("rect", { x: 3, y: 10, width: 42, height: 28, rx: 4 }),
  none: () => null,
};
const SIGNS = {
  check: "m14 25 7 7 14-15",
  cross: "m15 15 18 18M33 15 15 33",
  question: "M19 24a5.5 5.5 0 1 1 7.5 5c-2 .8-2.5 1.8-2.5 3.5M24 37v.2",
  exclamation: "M24 12v15M24 34v.3",
  minus: "M13 24h22",
  chip: "M10 20h9v8h-9ZM27 20h12M27 28h8",
  arrow: "M24 14v16m-7-7 7 7 7-7",
  turning: "M24 5a19 19 0 1 1-17 10.5",
  people: "M17 12a5 5 0 1 0 .1 0M31 12a5 5 0 1 0 .1 0M7 37c0-13 20-13 20 0M29 27c7-2 12 2 12 10",
  broken: "M13 24h-6m34 0h-6M16 24h4m8 0h4",
};
const SYMBOLS = {
  idle: ["card", "chip"],
  waiting: ["card", "arrow"],
  working: ["none", "turning"],
  completed: ["circle", "check"],
  declined: ["square", "cross"],
  not_debited: ["square", "minus"],
  cancelled: ["circle", "minus"],
  uncertain: ["triangle", "question"],
  not_genuine: ["octagon", "exclamation"],
  resolved: ["none", "people"],
  trouble: ["octagon", "cross"],
  offline: ["circle", "broken"],
};
const OF_STATES = { accepted: "cancelled", armed: "working", awaiting_card: "waiting" };

/** The drawing of a kind of headline, or of a state of a transaction. */
export function symbol(name) {
  const kind = OF_STATES[name] || name;
  const [frame, sign] = SYMBOLS[kind];
  return s(
    "svg",
    { class: `symbol symbol--${kind}`, viewBox: "0 0 48 48", "aria-hidden": "true", focusable: "false" },
    FRAMES[frame](),
    s("path", { d: SIGNS[sign] }),
  );
}
