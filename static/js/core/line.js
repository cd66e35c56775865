/**
 * Lines drawn by hand: thinning while they grow, smoothing when they end.
 *
 * @import { Point } from "./types.js"
 */

import { rounded } from "./edits.js";

/**
 * The line with one more point, or the same line when the point is nearer than `spacing` to its end.
 *
 * @param {readonly Point[]} line
 * @param {Point} point
 * @param {number} spacing  in pixels of the photo
 * @returns {readonly Point[]}
 */
export function extendLine(line, point, spacing) {
  const last = line[line.length - 1];
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < spacing) return line;
  return [...line, point];
}

/**
 * The points of a smooth curve through the middles of the line's segments, with its ends kept:
 * quadratic Bézier pieces, cut so finely that straight pieces stay within `tolerance` of them.
 *
 * @param {readonly Point[]} line
 * @param {number} tolerance  in pixels of the photo
 * @returns {Point[]}  rounded to a tenth of a pixel, neighbours distinct
 */
export function smoothLine(line, tolerance) {
  if (line.length < 3) return distinct(line.map(rounded));
  /** @type {Point[]} */
  const points = [line[0]];
  let start = middle(line[0], line[1]);
  points.push(start);
  for (let k = 1; k < line.length - 1; k++) {
    const control = line[k];
    const end = middle(line[k], line[k + 1]);
    // A quadratic piece leaves its n chords by at most |start − 2 control + end| / (4 n²).
    const bend = Math.hypot(start[0] - 2 * control[0] + end[0], start[1] - 2 * control[1] + end[1]);
    const count = Math.max(1, Math.ceil(Math.sqrt(bend / (4 * tolerance))));
    for (let i = 1; i <= count; i++) points.push(onCurve(start, control, end, i / count));
    start = end;
  }
  points.push(line[line.length - 1]);
  return distinct(points.map(rounded));
}

/** @param {Point} a @param {Point} b @returns {Point} */
function middle(a, b) {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/**
 * @param {Point} start
 * @param {Point} control
 * @param {Point} end
 * @param {number} t
 * @returns {Point}
 */
function onCurve(start, control, end, t) {
  const s = 1 - t;
  return [
    s * s * start[0] + 2 * s * t * control[0] + t * t * end[0],
    s * s * start[1] + 2 * s * t * control[1] + t * t * end[1],
  ];
}

/** @param {Point[]} points */
function distinct(points) {
  return points.filter(
    (point, k) => k === 0 || point[0] !== points[k - 1][0] || point[1] !== points[k - 1][1],
  );
}
