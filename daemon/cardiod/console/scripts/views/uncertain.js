/** All transactions whose outcome is not known. */

import { h, show, viewOf } from "../dom.js";
import { t } from "../language.js";
import { placeOf, transactionList } from "../lists.js";
import { notice } from "../problems.js";

export function uncertainView({ counter, go }) {
  const list = h("div", {});
  const draw = () => {
    const { uncertain } = counter;
    const none = uncertain.length === 0;
    show(list, none ? notice("good", t("uncertain.none")) : transactionList(uncertain, (one) => go(placeOf(one))));
  };
  draw();
  return {
    root: viewOf(t("uncertain.title"), h("p", {}, t("uncertain.about")), list),
    changed: (part) => part === "books" && draw(),
  };
}
