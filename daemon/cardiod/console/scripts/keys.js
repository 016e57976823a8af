/**
 * The keyboard: a key presses the button that shows it. F keys work everywhere; letters not while somebody types.
 * Up and down go through the rows of a list.
 */

const TYPING = ["INPUT", "TEXTAREA", "SELECT"];
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) {
      return;
    }
    if (pressed(event) || stepped(event)) {
      event.preventDefault();
    }
  });
}

function pressed(event) {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (key.length === 1 && TYPING.includes(event.target.tagName)) {
    return false;
  }
  const open = document.querySelector("dialog[open]");
  const buttons = [...(open || document).querySelectorAll("button[data-key]")];
  const visible = buttons.filter((button) => !button.disabled && button.offsetParent !== null);
  const meant = visible.find((button) => button.dataset.key === key);
  if (meant === undefined) {
    return false;
  }
  // As if it had been reached by Tab: what comes of it may lead back to it.
  meant.focus();
  meant.click();
  return true;
}

function stepped(event) {
  const list = event.target.closest("[data-rows]");
  if (!(event.key in STEPS) || list === null) {
    return false;
  }
  const rows = [...list.querySelectorAll("button")];
  const next = rows[rows.indexOf(event.target) + STEPS[event.key]];
  if (next !== undefined) {
    next.focus();
  }
  return true;
}
