/**
 * Changes of the contact sheet: what was asked, what came, what is chosen.
 *
 * @import { SheetAction, State } from "./types.js"
 */

import { answer, ask, fail, isNews, send } from "./requests.js";
import { moreDifferent, moreLike, pickKey, resize, toggleStar } from "./sheet.js";

/**
 * @param {State} state
 * @param {SheetAction} action
 * @returns {State | undefined}  undefined for an action that is none of these
 */
export function reduceSheet(state, action) {
  switch (action.type) {
    case "request-sent":
      return { ...state, requests: send(state.requests, action.number) };
    case "sample-came": {
      if (!isNews(state.requests, action.number)) return state;
      const results = new Map(state.results);
      results.set(action.pick, { key: action.key, field: action.field, edits: action.edits });
      const tile = state.sheet[state.selected];
      const isShown = tile !== undefined && pickKey(tile.pick) === action.pick;
      return { ...state, results, draft: isShown && !state.line ? null : state.draft };
    }
    case "request-answered": {
      if (!isNews(state.requests, action.number)) return state;
      const wanted = new Set(state.sheet.map(({ pick }) => pickKey(pick)));
      const results = new Map([...state.results].filter(([key]) => wanted.has(key)));
      return {
        ...state,
        results,
        requests: answer(state.requests, action.number),
        colorization: action.colorization,
        notice: state.notice?.canRetry ? null : state.notice,
      };
    }
    case "request-failed": {
      const requests = fail(state.requests, action.number);
      const notice = requests.failed ? { text: action.text, canRetry: true } : state.notice;
      return { ...state, requests, notice };
    }
    case "draft-came": {
      const tile = state.sheet[state.selected];
      if (!state.line || !tile || pickKey(tile.pick) !== action.pick) return state;
      return {
        ...state,
        draft: { key: action.key, field: action.field, edits: action.edits },
      };
    }
    case "retry":
      return { ...state, requests: ask(state.requests), notice: null };
    case "sample-chosen": {
      if (!state.sheet[action.index]) return state;
      return {
        ...state,
        selected: action.index,
        peek: null,
        draft: null,
        before: false,
        compare: compareWith(state, action.index),
      };
    }
    case "sample-peeked":
      return action.index === state.peek || state.line ? state : { ...state, peek: action.index };
    case "sample-starred":
      return { ...state, sheet: toggleStar(state.sheet, action.index) };
    case "more-different":
      return resheeted(state, moreDifferent(state.sheet, state.lastSeed + 1));
    case "more-like":
      return resheeted(state, moreLike(state.sheet, action.index, state.lastSeed + 1));
    case "sheet-resized": {
      const sheet = resize(state.sheet, action.count);
      return sheet.length === state.sheet.length ? state : resheeted(state, sheet, state.lastSeed);
    }
    case "model-chosen":
      return { ...state, model: action.model, requests: asked(state) };
  }
}

/** @param {State} state @param {State["sheet"]} sheet @param {number} [lastSeed] */
function resheeted(state, sheet, lastSeed = state.lastSeed + 1) {
  const tile = state.sheet[state.selected];
  const own = tile ? pickKey(tile.pick) : "";
  const place = sheet.findIndex(({ pick }) => pickKey(pick) === own);
  return {
    ...state,
    sheet,
    lastSeed,
    selected: Math.max(0, place),
    peek: null,
    draft: null,
    compare: null,
    requests: asked(state),
  };
}

/**
 * Choosing the sample that is compared with turns the two around.
 *
 * @param {State} state
 * @param {number} index
 */
function compareWith(state, index) {
  const { compare, selected } = state;
  return compare && compare.other === index ? { ...compare, other: selected } : compare;
}

/** @param {State} state */
function asked(state) {
  return state.photo ? ask(state.requests) : state.requests;
}
