/**
 * Changes of what is open and how it is shown: photo, tools, sliders, zoom, messages.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Photo} Photo
 * @typedef {import("./view.js").Size} Size
 * @typedef {import("./view.js").View} View
 */

import { NO_EDITS } from "./edits.js";
import { startHistory } from "./history.js";
import { ask, forget } from "./requests.js";
import { firstSheet } from "./sheet.js";
import { START } from "./state.js";
import { PLAIN_TONE } from "./tone.js";
import { fitView, panBy, zoomAt, zoomTo } from "./view.js";

export const MIN_BRUSH = 2;

/**
 * @param {State} state
 * @param {import("./actions.js").ViewAction} action
 * @returns {State}
 */
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
      return { ...state, photo: action.photo, requests: ask(forget(state.requests)), notice: null };
    case "closed":
      return {
        ...START,
        requests: forget(state.requests),
        model: state.model,
        color: state.color,
        recent: state.recent,
        stage: state.stage,
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
    case "zoomed":
      return moved(state, (photo) =>
        zoomAt(
          state.view,
          action.factor,
          action.x,
          action.y,
          photo,
          pane(state),
          margin(state.stage),
        ),
      );
    case "zoomed-to":
      return moved(state, (photo) =>
        zoomTo(state.view, action.scale, photo, pane(state), margin(state.stage)),
      );
    case "panned":
      return moved(state, (photo) => panBy(state.view, action.dx, action.dy, photo, pane(state)));
    case "fitted":
      return moved(state, (photo) => fitView(photo, pane(state), margin(state.stage)));
    case "noticed":
      return { ...state, notice: { text: action.text, canRetry: false } };
    case "notice-closed":
      return { ...state, notice: null };
  }
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
 * The part of the stage that one picture has: half of it where two stand side by side.
 *
 * @param {State} state
 * @returns {Size}
 */
export function pane({ stage, compare, insight }) {
  if (compare?.mode !== "side" && insight !== "unary") return stage;
  return { width: Math.max(1, stage.width / 2), height: stage.height };
}

/**
 * @param {State} state
 * @param {import("./state.js").Work} work
 * @returns {State}
 */
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
    ...work,
    requests: ask(forget(state.requests)),
  };
  return photo ? { ...next, view: fitView(sizeOf(photo), state.stage, margin(state.stage)) } : next;
}

/**
 * @param {State} state
 * @param {number} dx
 * @param {number} dy
 * @returns {State}
 */
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
    ? fitView(photo, pane(next), margin(next.stage))
    : panBy(state.view, 0, 0, photo, pane(next));
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

/** Grey that is left around a fitted photo. @param {Size} stage */
export function margin(stage) {
  return stage.width < 600 ? 0 : 24;
}

/** @param {Photo} photo */
function sizeOf(photo) {
  return { width: photo.size[0], height: photo.size[1] };
}
