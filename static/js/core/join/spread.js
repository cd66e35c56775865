/**
 * A colour field brought to the size of its guide, and the lines along which it goes further.
 *
 * The method of `huefield/upsample.py`. Called by `join-worker.js`.
 *
 * @import { Field } from "../types.js"
 * @import { Guide, Lines, Planes } from "./types.js"
 */

import { boxMeans, productMeans } from "./means.js";
import { places } from "./places.js";

const SHARPENINGS = 3;
const LINE_EPS = 30;
const LINE_FIT = 0.8;
const EPS = 40;

/**
 * @param {Guide} guide
 * @param {Field} field  on the guide's grid
 * @returns {Planes}  at the guide's size
 */
export function spreadField(guide, field) {
  const { w, h, width, height } = guide;
  if (field.width !== w || field.height !== h) {
    throw new RangeError(
      `expected a field of ${w} × ${h} cells, got ${field.width} × ${field.height}`,
    );
  }
  const size = w * h;
  const wanted = { a: new Float32Array(size), b: new Float32Array(size) };
  for (let k = 0; k < size; k++) {
    wanted.a[k] = field.ab[2 * k];
    wanted.b[k] = field.ab[2 * k + 1];
  }
  const slopes = clearLines(guide, wanted);
  const a = sharpened(guide, wanted.a);
  const b = sharpened(guide, wanted.b);
  const out = { a: new Float32Array(width * height), b: new Float32Array(width * height) };
  const { weights, column, row, rest } = guide;
  const across = places(width, 0, w, w);
  const down = places(height, 0, h, h);
  const lineA = new Float32Array(w + 1);
  const lineB = new Float32Array(w + 1);
  for (let y = 0, pixel = 0; y < height; y++) {
    const top = row[3 * y] * w;
    const middle = row[3 * y + 1] * w;
    const bottom = row[3 * y + 2] * w;
    if (slopes.any) {
      mixRows(slopes.a, w, h, down, y, lineA);
      mixRows(slopes.b, w, h, down, y, lineB);
    }
    for (let x = 0; x < width; x++, pixel++) {
      const left = column[3 * x];
      const here = column[3 * x + 1];
      const right = column[3 * x + 2];
      const k = 9 * pixel;
      const [w0, w1, w2] = [weights[k], weights[k + 1], weights[k + 2]];
      const [w3, w4, w5] = [weights[k + 3], weights[k + 4], weights[k + 5]];
      const [w6, w7, w8] = [weights[k + 6], weights[k + 7], weights[k + 8]];
      let sumA = w0 * a[top + left] + w1 * a[top + here] + w2 * a[top + right];
      sumA += w3 * a[middle + left] + w4 * a[middle + here] + w5 * a[middle + right];
      sumA += w6 * a[bottom + left] + w7 * a[bottom + here] + w8 * a[bottom + right];
      let sumB = w0 * b[top + left] + w1 * b[top + here] + w2 * b[top + right];
      sumB += w3 * b[middle + left] + w4 * b[middle + here] + w5 * b[middle + right];
      sumB += w6 * b[bottom + left] + w7 * b[bottom + here] + w8 * b[bottom + right];
      if (slopes.any) {
        const cell = across.index[x];
        const far = across.far[x];
        const own = rest[pixel];
        sumA += own * (lineA[cell] + far * (lineA[cell + 1] - lineA[cell]));
        sumB += own * (lineB[cell] + far * (lineB[cell + 1] - lineB[cell]));
      }
      out.a[pixel] = sumA;
      out.b[pixel] = sumB;
    }
  }
  return out;
}

/**
 * One row of a map of cells at a height between two of its rows.
 *
 * @param {Float32Array} map
 * @param {number} w
 * @param {number} h
 * @param {{ index: Int32Array, far: Float32Array }} down
 * @param {number} y
 * @param {Float32Array} row  w + 1 long: the last value twice
 */
