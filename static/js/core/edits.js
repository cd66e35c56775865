/**
 * Edits: the list of what a person painted, in its order, each with its own number.
 *
 * @import { Edit, Edits, Point } from "./types.js"
 */

/** @type {Edits} */
export const NO_EDITS = Object.freeze([]);

/**
 * The edits with one more at the end, numbered anew.
 *
 * @param {Edits} edits
 * @param {Omit<Edit, "id">} edit
 * @returns {Edits}
 */
export function addEdit(edits, edit) {
  return [...edits, { ...edit, id: freshId(edits) }];
}

/**
 * A number that no edit has, nor an earlier one that was deleted from the end alone.
 *
 * @param {Edits} edits
 */
export function freshId(edits) {
  return edits.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

/** @param {Edits} edits @param {number} id @returns {Edits} */
export function removeEdit(edits, id) {
  return edits.filter((edit) => edit.id !== id);
}

/** @param {Edits} edits @param {number} id @param {Partial<Edit>} change @returns {Edits} */
export function changeEdit(edits, id, change) {
  return edits.map((edit) => (edit.id === id ? { ...edit, ...change } : edit));
}

/**
 * The edit moved along the list; later ones cover earlier ones.
 *
 * @param {Edits} edits
 * @param {number} id
 * @param {number} by
 * @returns {Edits}
 */
export function reorderEdit(edits, id, by) {
  const from = edits.findIndex((edit) => edit.id === id);
  const to = Math.min(Math.max(from + by, 0), edits.length - 1);
  if (from < 0 || from === to) return edits;
  const rest = edits.filter((edit) => edit.id !== id);
  return [...rest.slice(0, to), edits[from], ...rest.slice(to)];
}

/**
 * The edit moved over the photo.
 *
 * @param {Edits} edits
 * @param {number} id
 * @param {number} dx
 * @param {number} dy
 * @returns {Edits}
 */
export function shiftEdit(edits, id, dx, dy) {
  const shifted = (/** @type {readonly Point[]} */ points) =>
    points.map(([x, y]) => rounded([x + dx, y + dy]));
  return edits.map((edit) => {
    if (edit.id !== id) return edit;
    const other = edit.other && { ...edit.other, points: shifted(edit.other.points) };
    return { ...edit, points: shifted(edit.points), ...(other ? { other } : {}) };
  });
}

/** A place rounded to a tenth of a pixel. @param {Point} point @returns {Point} */
export function rounded([x, y]) {
  return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
}
