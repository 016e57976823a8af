/** Requests to the daemon that served this page. */

import { end, token } from "./session.js";

const PATIENCE_MS = { GET: 15000, POST: 60000 };
/** Until an answer must be there; a POST may wait for a card. */

/** The daemon refused; `document` is its problem document (RFC 9457). */
export class Problem extends Error {
  constructor(document) {
    super(document.code);
    this.document = document;
  }
}

/** No answer came. */
export class Unreachable extends Error {}

export async function get(path) {
  return (await send("GET", path)).json();
}

/** POST; `key` is the Idempotency-Key of a request about money. */
export async function post(path, body = {}, key = undefined) {
  const answer = await send("POST", path, body, key);
  return answer.status === 204 ? null : answer.json();
}

/** What a POST answers, as a file or as text. */
export function postFor(path, body) {
  return send("POST", path, body);
}

/** What a GET answers, as a file or as text. */
export function getFor(path) {
  return send("GET", path);
}

/** The events, as a stream that does not end by itself. */
export function openEvents(last, signal) {
  const headers = last === null ? {} : { "Last-Event-ID": String(last) };
  return sent("GET", "events", { headers: { Accept: "text/event-stream", ...headers }, signal });
}

/** A key for a new request about money. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(method, path, body = undefined, key = undefined) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (key !== undefined) {
    headers["Idempotency-Key"] = key;
  }
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS[method]);
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return await sent(method, path, { headers, body: text, signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}

async function sent(method, path, { headers, body, signal }) {
  const known = token();
  const authorization = known === null ? {} : { Authorization: `Bearer ${known}` };
  const options = { method, headers: { ...authorization, ...headers }, body, signal };
  let document;
  try {
    const answer = await fetch(`/v1/${path}`, { ...options, credentials: "omit", cache: "no-store" });
    if (answer.ok) {
      return answer;
    }
    document = await answer.json();
  } catch (error) {
    // Refused, broken off, or out of patience.
    throw new Unreachable(path);
  }
  if (document.status === 401 && known !== null) {
    end("ended");
  }
  throw new Problem(document);
}
