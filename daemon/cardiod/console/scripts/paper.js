/** What leaves the page: prints and files. */

import { h } from "./dom.js";

/** Print a text, and nothing of the page around it. */
export function print(text) {
  document.getElementById("paper").textContent = text;
  window.print();
}

/** Hand an answer of the daemon over as a file. */
export async function download(answer, name) {
  const address = URL.createObjectURL(await answer.blob());
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
