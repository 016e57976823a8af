/** Starts the page: texts, login, counter, and the stream of its events. */

import { focusFirst, show } from "./dom.js";
import { Counter } from "./counter.js";
import { listenToKeys } from "./keys.js";
import { loadTexts } from "./language.js";
import { codeOfAddress, loginPage, useCode } from "./login.js";
import { problem } from "./problems.js";
import { onEnd, token } from "./session.js";
import { Shell } from "./shell.js";
import { Stream } from "./stream.js";

const LOOK_MS = 20000;
/** How often everything is looked at anew: what nobody announces, as a clock that went wrong, is seen by then. */
const page = document.getElementById("page");
let running = null;

/** The counter on the page, from login to logout. */
class Running {
  constructor() {
    this.counter = new Counter(
      (part) => this.shell && this.shell.changed(part),
      () => this.counter.connected && this.stream.renew(),
    );
    this.stream = new Stream(
      (type, event) => this.counter.take(type, event),
      (connected) => this.counter.connection(connected),
    );
  }

  async start() {
    await this.counter.load();
    this.build();
    this.timers = [setInterval(() => this.shell.tick(), 1000), setInterval(() => this.counter.look(), LOOK_MS)];
    this.stream.run();
  }

  build() {
    this.shell = new Shell(this.counter, () => this.build());
    show(page, this.shell.root);
    this.shell.tick();
  }

  stop() {
    this.stream.stop();
    (this.timers || []).forEach(clearInterval);
  }
}

function stop() {
  if (running !== null) {
    running.stop();
    running = null;
  }
}

function login(reason) {
  stop();
  show(page, loginPage(reason, start, () => login(reason)));
  focusFirst(page);
}

async function start() {
  running = new Running();
  try {
    await running.start();
  } catch (error) {
    // A session that has ended has led to the login already.
    if (running !== null) {
      show(page, problem(error));
    }
  }
}

/** Log in by the address, if it is a one-time address; whether it was. */
async function loggedInByAddress() {
  const code = codeOfAddress();
  if (code !== null) {
    stop();
    await useCode(code, start, login);
  }
  return code !== null;
}

/** Another place, or a new one-time address in the same tab. */
async function onAddress() {
  if (!(await loggedInByAddress()) && running !== null && running.shell) {
    running.shell.open();
  }
}

async function begin() {
  await loadTexts();
  listenToKeys();
  onEnd(login);
  window.addEventListener("hashchange", onAddress);
  if (await loggedInByAddress()) {
    return;
  }
  if (token() !== null) {
    await start();
  } else {
    login("none");
  }
}

begin();
