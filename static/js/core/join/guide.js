/**
 * What a photo's light and a grid fix for all colourings: how each pixel of a picture takes its
 * colour from the nine cells around it, weighted by nearness and by likeness of L.
 *
 * The method of `huefield/upsample.py`, where it is described; here for the screen. Called by
 * `join-worker.js`.
 *
 * @import { Guide } from "./types.js"
 */

import { boxMeans, productMeans } from "./means.js";

const NEARNESS = 0.5;
const LIKENESS = 6;
const FLOOR = 1e-4;

/**
 * @param {Float32Array} light  L of the picture, row by row
 * @param {number} width
 * @param {number} height
 * @param {number} w  cells across
 * @param {number} h  cells down
 * @returns {Guide}
 */
export function makeGuide(light, width, height, w, h) {
  const coarse = areaMeans(light, width, height, w, h);
  const mean = boxMeans(coarse, w, h);
  const square = productMeans(coarse, coarse, w, h);
  const sharpness = mean.map((value, k) => LIKENESS ** 2 + Math.max(square[k] - value * value, 0));
  const across = nearestThree(w, width);
  const down = nearestThree(h, height);
  const weights = new Float32Array(9 * width * height);
  const rest = new Float32Array(width * height);
  const blur = new Float32Array(9 * w * h);
  const counts = new Float32Array(w * h);
  const part = new Float64Array(9);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const own = light[pixel];
      const sharp = -0.5 / between(sharpness, w, h, across.place[x], down.place[y]);
      let total = 0;
      for (let i = 0, k = 0; i < 3; i++) {
        const base = down.index[3 * y + i] * w;
        const high = down.weight[3 * y + i];
        for (let j = 0; j < 3; j++, k++) {
          const unlike = coarse[base + across.index[3 * x + j]] - own;
          part[k] = (Math.exp(unlike * unlike * sharp) + FLOOR) * high * across.weight[3 * x + j];
          total += part[k];
        }
      }
      let seen = 0;
      const cell = down.index[3 * y + 1] * w + across.index[3 * x + 1];
      counts[cell]++;
      for (let i = 0, k = 0; i < 3; i++) {
        const base = down.index[3 * y + i] * w;
        for (let j = 0; j < 3; j++, k++) {
          const weight = part[k] / total;
          weights[9 * pixel + k] = weight;
          blur[9 * cell + k] += weight;
          seen += weight * coarse[base + across.index[3 * x + j]];
        }
      }
      rest[pixel] = own - seen;
    }
  }
  for (let k = 0; k < blur.length; k++) blur[k] /= Math.max(counts[Math.floor(k / 9)], 1);
  const smooth = boxMeans(light, width, height);
  const variance = productMeans(light, light, width, height);
  for (let k = 0; k < variance.length; k++) {
    variance[k] = Math.max(variance[k] - smooth[k] * smooth[k], 0);
  }
  return {
    width,
    height,
    light,
    w,
    h,
    coarse,
    column: across.index,
    row: down.index,
    weights,
    rest,
    blur,
    mean: smooth,
    variance,
  };
}

/**
 * Means over equal cells, fractions of pixels included.
 *
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @param {number} w
 * @param {number} h
 */
export function areaMeans(values, width, height, w, h) {
  const rows = new Float32Array(h * width);
  shares(height, h, (from, to, share) => {
    for (let x = 0; x < width; x++) rows[to * width + x] += share * values[from * width + x];
  });
  const cells = new Float32Array(h * w);
  shares(width, w, (from, to, share) => {
    for (let y = 0; y < h; y++) cells[y * w + to] += share * rows[y * width + from];
  });
  return cells;
}

/**
 * @param {number} fine
 * @param {number} coarse
 * @param {(from: number, to: number, share: number) => void} visit
 */
function shares(fine, coarse, visit) {
  for (let to = 0; to < coarse; to++) {
    const start = (to * fine) / coarse;
    const stop = ((to + 1) * fine) / coarse;
    for (let from = Math.floor(start); from < stop - 1e-9 && from < fine; from++) {
      const length = Math.min(stop, from + 1) - Math.max(start, from);
      if (length > 0) visit(from, to, (length * coarse) / fine);
    }
  }
}

/**
 * The three nearest cells of each pixel of a line, their weights, and where the pixel lies.
 *
 * @param {number} cells
 * @param {number} pixels
 */
function nearestThree(cells, pixels) {
  const index = new Int32Array(3 * pixels);
  const weight = new Float32Array(3 * pixels);
  const place = new Float32Array(pixels);
  for (let k = 0; k < pixels; k++) {
    place[k] = ((k + 0.5) * cells) / pixels - 0.5;
    const nearest = Math.floor(place[k] + 0.5);
    for (let j = 0; j < 3; j++) {
      const cell = nearest - 1 + j;
      const apart = (cell - place[k]) / NEARNESS;
      index[3 * k + j] = Math.min(Math.max(cell, 0), cells - 1);
      weight[3 * k + j] = cell < 0 || cell >= cells ? 0 : Math.exp(-0.5 * apart * apart);
    }
  }
  return { index, weight, place };
}

/**
 * Bilinear value of a map of cells at a place among their centres.
 *
 * @param {Float32Array} map
 * @param {number} w
 * @param {number} h
 * @param {number} x
 * @param {number} y
 */
export function between(map, w, h, x, y) {
  const left = Math.min(Math.max(Math.floor(x), 0), Math.max(w - 2, 0));
  const top = Math.min(Math.max(Math.floor(y), 0), Math.max(h - 2, 0));
  const right = Math.min(left + 1, w - 1);
  const bottom = Math.min(top + 1, h - 1);
  const u = Math.min(Math.max(x - left, 0), 1);
  const v = Math.min(Math.max(y - top, 0), 1);
  const upper = map[top * w + left] * (1 - u) + map[top * w + right] * u;
  const lower = map[bottom * w + left] * (1 - u) + map[bottom * w + right] * u;
  return upper * (1 - v) + lower * v;
}
