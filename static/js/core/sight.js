/**
 * What the big view has to show: the part of the photo in sight, and what no picture follows yet.
 *
 * @import { Part } from "./join/types.js"
 * @import { Edit, Edits, State } from "./types.js"
 */

import { lineAsEdit } from "./reduce-edits.js";
import { pane } from "./reduce-view.js";
import { toPhoto } from "./view.js";

/**
 * The part of the photo in sight, as shares, and somewhat more, in steps, so that small moves need
 * no new picture.
 *
 * @param {State} state
 * @returns {Part}  left, top, right, bottom
 */
export function partInSight(state) {
  if (!state.photo || state.view.fitted) return [0, 0, 1, 1];
  const [width, height] = state.photo.size;
  const size = pane(state);
  const [left, top] = toPhoto(state.view, 0, 0);
  const [right, bottom] = toPhoto(state.view, size.width, size.height);
  const low = (/** @type {number} */ share) => Math.max(0, Math.floor(share * 32 - 1) / 32);
  const high = (/** @type {number} */ share) => Math.min(1, Math.ceil(share * 32 + 1) / 32);
  return [low(left / width), low(top / height), high(right / width), high(bottom / height)];
}

/**
 * The strokes, and the line under way, that a picture with these edits does not follow yet.
 *
 * @param {State} state
 * @param {Edits} followed
 * @returns {Edit[]}
 */
export function pendingEdits(state, followed) {
  const known = new Set(followed);
  const edits = state.history.present.filter(
    (edit) => edit.kind === "color" && !edit.hidden && !known.has(edit),
  );
  const line = lineAsEdit(state);
  if (line?.kind === "color") edits.push({ ...line, id: 0 });
  return edits;
}
