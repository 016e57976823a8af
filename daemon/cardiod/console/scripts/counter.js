/** What the page knows of the counter; the views show it, and are told when a part of it has changed. */

import { Problem, Unreachable, get } from "./api.js";
import { coalesced } from "./coalesced.js";
import { CARD_OFFSET, cardTime } from "./format.js";
import { Now } from "./now.js";

const RECENT = 6;
const ON_THE_WAY = ["accepted", "waiting", "refused", "armed", "granted"];
/** Events after which the books are as they were. */

/**
 * Parts that change, as `changed` names them:
 *
 * - `presence`: `readers`, `sams`, `cards`
 * - `now`: `now`, the transaction or settlement that is worked on or was last; null at the beginning. And `pinAskedAt`,
 *   since when a holder is asked for the PIN, in milliseconds of the browser's clock; null while nobody is
 * - `books`: `uncertain`, `today`, `recent`; and what views fetch themselves of shifts, batches and transactions
 * - `status`: `status`, `connected`
 */
export class Counter {
  /** `changed` is called with the name of a part, `lost` when the daemon does not answer. */
  constructor(changed, lost) {
    this.status = null;
    this.connected = true;
    this.readers = [];
    this.sams = [];
    this.cards = [];
    this.now = null;
    this.pinAskedAt = null;
    this.uncertain = [];
    this.recent = [];
    this.today = [];
    this._changed = changed;
    this._lost = lost;
    this._errors = {};
    this._products = {};
    this._ahead = 0;
    this._lookAtPresence = this._part("presence", () => this._fetchPresence());
    this._lookAtStatus = this._part("status", () => this._fetchStatus());
    this._lookAtBooks = this._part("books", () => this._fetchBooks());
    this._lookAtNow = this._part("now", () => this.now && this.now.fetch());
  }

  /** Everything, before the page is shown. */
  async load() {
    const [errors, products] = await Promise.all([get("errors"), get("products"), this._fetchStatus()]);
    errors.errors.forEach((entry) => {
      this._errors[entry.code] = entry;
    });
    products.products.forEach((product) => {
      this._products[product.id] = product;
    });
    await Promise.all([this._fetchPresence(), this._fetchBooks()]);
  }

  /** Everything anew. */
  look() {
    this._lookAtStatus();
    this._lookAtPresence();
    this._lookAtBooks();
    this._lookAtNow();
  }

  /** An event of the daemon. */
  take(type, event) {
    const [area, what] = type.split(".");
    if (area === "snapshot") {
      this._hearOfPin("unknown");
      this.look();
    } else if (area === "pin") {
      this._hearOfPin(what);
    } else if (["reader", "card", "sam"].includes(area)) {
      this._lookAtPresence();
      this._lookAtStatus();
    } else if (area === "transaction" || area === "settlement") {
      this._follow(area, what, event);
    } else {
      this._lookAtBooks();
      this._lookAtStatus();
    }
  }

  /** The connection came or went. */
  connection(connected) {
    this.connected = connected;
    this._changed("status");
  }

  /** The terminal's time, in milliseconds. */
  time() {
    return Date.now() + this._ahead;
  }

  /** Midnight before now, in the zone of the cards. */
  midnight() {
    return `${cardTime(this.time()).slice(0, 10)}T00:00:00${CARD_OFFSET}`;
  }

  /** An error of the daemon's catalogue, for `said`. */
  error(code) {
    return this._errors[code] || { zh: code, en: code, action: "none" };
  }

  /** A card product, for `said`. */
  product(id) {
    return this._products[id] || { zh: id, en: id };
  }

  /** A prompt at a PIN pad, or its end. */
  _hearOfPin(what) {
    this.pinAskedAt = what === "prompt" ? Date.now() : null;
    this._changed("now");
  }

  _follow(area, what, event) {
    if (this.now === null || !this.now.has(event.transaction)) {
      this.now = new Now(area, event.transaction, 0);
    }
    this.now.hear(what, event.data, Date.now());
    this._lookAtNow();
    if (!ON_THE_WAY.includes(what)) {
      this._lookAtBooks();
      this._lookAtStatus();
    }
  }

  /** A job whose end is told; what a refusal keeps from being seen now is looked at again later. */
  _part(name, job) {
    return coalesced(async () => {
      try {
        await job();
        this._changed(name);
      } catch (error) {
        if (error instanceof Unreachable) {
          this._lost();
        } else if (!(error instanceof Problem)) {
          throw error;
        }
      }
    });
  }

  async _fetchStatus() {
    this.status = await get("status");
    this._ahead = Date.parse(this.status.time) - Date.now();
  }

  async _fetchPresence() {
    const [readers, cards, sams] = await Promise.all([get("readers"), get("cards"), get("sams")]);
    this.readers = readers.readers;
    this.cards = cards.cards;
    this.sams = sams.sams;
  }

  async _fetchBooks() {
    const since = encodeURIComponent(this.midnight());
    const [open, today, recent] = await Promise.all([
      get("transactions?state=uncertain"),
      get(`transactions?since=${since}&limit=1`),
      get(`transactions?limit=${RECENT}`),
    ]);
    this.uncertain = open.transactions;
    this.today = today.totals;
    this.recent = recent.transactions;
    this._catchUp();
  }

  /** Turn to the newest transaction, if it began while no events came: before the stream did, or in a break. */
  _catchUp() {
    const [newest] = this.recent;
    if (newest === undefined || (this.now !== null && !this.now.isBefore(newest))) {
      return;
    }
    const at = Date.parse(newest.finished_at || newest.created_at) - this._ahead;
    this.now = new Now("transaction", newest.id, at);
    this._lookAtNow();
  }
}
