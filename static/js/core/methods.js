/**
 * Earlier methods beside ours: rows of the drawer, which one is due, and what stands on the stage.
 *
 * @import { MethodAction, Row, State } from "./types.js"
 */

import { NO_EDITS } from "./edits.js";

/** In place of a place on the sheet: the sample of an earlier method that was chosen last. */
export const RIVAL = -2;

/** @type {Row} */
const NEW_ROW = { results: [], edits: null, busy: false, text: "" };

/** The word of a row's result, as samples have theirs. @param {string} name @param {number} index */
export function rowWord(name, index) {
  return `${name} ${index}`;
}

/** The methods that have something to show now: one of strokes needs a colour. @param {State} state */
export function offered({ methods, history }) {
  const painted = history.present.some(({ kind, hidden }) => kind === "color" && !hidden);
  return methods.filter(({ kind }) => painted || kind === "samples");
}

/** A method's title, with its name where another has the same. @param {State} state @param {string} name */
export function titleOf({ methods }, name) {
  const title = methods.find((method) => method.name === name)?.title ?? name;
  return methods.filter((method) => method.title === title).length > 1
    ? `${title} (${name})`
    : title;
}

/** What a method's results shall follow. @param {State} state @param {string} name */
export function wishOf({ methods, history }, name) {
  return methods.find((method) => method.name === name)?.kind === "strokes"
    ? history.present
    : NO_EDITS;
}

/** The method to ask next: what is in sight and does not follow the edits. @param {State} state */
export function dueMethod(state) {
  const { rows, drawer, rival } = state;
  const due = offered(state).find(({ name }) => {
    const row = (drawer || rival?.name === name) && rows.get(name);
    return row && row.edits !== wishOf(state, name);
  });
  return due?.name;
}

/**
 * @param {State} state
 * @param {MethodAction} action
 * @returns {State | undefined}  undefined for an action that is none of these
 */
export function reduceMethods(state, action) {
  switch (action.type) {
    case "methods-came":
      return { ...state, methods: action.methods };
    case "drawer-shown": {
      const next = { ...state, drawer: action.drawer };
      const [first] = offered(state);
      return action.drawer && first && state.rows.size === 0 ? withRow(next, first.name, {}) : next;
    }
    case "method-chosen": {
      if (!state.rows.has(action.name)) return withRow(state, action.name, {});
      const rows = new Map(state.rows);
      rows.delete(action.name);
      return withoutLostRival({ ...state, rows });
    }
    case "row-changed":
      // The photo or the choice may have changed since the method was asked.
      if (state.photo?.id !== action.photo || !state.rows.has(action.name)) return state;
      return withRow(state, action.name, action.change);
    case "rival-chosen": {
      const { name, index } = action;
      const { mode, at } = state.compare ?? { mode: /** @type {const} */ ("split"), at: 0.5 };
      return { ...state, rival: { name, index }, compare: { mode, at, other: RIVAL } };
    }
  }
}

/** The rival goes with its row, and with the last stroke that it followed. @param {State} state @returns {State} */
export function withoutLostRival(state) {
  const { rival, rows, compare } = state;
  const stays = offered(state).some(({ name }) => name === rival?.name && rows.has(name));
  if (!rival || stays) return state;
  return {
    ...state,
    rival: null,
    compare: compare?.other === RIVAL ? { ...compare, other: -1 } : compare,
  };
}

/** The rows without their results, for another photo or another address. @param {State} state */
export function emptyRows({ rows }) {
  return new Map([...rows.keys()].map((name) => [name, NEW_ROW]));
}

/** @param {State} state @param {string} name @param {Partial<Row>} change */
function withRow(state, name, change) {
  const row = { ...NEW_ROW, ...state.rows.get(name), ...change };
  return { ...state, rows: new Map(state.rows).set(name, row) };
}
