/** Every way the state of the studio page can change: (state, action) → state. */

import { reduceEdits } from "./reduce-edits.js";
import { reduceSheet } from "./reduce-sheet.js";
import { reduceView } from "./reduce-view.js";

/**
 * @param {import("./state.js").State} state
 * @param {import("./actions.js").Action} action
 * @returns {import("./state.js").State}
 */
export function reduce(state, action) {
  return (
    reduceEdits(state, /** @type {import("./actions.js").EditAction} */ (action)) ??
    reduceSheet(state, /** @type {import("./actions.js").SheetAction} */ (action)) ??
    reduceView(state, /** @type {import("./actions.js").ViewAction} */ (action))
  );
}
