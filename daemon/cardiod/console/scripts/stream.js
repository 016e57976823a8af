/**
 * The daemon's events as they come. A browser's EventSource cannot send the token, so the stream is read by hand.
 */

import { Problem, Unreachable, openEvents } from "./api.js";
import { Messages } from "./messages.js";

const DELAYS_MS = [500, 1000, 2000, 4000, 8000];

/** Follows the events, and comes back after every break with the id of the last one: none is missed. */
export class Stream {
  /** `tell(type, document)` is called with every event; `changed(connected)` when the connection came or went. */
  constructor(tell, changed) {
    this._tell = tell;
    this._changed = changed;
    this._last = null;
    this._stopped = false;
    this._abort = new AbortController();
  }

  async run() {
    let breaks = 0;
    while (!this._stopped) {
      try {
        await this._read(() => {
          breaks = 0;
        });
      } catch (error) {
        if (!(error instanceof Unreachable || error instanceof Problem)) {
          throw error;
        }
        if (error.document && error.document.status === 401) {
          return;
        }
      }
      if (this._stopped) {
        return;
      }
      this._changed(false);
      await later(DELAYS_MS[Math.min(breaks, DELAYS_MS.length - 1)]);
      breaks += 1;
    }
  }

  /** Break the connection off, because the daemon does not answer on others; it is tried anew. */
  renew() {
    this._abort.abort();
  }

  stop() {
    this._stopped = true;
    this._abort.abort();
  }

  async _read(begun) {
    this._abort = new AbortController();
    const answer = await openEvents(this._last, this._abort.signal);
    begun();
    this._changed(true);
    const messages = new Messages((message) => this._take(message));
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await next(reader);
      if (done) {
        return;
      }
      messages.feed(decoder.decode(value, { stream: true }));
    }
  }

  _take({ type, data, id }) {
    const document = JSON.parse(data);
    if (id !== null) {
      this._last = id;
    } else if (type === "snapshot" && this._last === null) {
      this._last = document.last;
    }
    this._tell(type, document);
  }
}

async function next(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw new Unreachable("events");
  }
}

function later(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
