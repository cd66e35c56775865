/**
 * The eraser: cuts out of strokes what it passes over.
 *
 * @import { Edit, Edits, Point } from "./types.js"
 */

import { freshId, rounded } from "./edits.js";

/**
 * The edits without what lies under the eraser's way. A stroke is cut where its middle line is
 * nearer than the eraser's radius and half its own; its pieces stay strokes. A tie that is touched
 * goes as a whole.
 *
 * @param {Edits} edits
 * @param {readonly Point[]} way
 * @param {number} radius
 * @returns {Edits}  the same list when nothing was touched
 */
export function erase(edits, way, radius) {
  let next = freshId(edits);
  let touched = false;
  /** @type {Edit[]} */
  const left = [];
  for (const edit of edits) {
    const reach = radius + edit.radius / 2;
    if (edit.hidden || !isNear(edit.points, way, reach)) {
      const other =
        edit.other &&
        !edit.hidden &&
        isNear(edit.other.points, way, radius + edit.other.radius / 2);
      if (other) touched = true;
      else left.push(edit);
      continue;
    }
    touched = true;
    if (edit.kind === "tie") continue;
    const pieces = cut(filled(edit.points, reach / 3), way, reach);
    pieces.forEach((points, k) => {
      left.push({ ...edit, points, id: k === 0 ? edit.id : next++ });
    });
  }
  return touched ? left : edits;
}

/** @param {readonly Point[]} points @param {readonly Point[]} way @param {number} reach */
function isNear(points, way, reach) {
  return filled(points, reach / 2).some((point) => distance(point, way) < reach);
}

/** @param {readonly Point[]} points @param {readonly Point[]} way @param {number} reach */
function cut(points, way, reach) {
  /** @type {Point[][]} */
  const pieces = [];
  let open = false;
  for (const point of points) {
    if (distance(point, way) < reach) {
      open = false;
      continue;
    }
    if (!open) pieces.push([]);
    open = true;
    pieces[pieces.length - 1].push(point);
  }
  return pieces;
}

/**
 * The line with points added so that neighbours are no further apart than `step`.
 *
 * @param {readonly Point[]} points
 * @param {number} step
 */
function filled(points, step) {
  /** @type {Point[]} */
  const dense = [points[0]];
  for (let k = 1; k < points.length; k++) {
    const [ax, ay] = points[k - 1];
    const [bx, by] = points[k];
    const count = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / step));
    for (let i = 1; i <= count; i++) {
      const t = i / count;
      dense.push(rounded([ax + t * (bx - ax), ay + t * (by - ay)]));
    }
  }
  return dense;
}

/** From a point to a line. @param {Point} point @param {readonly Point[]} line */
export function distance([x, y], line) {
  let least = Math.hypot(x - line[0][0], y - line[0][1]);
  for (let k = 1; k < line.length; k++) {
    const [ax, ay] = line[k - 1];
    const [dx, dy] = [line[k][0] - ax, line[k][1] - ay];
    const square = dx * dx + dy * dy;
    const t = square > 0 ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / square, 0), 1) : 0;
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return least;
}
