/**
 * Keys of the study page: which answer one stands for.
 *
 * @typedef {"left" | "right" | "cant-tell" | "flip"} KeyAction
 */

/** @type {Record<string, KeyAction>} */
const KEYS = {
  ArrowLeft: "left",
  ArrowUp: "left",
  f: "left",
  ArrowRight: "right",
  ArrowDown: "right",
  j: "right",
  t: "cant-tell",
  " ": "flip",
};

/**
 * The action of a key press, or null; held keys and shortcuts do nothing.
 *
 * @param {{ key: string, repeat: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean }} press
 * @returns {KeyAction | null}
 */
export function actionOf(press) {
  if (press.repeat || press.ctrlKey || press.metaKey || press.altKey) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return KEYS[key] ?? null;
}
