/** The page's texts, in the operator's language: Chinese unless they chose English. */

const STORED = "cardio.language";
export const LANGUAGES = { zh: "zh-CN", en: "en" };

const catalogues = {};
let language = "zh";

/** Fetch the catalogues, and use the language that was chosen last. */
export async function loadTexts() {
  for (const name of Object.keys(LANGUAGES)) {
    const answer = await fetch(`/console/texts/${name}.json`, { credentials: "omit" });
    catalogues[name] = await answer.json();
  }
  const chosen = localStorage.getItem(STORED);
  use(chosen in LANGUAGES ? chosen : "zh");
}

/** Use a language from now on, and remember it. */
export function choose(name) {
  localStorage.setItem(STORED, name);
  use(name);
}

function use(name) {
  language = name;
  document.documentElement.lang = LANGUAGES[name];
  document.title = t("title");
}

/** `zh` or `en`. */
export function spoken() {
  return language;
}

export function other() {
  return language === "zh" ? "en" : "zh";
}

/** A text with its values filled in. */
export function t(key, values = {}) {
  const text = catalogues[language][key];
  if (text === undefined) {
    throw new Error(`no text ${key}`);
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The text of a word that the daemon used; the word itself if a newer daemon knows more than this page. */
export function word(group, name) {
  const key = `${group}.${name}`;
  return key in catalogues[language] ? t(key) : name;
}

/** The text of a document that has both: a problem, an error of the catalogue, a product. */
export function said(document) {
  const [zh, en] = "zh" in document ? [document.zh, document.en] : [document.title, document.title_en];
  // Numbers that nobody remembers stay visible as such.
  return (language === "zh" ? zh : en).replace(/\{\w+\}/g, "?");
}
