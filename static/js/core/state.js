/**
 * What the studio page knows.
 *
 * @import { State, Work } from "./types.js"
 */

import { NO_EDITS } from "./edits.js";
import { startHistory } from "./history.js";
import { RIVAL, rowWord } from "./methods.js";
import { NO_REQUESTS } from "./requests.js";
import { firstSheet, pickKey, USUAL_TILES } from "./sheet.js";
import { PLAIN_TONE } from "./tone.js";

/** @type {State} */
export const START = Object.freeze({
  photo: null,
  opening: false,
  history: startHistory(NO_EDITS),
  line: null,
  tieStart: null,
  chosen: 0,
  sheet: firstSheet(USUAL_TILES),
  selected: 0,
  peek: null,
  lastSeed: 0,
  results: new Map(),
  draft: null,
  colorization: null,
  requests: NO_REQUESTS,
  model: "",
  tool: "paint",
  color: "#4f7a3a",
  recent: [],
  brush: 24,
  strength: 1,
  before: false,
  marks: true,
  compare: null,
  flipped: false,
  methods: [],
  drawer: false,
  rows: new Map(),
  rival: null,
  insight: null,
  tone: PLAIN_TONE,
  mark: false,
  cursor: null,
  stage: { width: 1, height: 1 },
  view: { scale: 1, x: 0, y: 0, fitted: true },
  notice: null,
});

/** What a reload and the film strip bring back of one photo. */
export const WORK = /** @type {const} */ ([
  "photo",
  "history",
  "sheet",
  "selected",
  "lastSeed",
  "model",
  "brush",
  "tone",
  "mark",
]);

/** @param {State} state @returns {Work} */
export function workOf(state) {
  return /** @type {Work} */ (Object.fromEntries(WORK.map((name) => [name, state[name]])));
}

/** The word of a place on the sheet, or of the rival. @param {State} state @param {number} index */
export function wordAt({ sheet, rival }, index) {
  if (index === RIVAL) return rival ? rowWord(rival.name, rival.index) : "";
  const tile = sheet[index];
  return tile ? pickKey(tile.pick) : "";
}

/** The result of a place on the sheet, or of the rival. @param {State} state @param {number} index */
export function resultAt(state, index) {
  const { rival, rows, results } = state;
  if (index !== RIVAL) return results.get(wordAt(state, index)) ?? null;
  return (rival && rows.get(rival.name)?.results[rival.index]) ?? null;
}

/** The place on the sheet that the big view shows. @param {State} state */
export function shownIndex(state) {
  return state.peek ?? state.selected;
}

/** What the big view shows: what follows the line under way, or the sample's last colours. @param {State} state */
export function shownResult(state) {
  return state.peek === null && state.draft ? state.draft : resultAt(state, shownIndex(state));
}
