/**
 * Changes of what is open and how it is shown: photo, tools, sliders, zoom, messages.
 *
 * @import { Photo, Size, State, View, ViewAction, Work } from "./types.js"
 */

import { NO_EDITS } from "./edits.js";
import { startHistory } from "./history.js";
import { emptyRows } from "./methods.js";
import { ask, forget } from "./requests.js";
import { firstSheet } from "./sheet.js";
import { START } from "./state.js";
import { PLAIN_TONE } from "./tone.js";
import { fitView, panBy, zoomAt, zoomTo } from "./view.js";

export const MIN_BRUSH = 2;

/** @param {State} state @param {ViewAction} action @returns {State} */
export function reduceView(state, action) {
  switch (action.type) {
    case "open-started":
      return { ...state, opening: true, notice: null };
    case "open-failed":
      return { ...state, opening: false, notice: { text: action.text, canRetry: false } };
    case "opened": {
      const { photo } = action;
      const brush = Math.max(MIN_BRUSH, Math.round(Math.max(...photo.size) * 0.035));
      const history = startHistory(NO_EDITS);
      const sheet = firstSheet(state.sheet.length);
      const fresh = { photo, history, sheet, brush, selected: 0, lastSeed: 0 };
      return shown(state, { ...fresh, model: state.model, tone: PLAIN_TONE, mark: state.mark });
    }
    case "work-opened":
      return shown(state, action.work);
    case "reopened":
      // The same photo under a new address: edits, view and choice stay.
      return {
        ...state,
        photo: action.photo,
        rows: emptyRows(state),
        requests: ask(forget(state.requests)),
        notice: null,
      };
    case "closed":
      return {
        ...START,
        requests: forget(state.requests),
        model: state.model,
        color: state.color,
        recent: state.recent,
        stage: state.stage,
        methods: state.methods,
      };
    case "tool-chosen":
      return { ...state, tool: action.tool, line: null, tieStart: null, draft: null };
    case "color-chosen":
      return {
        ...state,
        color: action.color,
        tool: state.tool === "point" || state.tool === "pick" ? state.tool : "paint",
      };
    case "brush-sized":
      return { ...state, brush: brushSize(state, action.brush) };
    case "brush-scaled":
      return { ...state, brush: brushSize(state, state.brush * action.factor) };
    case "strength-chosen":
      return { ...state, strength: Math.min(Math.max(action.strength, 0.05), 1) };
    case "tone-chosen":
      return { ...state, tone: action.tone };
    case "mark-chosen":
      return { ...state, mark: action.mark };
    case "before-shown":
      return { ...state, before: action.before };
    case "marks-shown":
      return { ...state, marks: action.marks };
    case "compared":
      return staged({ ...state, compare: action.compare, flipped: false }, state.stage);
    case "flipped":
      return { ...state, flipped: action.flipped };
    case "insight-chosen":
      return staged({ ...state, insight: action.insight }, state.stage);
    case "cursor-moved":
      return cursorMoved(state, action.dx, action.dy);
    case "cursor-hidden":
      return state.cursor ? { ...state, cursor: null } : state;
    case "stage-sized":
      return staged(state, action.stage);
    case "zoomed": {
      const { factor, x, y } = action;
      return moved(state, (...sizes) => zoomAt(state.view, factor, x, y, ...sizes));
    }
    case "zoomed-to":
      return moved(state, (...sizes) => zoomTo(state.view, action.scale, ...sizes));
    case "panned":
      return moved(state, (photo, size) => panBy(state.view, action.dx, action.dy, photo, size));
    case "fitted":
      return moved(state, fitView);
    case "noticed":
      return { ...state, notice: { text: action.text, canRetry: false } };
    case "notice-closed":
      return { ...state, notice: null };
  }
}

/** The largest brush for a photo, in pixels of the photo. @param {Photo} photo */
export function largestBrush(photo) {
  return Math.max(8, Math.round(Math.max(...photo.size) / 4));
}

/**
 * The part of the stage that one picture has: half of it where two stand side by side.
 *
 * @param {State} state
 * @returns {Size}
 */
export function pane({ stage, compare, insight }) {
  if (compare?.mode !== "side" && insight !== "unary") return stage;
  return { width: Math.max(1, stage.width / 2), height: stage.height };
}

/** @param {State} state @param {Work} work */
function shown(state, work) {
  const { photo } = work;
  const next = {
    ...START,
    color: state.color,
    recent: state.recent,
    tool: state.tool,
    strength: state.strength,
    marks: state.marks,
    stage: state.stage,
    methods: state.methods,
    drawer: state.drawer,
    rows: emptyRows(state),
    ...work,
    requests: ask(forget(state.requests)),
  };
  return photo ? { ...next, view: fitView(sizeOf(photo), state.stage, margin(state.stage)) } : next;
}

/** @param {State} state @param {number} dx @param {number} dy @returns {State} */
function cursorMoved(state, dx, dy) {
  if (!state.photo) return state;
  const [width, height] = state.photo.size;
  const { view } = state;
  const size = pane(state);
  const [x, y] = state.cursor ?? [
    (size.width / 2 - view.x) / view.scale,
    (size.height / 2 - view.y) / view.scale,
  ];
  return {
    ...state,
    cursor: [Math.min(Math.max(x + dx, 0), width), Math.min(Math.max(y + dy, 0), height)],
  };
}

/** @param {State} state @param {number} brush */
function brushSize(state, brush) {
  const most = state.photo ? largestBrush(state.photo) : Number.POSITIVE_INFINITY;
  return Math.round(Math.min(Math.max(brush, MIN_BRUSH), most) * 10) / 10;
}

/** @param {State} state @param {Size} stage */
function staged(state, stage) {
  return moved({ ...state, stage }, (photo, size, edge) =>
    state.view.fitted ? fitView(photo, size, edge) : panBy(state.view, 0, 0, photo, size),
  );
}

/** @param {State} state @param {(photo: Size, pane: Size, margin: number) => View} change */
function moved(state, change) {
  if (!state.photo) return state;
  return { ...state, view: change(sizeOf(state.photo), pane(state), margin(state.stage)) };
}

/** Grey that is left around a fitted photo. @param {Size} stage */
export function margin(stage) {
  return stage.width < 600 ? 0 : 24;
}

/** @param {Photo} photo */
function sizeOf(photo) {
  return { width: photo.size[0], height: photo.size[1] };
}
