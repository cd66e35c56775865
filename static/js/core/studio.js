/**
 * Every way the state of the studio page can change: (state, action) → state.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Action} Action
 * @typedef {import("./state.js").Photo} Photo
 * @typedef {import("./edits.js").Edits} Edits
 * @typedef {import("./edits.js").Point} Point
 * @typedef {import("./edits.js").Stroke} Stroke
 * @typedef {import("./view.js").View} View
 * @typedef {import("./view.js").Size} Size
 */

import { addStroke, isEmpty, NO_EDITS } from "./edits.js";
import { record, redo, startHistory, undo } from "./history.js";
import { extendLine, smoothLine } from "./line.js";
import { answer, ask, fail, forget, isNews, send } from "./requests.js";
import { START } from "./state.js";
import { fitView, panBy, zoomAt } from "./view.js";

const MIN_BRUSH = 2;

/**
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case "open-started":
      return { ...state, opening: true, notice: null };
    case "open-failed":
      return { ...state, opening: false, notice: { text: action.text, canRetry: false } };
    case "opened":
      return opened(state, action.photo);
    case "reopened":
      // The same photo under a new address: edits, view and choice stay.
      return { ...state, photo: action.photo, requests: ask(forget(state.requests)), notice: null };
    case "closed":
      return {
        ...START,
        requests: forget(state.requests),
        model: state.model,
        color: state.color,
        stage: state.stage,
      };
    case "request-sent":
      return { ...state, requests: send(state.requests, action.number) };
    case "request-answered":
      if (!isNews(state.requests, action.number)) return state;
      return {
        ...state,
        requests: answer(state.requests, action.number),
        colorization: action.colorization,
        selected: Math.min(state.selected, action.colorization.samples.length - 1),
        notice: state.notice?.canRetry ? null : state.notice,
      };
    case "request-failed": {
      const requests = fail(state.requests, action.number);
      const notice = requests.failed ? { text: action.text, canRetry: true } : state.notice;
      return { ...state, requests, notice };
    }
    case "pictures-failed":
      return { ...state, notice: { text: action.text, canRetry: true } };
    case "retry":
      return { ...state, requests: ask(state.requests), notice: null };
    case "line-started":
      if (!state.photo) return state;
      return {
        ...state,
        before: false,
        line: { points: [action.point], color: state.color, radius: state.brush / 2 },
      };
    case "line-extended":
      return extended(state, action.points);
    case "line-ended":
      return ended(state);
    case "line-dropped":
      return { ...state, line: null };
    case "undo":
      return wished(state, undo(state.history));
    case "redo":
      return wished(state, redo(state.history));
    case "edits-cleared":
      if (isEmpty(state.history.present)) return state;
      return wished(state, record(state.history, NO_EDITS));
    case "edits-loaded":
      return wished(state, record(state.history, action.edits));
    case "sample-chosen":
      return { ...state, selected: action.index, before: false };
    case "seed-chosen":
      return { ...state, seed: action.seed, requests: asked(state) };
    case "model-chosen":
      return { ...state, model: action.model, requests: asked(state) };
    case "tool-chosen":
      return { ...state, tool: action.tool, line: null };
    case "color-chosen":
      return { ...state, color: action.color, tool: "paint" };
    case "brush-sized":
      return { ...state, brush: brushSize(state, action.brush) };
    case "brush-scaled":
      return { ...state, brush: brushSize(state, state.brush * action.factor) };
    case "before-shown":
      return { ...state, before: action.before };
    case "marks-shown":
      return { ...state, marks: action.marks };
    case "stage-sized":
      return staged(state, action.stage);
    case "zoomed":
      return moved(state, (photo) =>
        zoomAt(state.view, action.factor, action.x, action.y, photo, state.stage, margin(state)),
      );
    case "panned":
      return moved(state, (photo) => panBy(state.view, action.dx, action.dy, photo, state.stage));
    case "fitted":
      return moved(state, (photo) => fitView(photo, state.stage, margin(state)));
    case "noticed":
      return { ...state, notice: { text: action.text, canRetry: false } };
    case "notice-closed":
      return { ...state, notice: null };
  }
}

/** @param {State} state */
export function canUndo(state) {
  return state.history.past.length > 0;
}

