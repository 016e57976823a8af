/** The transaction or settlement that is worked on, or was last. */

import { get } from "./api.js";

export class Now {
  /** `kind` is `transaction` or `settlement`, `at` when something was last heard of it, by the browser's clock. */
  constructor(kind, id, at) {
    this.kind = kind;
    this.id = id;
    this.at = at;
    this.document = null;
    /** Purse whose card is awaited, as the events say. */
    this.waiting = null;
    /** Code of the error for which nothing was begun: the journal knows nothing of it. */
    this.refused = null;
  }

  /** Whether an event about this id is about this. */
  has(id) {
    const legs = (this.document && this.document.legs) || [];
    return this.id === id || legs.some((leg) => leg.id === id);
  }

  /** Whether a transaction is another one, and began later. */
  isBefore(transaction) {
    return this.document !== null && this.document.created_at < transaction.created_at && !this.has(transaction.id);
  }

  /** An event about it. */
  hear(what, data, at) {
    this.at = at;
    if (what === "waiting") {
      this.waiting = data.purse;
      this.refused = null;
    } else if (what === "refused") {
      this.waiting = null;
      this.refused = data.error;
    }
  }

  /** Its document; that of the whole bill if it is a leg of one. */
  async fetch() {
    let document = await get(`${this.kind}s/${this.id}`);
    if (document.settlement) {
      this.kind = "settlement";
      this.id = document.settlement;
      document = await get(`settlements/${this.id}`);
    }
    this.document = document;
  }
}
