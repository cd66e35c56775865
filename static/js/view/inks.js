/**
 * Strokes as the join worker takes them; the same edit always gives the same ink.
 *
 * @import { Edit, Edits } from "../core/types.js"
 * @import { Ink } from "../core/join/types.js"
 */

import { hexToRgb, rgbToLab } from "../core/color.js";

/**
 */

/** @type {WeakMap<Edit, Ink>} */
const made = new WeakMap();
let count = 0;

/** @param {Edits} edits @returns {Ink[]} */
export function inksOf(edits) {
  return edits.filter(({ kind, hidden }) => kind === "color" && !hidden).map(inkOf);
}

/** @param {Edit} edit */
function inkOf(edit) {
  let ink = made.get(edit);
  if (!ink) {
    const { points, radius, strength } = edit;
    const [, a, b] = edit.color ? rgbToLab(hexToRgb(edit.color)) : [0, ...(edit.ab ?? [0, 0])];
    ink = { id: String(++count), points, radius, strength, ab: [a, b] };
    made.set(edit, ink);
  }
  return ink;
}