/** @param {State} state */
export function canRedo(state) {
  return state.history.future.length > 0;
}

/**
 * The strokes that the picture on show does not follow yet.
 *
 * @param {State} state
 * @param {Edits | null} shown  the edits of the picture on show
 * @returns {readonly Stroke[]}
 */
export function pendingStrokes(state, shown) {
  const known = new Set(shown?.strokes);
  return state.history.present.strokes.filter((stroke) => !known.has(stroke));
}

/**
 * The largest brush for a photo, in pixels of the photo.
 *
 * @param {Photo} photo
 */
export function largestBrush(photo) {
  return Math.max(8, Math.round(Math.max(...photo.size) / 4));
}

/**
 * @param {State} state
 * @param {Photo} photo
 * @returns {State}
 */
function opened(state, photo) {
  const fresh = {
    ...state,
    photo,
    opening: false,
    history: startHistory(NO_EDITS),
    line: null,
    colorization: null,
    requests: ask(forget(state.requests)),
    selected: 0,
    seed: 0,
    before: false,
    brush: Math.max(MIN_BRUSH, Math.round(Math.max(...photo.size) * 0.035)),
    notice: null,
  };
  return { ...fresh, view: fitView(sizeOf(photo), state.stage, margin(state)) };
}

/**
 * @param {State} state
 * @param {readonly Point[]} points
 * @returns {State}
 */
function extended(state, points) {
  if (!state.line) return state;
  const spacing = Math.max(1 / state.view.scale, state.line.radius / 8);
  const line = points.reduce(
    (before, point) => extendLine(before, point, spacing),
    state.line.points,
  );
  return line === state.line.points ? state : { ...state, line: { ...state.line, points: line } };
}

/**
 * @param {State} state
 * @returns {State}
 */
function ended(state) {
  if (!state.line || !state.photo) return { ...state, line: null };
  const { points, color, radius } = state.line;
  const photo = sizeOf(state.photo);
  const isInside = points.some(
    ([x, y]) => x > -radius && y > -radius && x < photo.width + radius && y < photo.height + radius,
  );
  if (!isInside) return { ...state, line: null };
  // A line may leave the photo, but not by more than it takes to leave no colour.
  const out = radius + 1;
  const near = points.map(([x, y]) => {
    /** @type {Point} */
    const point = [
      Math.min(Math.max(x, -out), photo.width + out),
      Math.min(Math.max(y, -out), photo.height + out),
    ];
    return point;
  });
  const smooth = smoothLine(near, Math.max(0.25, 0.25 / state.view.scale));
  const stroke = { points: smooth, radius, color, strength: 1 };
  const edits = addStroke(state.history.present, stroke);
  return wished({ ...state, line: null }, record(state.history, edits));
}

/**
 * @param {State} state
 * @param {State["history"]} history
 * @returns {State}
 */
function wished(state, history) {
  if (history === state.history) return state;
  return { ...state, history, before: false, requests: asked(state) };
}

/** @param {State} state */
function asked(state) {
  return state.photo ? ask(state.requests) : state.requests;
}

/**
 * @param {State} state
 * @param {number} brush
 */
function brushSize(state, brush) {
  const most = state.photo ? largestBrush(state.photo) : Number.POSITIVE_INFINITY;
  return Math.round(Math.min(Math.max(brush, MIN_BRUSH), most) * 10) / 10;
}

/**
 * @param {State} state
 * @param {Size} stage
 * @returns {State}
 */
function staged(state, stage) {
  const next = { ...state, stage };
  if (!state.photo) return next;
  const photo = sizeOf(state.photo);
  const view = state.view.fitted
    ? fitView(photo, stage, margin(next))
    : panBy(state.view, 0, 0, photo, stage);
  return { ...next, view };
}

/**
 * @param {State} state
 * @param {(photo: Size) => View} change
 * @returns {State}
 */
function moved(state, change) {
  return state.photo ? { ...state, view: change(sizeOf(state.photo)) } : state;
}

/** @param {State} state */
function margin(state) {
  return state.stage.width < 600 ? 0 : 24;
}

/** @param {Photo} photo */
function sizeOf(photo) {
  return { width: photo.size[0], height: photo.size[1] };
}
