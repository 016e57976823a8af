/** Views whose content is fetched. */

import { get } from "../api.js";
import { coalesced } from "../coalesced.js";
import { show } from "../dom.js";
import { problem } from "../problems.js";

/**
 * Keep a part of a view at what the daemon says at `path`: `draw` makes it from the document, when it is there and
 * whenever it has changed. The result is called to look again.
 */
export function fetched(root, path, draw) {
  let drawn = "";
  const look = coalesced(async () => {
    let document;
    try {
      document = await get(path());
    } catch (error) {
      drawn = "";
      show(root, problem(error));
      return;
    }
    const text = JSON.stringify(document);
    if (text !== drawn) {
      drawn = text;
      show(root, draw(document));
    }
  });
  look();
  return look;
}
