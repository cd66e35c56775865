/**
 * What the studio page knows, and what can happen to it.
 *
 * @typedef {import("./edits.js").Edits} Edits
 * @typedef {import("./edits.js").Point} Point
 * @typedef {import("./edits.js").Stroke} Stroke
 * @typedef {import("./view.js").View} View
 * @typedef {import("./view.js").Size} Size
 *
 * @typedef {{
 *   readonly id: string,
 *   readonly name: string,
 *   readonly size: readonly [number, number],
 *   readonly has_color: boolean,
 *   readonly url: string,
 *   readonly grey: string,
 *   readonly colorizations: string,
 *   readonly palette: string,
 * }} Photo  as the API gives it
 * @typedef {{
 *   readonly index: number,
 *   readonly seed: number,
 *   readonly component: number,
 *   readonly log_prob: number | null,
 *   readonly fit: number | null,
 *   readonly preview: string,
 *   readonly download: string,
 * }} Sample  as the API gives it
 * @typedef {{ readonly id: string, readonly samples: readonly Sample[], readonly edits: Edits }} Colorization
 * @typedef {{ readonly text: string, readonly canRetry: boolean }} Notice
 * @typedef {{
 *   readonly photo: Photo | null,
 *   readonly opening: boolean,
 *   readonly history: import("./history.js").History<Edits>,
 *   readonly line: { readonly points: readonly Point[], readonly color: string, readonly radius: number } | null,
 *   readonly colorization: Colorization | null,
 *   readonly requests: import("./requests.js").Requests,
 *   readonly selected: number,
 *   readonly model: string,
 *   readonly seed: number,
 *   readonly tool: "paint" | "move",
 *   readonly color: string,
 *   readonly brush: number,
 *   readonly before: boolean,
 *   readonly marks: boolean,
 *   readonly stage: Size,
 *   readonly view: View,
 *   readonly notice: Notice | null,
 * }} State  `brush`: its diameter in pixels of the photo
 *
 * @typedef {(
 *   | { type: "open-started" }
 *   | { type: "open-failed", text: string }
 *   | { type: "opened", photo: Photo }
 *   | { type: "reopened", photo: Photo }
 *   | { type: "closed" }
 *   | { type: "request-sent", number: number }
 *   | { type: "request-answered", number: number, colorization: Colorization }
 *   | { type: "request-failed", number: number, text: string }
 *   | { type: "pictures-failed", text: string }
 *   | { type: "retry" }
 *   | { type: "line-started", point: Point }
 *   | { type: "line-extended", points: readonly Point[] }
 *   | { type: "line-ended" }
 *   | { type: "line-dropped" }
 *   | { type: "undo" }
 *   | { type: "redo" }
 *   | { type: "edits-cleared" }
 *   | { type: "edits-loaded", edits: Edits }
 *   | { type: "sample-chosen", index: number }
 *   | { type: "seed-chosen", seed: number }
 *   | { type: "model-chosen", model: string }
 *   | { type: "tool-chosen", tool: "paint" | "move" }
 *   | { type: "color-chosen", color: string }
 *   | { type: "brush-sized", brush: number }
 *   | { type: "brush-scaled", factor: number }
 *   | { type: "before-shown", before: boolean }
 *   | { type: "marks-shown", marks: boolean }
 *   | { type: "stage-sized", stage: Size }
 *   | { type: "zoomed", factor: number, x: number, y: number }
 *   | { type: "panned", dx: number, dy: number }
 *   | { type: "fitted" }
 *   | { type: "noticed", text: string }
 *   | { type: "notice-closed" }
 * )} Action
 */

import { NO_EDITS } from "./edits.js";
import { startHistory } from "./history.js";
import { NO_REQUESTS } from "./requests.js";

export const NUM_SAMPLES = 6;

/** @type {State} */
export const START = Object.freeze({
  photo: null,
  opening: false,
  history: startHistory(NO_EDITS),
  line: null,
  colorization: null,
  requests: NO_REQUESTS,
  selected: 0,
  model: "",
  seed: 0,
  tool: "paint",
  color: "#4f7a3a",
  brush: 24,
  before: false,
  marks: true,
  stage: { width: 1, height: 1 },
  view: { scale: 1, x: 0, y: 0, fitted: true },
  notice: null,
});
