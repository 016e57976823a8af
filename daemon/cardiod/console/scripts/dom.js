/** Building the page: elements and texts, never markup, so that nothing that a caller sent becomes part of the page. */

const SVG = "http://www.w3.org/2000/svg";
const KEY_NAMES = { Escape: "Esc" };

/**
 * An element. `attributes` are set as they are, functions named `on…` listen; what is null, undefined or false is
 * left out. Children are nodes or texts; arrays are flattened.
 */
export function h(tag, attributes = {}, ...children) {
  return furnished(document.createElement(tag), attributes, children);
}

/** An element of a drawing. */
export function s(tag, attributes = {}, ...children) {
  return furnished(document.createElementNS(SVG, tag), attributes, children);
}

function furnished(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      parent.append(child);
    }
  }
}

/** Show these nodes and nothing else; what had the focus under the same `data-id` has it again. */
export function show(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
  parent.textContent = "";
  append(parent, children);
  if (focused !== undefined) {
    const again = [...parent.querySelectorAll("[data-id]")].find((element) => element.dataset.id === focused);
    if (again) {
      again.focus();
    }
  }
}

/**
 * A button. `key` is the key that presses it, which it shows; `id` keeps its focus over `show`; `kind` is its look:
 * `main`, `danger`, `link` or none.
 */
export function button(text, press, { key, id, kind, disabled } = {}) {
  const keyed = key ? { "data-key": key, "aria-keyshortcuts": key } : {};
  const attributes = {
    type: "button",
    class: kind ? `button button--${kind}` : "button",
    "data-id": id === undefined ? key : id,
    disabled: Boolean(disabled),
    onclick: press,
    ...keyed,
  };
  return h("button", attributes, text, key && h("kbd", { "aria-hidden": "true" }, KEY_NAMES[key] || key));
}

/** Begin where something is to be typed, or at the heading. */
export function focusFirst(root) {
  const first = root.querySelector("[data-focus]") || root.querySelector("h1");
  if (first !== null) {
    first.focus();
  }
}

/** The heading of a view, which has the focus when the view opens. */
export function heading(text) {
  return h("h1", { tabindex: -1 }, text);
}

/** A view: its heading, and what is below. */
export function viewOf(title, ...parts) {
  return h("div", { class: "view" }, heading(title), parts);
}

/** A labelled control of a form. */
export function field(label, control, hint) {
  const name = h("span", { class: "field__label" }, label);
  return h("label", { class: "field" }, name, control, hint && h("small", {}, hint));
}

/** Names and values; those without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const entry = ([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h("dl", { class: "facts" }, known.map(entry));
}

/** A table: heads, and rows of cells. Numbers are told by `numeric`, the columns that hold them. */
export function table(caption, heads, rows, numeric = []) {
  const kind = (column) => (numeric.includes(column) ? { class: "number" } : {});
  const head = (text, column) => h("th", { scope: "col", ...kind(column) }, text);
  const cell = (content, column) => h("td", kind(column), content);
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map(head))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map(cell)))),
  );
}
