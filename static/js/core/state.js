/**
 * What the studio page knows.
 *
 * @typedef {import("./edits.js").Edits} Edits
 * @typedef {import("./edits.js").Edit} Edit
 * @typedef {import("./edits.js").Point} Point
 * @typedef {import("./edits.js").Region} Region
 * @typedef {import("./sheet.js").Tile} Tile
 * @typedef {import("./tone.js").Tone} Tone
 * @typedef {import("./view.js").View} View
 * @typedef {import("./view.js").Size} Size
 * @typedef {import("./join/field.js").Field} Field
 *
 * @typedef {"paint" | "point" | "neutral" | "keep" | "tie" | "erase" | "pick" | "move"} Tool
 * @typedef {"split" | "side" | "flip"} CompareMode
 * @typedef {"influence" | "uncertainty" | "unary"} Insight
 * @typedef {{
 *   readonly id: string,
 *   readonly name: string,
 *   readonly size: readonly [number, number],
 *   readonly grid: readonly [number, number],
 *   readonly has_color: boolean,
 *   readonly url: string,
 *   readonly grey: string,
 *   readonly original: string,
 *   readonly colorizations: string,
 *   readonly influence: string,
 *   readonly uncertainty: string,
 *   readonly palette: string,
 * }} Photo  as the API gives it
 * @typedef {{ readonly key: string, readonly field: Field, readonly edits: Edits }} Result
 *   one sample's colours and the edits that they follow; `key` differs for every field
 * @typedef {{ readonly download: string, readonly unary: string }} Addresses
 * @typedef {{ readonly id: string, readonly edits: Edits, readonly samples: ReadonlyMap<string, Addresses> }} Colorization
 *   the last whole answer; `samples` by the word of their pick
 * @typedef {{ readonly text: string, readonly canRetry: boolean }} Notice
 * @typedef {{ readonly tool: Tool, readonly points: readonly Point[], readonly radius: number }} Line
 * @typedef {{
 *   readonly photo: Photo | null,
 *   readonly opening: boolean,
 *   readonly history: import("./history.js").History<Edits>,
 *   readonly line: Line | null,
 *   readonly tieStart: Region | null,
 *   readonly chosen: number,
 *   readonly sheet: readonly Tile[],
 *   readonly selected: number,
 *   readonly peek: number | null,
 *   readonly lastSeed: number,
 *   readonly results: ReadonlyMap<string, Result>,
 *   readonly draft: Result | null,
 *   readonly colorization: Colorization | null,
 *   readonly requests: import("./requests.js").Requests,
 *   readonly model: string,
 *   readonly tool: Tool,
 *   readonly color: string,
 *   readonly recent: readonly string[],
 *   readonly brush: number,
 *   readonly strength: number,
 *   readonly before: boolean,
 *   readonly marks: boolean,
 *   readonly compare: { readonly mode: CompareMode, readonly other: number, readonly at: number } | null,
 *   readonly flipped: boolean,
 *   readonly insight: Insight | null,
 *   readonly tone: Tone,
 *   readonly mark: boolean,
 *   readonly cursor: Point | null,
 *   readonly stage: Size,
 *   readonly view: View,
 *   readonly notice: Notice | null,
 * }} State  `brush`: its diameter in pixels of the photo; `chosen`: number of an edit, 0 for none;
 *   `compare.other`: place on the sheet, −1 for the grey photo
 */

import { NO_EDITS } from "./edits.js";
import { startHistory } from "./history.js";
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

/** @typedef {Pick<State, typeof WORK[number]>} Work */

/** @param {State} state @returns {Work} */
export function workOf(state) {
  return /** @type {Work} */ (Object.fromEntries(WORK.map((name) => [name, state[name]])));
}

/**
 * The result of a place on the sheet.
 *
 * @param {State} state
 * @param {number} index
 */
export function resultAt(state, index) {
  const tile = state.sheet[index];
  return (tile && state.results.get(pickKey(tile.pick))) ?? null;
}

/** The place on the sheet that the big view shows. @param {State} state */
export function shownIndex(state) {
  return state.peek ?? state.selected;
}

/** What the big view shows: what follows the line under way, or the sample's last colours. @param {State} state */
export function shownResult(state) {
  return state.peek === null && state.draft ? state.draft : resultAt(state, shownIndex(state));
}
