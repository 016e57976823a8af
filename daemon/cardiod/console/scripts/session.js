/** The login: a token that lives as long as this tab, and in no cookie. */

const STORED = "cardio.token";
const watchers = [];

export function token() {
  return sessionStorage.getItem(STORED);
}

export function begin(given) {
  sessionStorage.setItem(STORED, given);
}

/** Forget the token and say why: `ended` if the daemon does not know it any more, `logged_out` if it was given back. */
export function end(reason) {
  if (token() !== null) {
    sessionStorage.removeItem(STORED);
    watchers.forEach((watcher) => watcher(reason));
  }
}

/** Call a function with the reason when the session ends. */
export function onEnd(watcher) {
  watchers.push(watcher);
}
