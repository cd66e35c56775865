/**
 * Drawing on the stage's two canvases: pictures with strokes under way, and the marks over them.
 *
 * @typedef {{ bitmap: ImageBitmap, part: Part, grey: boolean }} Layer
 *
 * @import { Part } from "../core/join/types.js"
 * @import { Edit, Point, Region, State, View } from "../core/types.js"
 */

import { labToRgb, rgbToHex } from "../core/color.js";
import { pane } from "../core/reduce-view.js";
import { toScreen } from "../core/view.js";
import { context2d } from "./elements.js";

/**
 * Pictures over one another within a stretch of the stage, and over them in their own hue the
 * strokes that they do not follow yet.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ left: number, right: number, from: number }} stretch  in CSS pixels; `from`: where its
 *   view begins
 * @param {View} view
 * @param {readonly [number, number]} size  of the photo
 * @param {readonly Layer[]} layers
 * @param {readonly Edit[]} strokes
 */
export function drawPane(canvas, stretch, view, size, layers, strokes) {
  const context = context2d(canvas);
  const density = devicePixelRatio;
  context.save();
  context.setTransform(density, 0, 0, density, 0, 0);
  context.beginPath();
  context.rect(stretch.left, 0, stretch.right - stretch.left, canvas.height / density);
  context.clip();
  context.clearRect(stretch.left, 0, stretch.right - stretch.left, canvas.height / density);
  context.translate(stretch.from + view.x, view.y);
  context.scale(view.scale, view.scale);
  context.imageSmoothingQuality = "high";
  for (const { bitmap, part, grey } of layers) {
    const [left, top] = [part[0] * size[0], part[1] * size[1]];
    context.filter = grey ? "grayscale(1)" : "none";
    context.drawImage(bitmap, left, top, part[2] * size[0] - left, part[3] * size[1] - top);
  }
  context.filter = "none";
  if (layers.length > 0 && strokes.length > 0) {
    context.beginPath();
    context.rect(0, 0, size[0], size[1]);
    context.clip();
    // The browser's own blend keeps the photo's light, much as the join will.
    context.globalCompositeOperation = "color";
    for (const stroke of strokes) {
      context.fillStyle = colorOf(stroke);
      context.strokeStyle = colorOf(stroke);
      context.globalAlpha = stroke.strength;
      context.lineWidth = 2 * stroke.radius;
      tracePath(context, stroke.points, stroke.radius);
    }
  }
  context.restore();
}

/**
 * Thin lines where edits lie, the ring of the brush, the keyboard's cursor, and what an insight
 * lays over the photo.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} density
 * @param {State} state
 * @param {{
 *   pointer: [number, number] | null, color: string,
 *   overlay: HTMLCanvasElement | null, ring: Point | null,
 * }} extras
 */
export function drawMarks(canvas, density, state, { pointer, color, overlay, ring }) {
  const context = context2d(canvas);
  const { view, photo } = state;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, canvas.width / density, canvas.height / density);
  if (!photo) return;
  if (overlay && !state.before) {
    const [width, height] = [photo.size[0] * view.scale, photo.size[1] * view.scale];
    context.imageSmoothingQuality = "high";
    context.drawImage(overlay, view.x, view.y, width, height);
  }
  if (ring) {
    const [x, y] = toScreen(view, ring);
    drawRing(context, x, y, 18, "#fff");
  }
  if (state.marks && !state.before) {
    for (const edit of state.history.present) {
      if (!edit.hidden) drawEdit(context, view, edit, edit.id === state.chosen);
    }
    if (state.tieStart) drawPath(context, view, state.tieStart, "#fff", 2, [4, 4]);
  }
  if (state.line && ["keep", "tie", "erase"].includes(state.line.tool)) {
    context.globalAlpha = 0.5;
    drawPath(context, view, state.line, "#fff", 2 * state.line.radius * view.scale, []);
    context.globalAlpha = 1;
  }
  if (state.cursor) {
    const [x, y] = toScreen(view, state.cursor);
    drawRing(context, x, y, Math.max((state.brush / 2) * view.scale, 4), color);
    drawCross(context, x, y);
  }
  if (!pointer || state.tool === "move") return;
  if (state.tool === "pick") return drawCross(context, pointer[0], pointer[1]);
  const radius = state.tool === "point" ? state.brush / 4 : state.brush / 2;
  const drawn = state.line?.radius ?? radius;
  drawRing(context, pointer[0], pointer[1], Math.max(drawn * view.scale, 2), color);
  if (pane(state).width < state.stage.width) {
    const half = pane(state).width;
    const twin = pointer[0] < half ? pointer[0] + half : pointer[0] - half;
    drawRing(context, twin, pointer[1], Math.max(drawn * view.scale, 2), color);
  }
}

/** @param {Edit} edit @returns {string} */
export function colorOf(edit) {
  if (edit.color) return edit.color;
  const [a, b] = edit.ab ?? [0, 0];
  return rgbToHex(labToRgb([60, a, b]));
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Edit} edit
 * @param {boolean} chosen
 */
function drawEdit(context, view, edit, chosen) {
  const color = edit.kind === "color" ? colorOf(edit) : "#fff";
  const dash = edit.kind === "keep" ? [3, 4] : [];
  drawPath(context, view, edit, color, chosen ? 3 : 2, dash);
  if (!edit.other) return;
  drawPath(context, view, edit.other, color, chosen ? 3 : 2, dash);
  const [ax, ay] = toScreen(view, edit.points[0]);
  const [bx, by] = toScreen(view, edit.other.points[0]);
  context.setLineDash([2, 5]);
  context.strokeStyle = "#fff";
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(ax, ay);
  context.lineTo(bx, by);
  context.stroke();
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Region} region
 * @param {string} color
 * @param {number} width
 * @param {number[]} dash
 */
function drawPath(context, view, region, color, width, dash) {
  const points = region.points.map((point) => toScreen(view, point));
  outlined(context, color, width, (ink, extra) => {
    context.setLineDash(extra === 0 ? dash : []);
    context.fillStyle = ink;
    tracePath(context, points, width + extra);
  });
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} color
 */
function drawRing(context, x, y, radius, color) {
  outlined(context, color, 2, () => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  });
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y */
function drawCross(context, x, y) {
  outlined(context, "#fff", 1.5, () => {
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 10 * dx, y + 10 * dy);
    }
    context.stroke();
  });
}

/**
 * The same lines in black, in white and in their colour, each thinner: seen on any picture.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} color
 * @param {number} width
 * @param {(ink: string, extra: number) => void} trace
 */
function outlined(context, color, width, trace) {
  for (const [ink, extra] of /** @type {[string, number][]} */ ([
    ["rgb(0 0 0 / 55%)", 3],
    ["#fff", 1.5],
    [color, 0],
  ])) {
    context.strokeStyle = ink;
    context.lineWidth = width + extra;
    trace(ink, extra);
  }
}

/**
 * A round-ended line through the points, or a dot for a single one.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly (readonly [number, number])[]} points
 * @param {number} dot  radius of a dot
 */
function tracePath(context, points, dot) {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  if (points.length === 1) {
    context.arc(points[0][0], points[0][1], dot, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.moveTo(points[0][0], points[0][1]);
  for (const [x, y] of points.slice(1)) context.lineTo(x, y);
  context.stroke();
}