function mixRows(map, w, h, down, y, row) {
  const top = down.index[y] * w;
  const bottom = Math.min(down.index[y] + 1, h - 1) * w;
  for (let x = 0; x < w; x++) {
    row[x] = map[top + x] + down.far[y] * (map[bottom + x] - map[top + x]);
  }
  row[w] = row[w - 1];
}

/**
 * Slope and offset of ab as a linear function of L around each pixel.
 *
 * @param {Guide} guide
 * @param {Planes} colors
 * @returns {Lines}
 */
export function localLines(guide, colors) {
  const a = linesOf(guide, colors.a);
  const b = linesOf(guide, colors.b);
  return { slope: { a: a.slope, b: b.slope }, offset: { a: a.offset, b: b.offset } };
}

/** @param {Guide} guide @param {Float32Array} plane */
function linesOf(guide, plane) {
  const { width, height, light, mean, variance } = guide;
  const average = boxMeans(plane, width, height);
  const slope = productMeans(light, plane, width, height);
  const offset = new Float32Array(plane.length);
  for (let k = 0; k < plane.length; k++) {
    slope[k] = (slope[k] - mean[k] * average[k]) / (variance[k] + EPS);
    offset[k] = average[k] - slope[k] * mean[k];
  }
  return { slope: boxMeans(slope, width, height), offset: boxMeans(offset, width, height) };
}

/**
 * The cells' colours sharpened so that each keeps its mean on the way up.
 *
 * @param {Guide} guide
 * @param {Float32Array} wanted
 */
function sharpened(guide, wanted) {
  const { w, h, blur } = guide;
  const colors = wanted.slice();
  const change = new Float32Array(wanted.length);
  for (let turn = 0; turn < SHARPENINGS; turn++) {
    for (let y = 0, cell = 0; y < h; y++) {
      for (let x = 0; x < w; x++, cell++) {
        let seen = 0;
        for (let i = -1, k = 9 * cell; i < 2; i++) {
          const base = Math.min(Math.max(y + i, 0), h - 1) * w;
          for (let j = -1; j < 2; j++, k++) {
            seen += blur[k] * colors[base + Math.min(Math.max(x + j, 0), w - 1)];
          }
        }
        change[cell] = wanted[cell] - seen;
      }
    }
    for (let k = 0; k < colors.length; k++) colors[k] += change[k];
  }
  return colors;
}

/**
 * Slopes of ab over L around each cell, 0 where colours do not follow L closely.
 *
 * @param {Guide} guide
 * @param {Planes} colors
 */
function clearLines(guide, colors) {
  const { w, h, coarse } = guide;
  const mean = boxMeans(coarse, w, h);
  const square = productMeans(coarse, coarse, w, h);
  const facts = (/** @type {Float32Array} */ plane) => ({
    mean: boxMeans(plane, w, h),
    square: productMeans(plane, plane, w, h),
    both: productMeans(coarse, plane, w, h),
  });
  const a = facts(colors.a);
  const b = facts(colors.b);
  const slopes = { a: new Float32Array(w * h), b: new Float32Array(w * h), any: false };
  for (let k = 0; k < w * h; k++) {
    const variance = Math.max(square[k] - mean[k] * mean[k], 0);
    const spread =
      Math.max(a.square[k] - a.mean[k] ** 2, 0) + Math.max(b.square[k] - b.mean[k] ** 2, 0);
    const bothA = a.both[k] - mean[k] * a.mean[k];
    const bothB = b.both[k] - mean[k] * b.mean[k];
    const fit = (bothA * bothA + bothB * bothB) / ((variance + 1) * (spread + 4));
    const trust = Math.min(Math.max((fit - LINE_FIT) / (1 - LINE_FIT), 0), 1) ** 2;
    if (trust === 0) continue;
    slopes.a[k] = (trust * bothA) / (variance + LINE_EPS);
    slopes.b[k] = (trust * bothB) / (variance + LINE_EPS);
    slopes.any = true;
  }
  return slopes;
}
