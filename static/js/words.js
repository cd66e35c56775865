/** Every English sentence of the page, from `static/words/en.json` by way of the template. */

/** @type {typeof import("../words/en.json")} */
export const WORDS = JSON.parse(document.documentElement.dataset.words ?? "{}");

/**
 * A sentence with its blanks, written {name}, filled.
 *
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function say(text, values) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => String(values[name] ?? blank));
}
