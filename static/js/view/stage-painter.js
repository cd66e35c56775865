/**
 * Drawing on the stage's two canvases: the picture with strokes under way, and the marks over it.
 *
 * @typedef {import("../core/view.js").View} View
 * @typedef {import("../core/edits.js").Stroke} Stroke
 * @typedef {import("../core/edits.js").Point} Point
 * @typedef {{ points: readonly Point[], radius: number, color: string }} Line
 */

import { labToRgb, rgbToHex } from "../core/color.js";
import { toScreen } from "../core/view.js";
import { context2d } from "./elements.js";

/**
 * The picture, and over it in their own hue the strokes that it does not follow yet.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} density  canvas pixels for one CSS pixel
 * @param {View} view
 * @param {readonly [number, number]} size  of the photo
 * @param {ImageBitmap | null} picture
 * @param {readonly Line[]} lines
 */
export function drawPicture(canvas, density, view, size, picture, lines) {
  const context = context2d(canvas);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture) return;
  const scale = density * view.scale;
  context.setTransform(scale, 0, 0, scale, density * view.x, density * view.y);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, size[0], size[1]);
  if (lines.length === 0) return;
  context.save();
  context.beginPath();
  context.rect(0, 0, size[0], size[1]);
  context.clip();
  // The browser's own blend keeps the photo's light, much as the server will.
  context.globalCompositeOperation = "color";
  for (const line of lines) {
    context.fillStyle = line.color;
    context.strokeStyle = line.color;
    context.lineWidth = 2 * line.radius;
    tracePath(context, line.points, line.radius);
  }
  context.restore();
}

/**
 * Thin lines where strokes lie, and the ring of the brush.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} density
 * @param {View} view
 * @param {readonly Stroke[]} strokes
 * @param {{ x: number, y: number, radius: number, color: string } | null} brush  in CSS pixels
 */
export function drawMarks(canvas, density, view, strokes, brush) {
  const context = context2d(canvas);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, canvas.width / density, canvas.height / density);
  for (const stroke of strokes) {
    const thin = Math.min(1, Math.max(0.5, (stroke.radius * view.scale) / 12));
    const points = stroke.points.map((point) => toScreen(view, point));
    for (const [color, width] of /** @type {[string, number][]} */ ([
      ["rgb(0 0 0 / 55%)", 5],
      ["#fff", 3.5],
      [colorOf(stroke), 2],
    ])) {
      context.strokeStyle = color;
      context.fillStyle = color;
      context.lineWidth = width * thin;
      tracePath(context, points, width * thin);
    }
  }
  if (!brush) return;
  const radius = Math.max(brush.radius, 2);
  for (const [color, width, offset] of /** @type {[string, number, number][]} */ ([
    ["rgb(0 0 0 / 60%)", 1, 2.5],
    ["#fff", 1, 1.5],
    [brush.color, 2, 0],
  ])) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.arc(brush.x, brush.y, radius + offset, 0, 2 * Math.PI);
    context.stroke();
  }
}

/**
 * @param {Stroke} stroke
 * @returns {string}
 */
export function colorOf(stroke) {
  if (stroke.color) return stroke.color;
  const [a, b] = stroke.ab ?? [0, 0];
  return rgbToHex(labToRgb([60, a, b]));
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
