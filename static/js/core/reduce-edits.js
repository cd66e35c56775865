/**
 * Changes of the edits: lines drawn with each tool, undo, the list.
 *
 * @import { Edit, EditAction, Edits, Point, State } from "./types.js"
 */

import { addEdit, changeEdit, NO_EDITS, removeEdit, reorderEdit, shiftEdit } from "./edits.js";
import { erase } from "./erase.js";
import { record, redo, undo } from "./history.js";
import { extendLine, smoothLine } from "./line.js";
import { withoutLostRival } from "./methods.js";
import { ask } from "./requests.js";

const NUM_RECENT = 6;

/**
 * @param {State} state
 * @param {EditAction} action
 * @returns {State | undefined}  undefined for an action that is none of these
 */
export function reduceEdits(state, action) {
  const edits = state.history.present;
  switch (action.type) {
    case "line-started": {
      const tool = action.tool ?? state.tool;
      if (!state.photo || tool === "move" || tool === "pick") return state;
      const line = { tool, points: [action.point], radius: radiusOf(state, tool) };
      return { ...state, before: false, flipped: false, peek: null, line };
    }
    case "line-extended":
      return extended(state, action.points, action.pressure);
    case "line-ended":
      return ended(state);
    case "line-dropped":
      return state.line || state.tieStart
        ? { ...state, line: null, tieStart: null, draft: null }
        : state;
    case "undo":
      return wished(state, undo(state.history));
    case "redo":
      return wished(state, redo(state.history));
    case "edits-cleared":
      return edits.length === 0 ? state : changed(state, NO_EDITS);
    case "edits-loaded": {
      const next = { ...state, ...action.notes };
      const selected = Math.min(next.selected, next.sheet.length - 1);
      return changed({ ...next, selected }, action.edits);
    }
    case "edits-added":
      return changed(state, action.edits.reduce(addEdit, edits));
    case "edit-chosen":
      return { ...state, chosen: action.id };
    case "edit-removed":
      return changed(state, removeEdit(edits, action.id));
    case "edit-changed":
      return changed(state, changeEdit(edits, action.id, action.change));
    case "edit-reordered":
      return changed(state, reorderEdit(edits, action.id, action.by));
    case "edit-shifted":
      return changed(state, shiftEdit(edits, action.id, action.dx, action.dy));
  }
}

/**
 * The edit that a line under way would become; null for a line of another kind.
 *
 * @param {State} state
 * @returns {Omit<Edit, "id"> | null}
 */
export function lineAsEdit(state) {
  const { line } = state;
  if (!line || !state.photo) return null;
  const points = smoothLine(near(state, line.points, line.radius), tolerance(state));
  const shared = { points, radius: line.radius, hidden: false, strength: state.strength };
  switch (line.tool) {
    case "paint":
    case "point":
      return { ...shared, kind: "color", color: state.color };
    case "neutral":
      return { ...shared, kind: "color", ab: [0, 0] };
    case "keep":
      return { ...shared, kind: "keep" };
    default:
      return null;
  }
}

/** @param {State} state @param {State["tool"]} tool */
function radiusOf(state, tool) {
  return tool === "point" ? Math.max(2, state.brush / 4) : state.brush / 2;
}

/**
 * @param {State} state
 * @param {readonly Point[]} points
 * @param {number} [pressure]  0 to 1 of a pen
 */
function extended(state, points, pressure) {
  const { line } = state;
  if (!line) return state;
  if (line.tool === "point") {
    return { ...state, line: { ...line, points: [points[points.length - 1]] } };
  }
  // A pen draws as thick as it was pressed at most: a stroke has one width.
  const full = radiusOf(state, line.tool);
  const pressed = pressure === undefined ? full : full * (0.3 + 0.7 * pressure);
  const first = line.points.length === 1;
  const radius = pressure !== undefined && first ? pressed : Math.max(line.radius, pressed);
  const spacing = Math.max(1 / state.view.scale, line.radius / 8);
  const longer = points.reduce((before, point) => extendLine(before, point, spacing), line.points);
  if (longer === line.points && radius === line.radius) return state;
  return { ...state, line: { ...line, points: longer, radius } };
}

/** @param {State} state */
function ended(state) {
  const { line, photo } = state;
  if (!line || !photo) return { ...state, line: null };
  const after = { ...state, line: null };
  const [width, height] = photo.size;
  const { points, radius } = line;
  const inside = points.some(
    ([x, y]) => x > -radius && y > -radius && x < width + radius && y < height + radius,
  );
  if (!inside) return { ...after, draft: null };
  const edits = state.history.present;
  if (line.tool === "erase") return changed(after, erase(edits, points, radius));
  if (line.tool === "tie") {
    const region = { points: smoothLine(near(state, points, radius), tolerance(state)), radius };
    if (!state.tieStart) return { ...after, tieStart: region };
    const tie = { ...state.tieStart, other: region, hidden: false, strength: 1 };
    return changed({ ...after, tieStart: null }, addEdit(edits, { ...tie, kind: "tie" }));
  }
  const edit = lineAsEdit(state);
  if (!edit) return after;
  const next = changed(after, addEdit(edits, edit));
  const drawn = next.history.present[next.history.present.length - 1];
  const recent = edit.color
    ? [edit.color, ...state.recent.filter((color) => color !== edit.color)].slice(0, NUM_RECENT)
    : state.recent;
  return { ...next, chosen: drawn.id, recent };
}

/**
 * The points, none further from the photo than it takes to leave no colour.
 *
 * @param {State} state
 * @param {readonly Point[]} points
 * @param {number} radius
 * @returns {Point[]}
 */
function near({ photo }, points, radius) {
  const [width, height] = photo?.size ?? [0, 0];
  const out = radius + 1;
  return points.map(([x, y]) => [
    Math.min(Math.max(x, -out), width + out),
    Math.min(Math.max(y, -out), height + out),
  ]);
}

/** @param {State} state */
function tolerance(state) {
  return Math.max(0.25, 0.25 / state.view.scale);
}

/** @param {State} state @param {Edits} edits */
function changed(state, edits) {
  return edits === state.history.present ? state : wished(state, record(state.history, edits));
}

/** @param {State} state @param {State["history"]} history */
function wished(state, history) {
  if (history === state.history) return state;
  const requests = state.photo ? ask(state.requests) : state.requests;
  return withoutLostRival({ ...state, history, before: false, requests });
}
