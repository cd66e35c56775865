/**
 * Every way the state of the studio page can change: (state, action) → state.
 *
 * @import { Action, EditAction, MethodAction, SheetAction, State, ViewAction } from "./types.js"
 */

import { reduceMethods } from "./methods.js";
import { reduceEdits } from "./reduce-edits.js";
import { reduceSheet } from "./reduce-sheet.js";
import { reduceView } from "./reduce-view.js";

/** @param {State} state @param {Action} action @returns {State} */
export function reduce(state, action) {
  return (
    reduceEdits(state, /** @type {EditAction} */ (action)) ??
    reduceSheet(state, /** @type {SheetAction} */ (action)) ??
    reduceMethods(state, /** @type {MethodAction} */ (action)) ??
    reduceView(state, /** @type {ViewAction} */ (action))
  );
}
