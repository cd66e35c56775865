/**
 * L and ab to sRGB pixels, quickly: tables for what depends on one number, clipping to the gamut at
 * fixed L and hue where a colour cannot be shown.
 *
 * @import { Tone } from "../types.js"
 * @import { Lines, Part, Planes } from "./types.js"
 */

import { greyToLightness, largestChroma } from "../gamut.js";
import { middleShare, toneParts } from "../tone.js";
import { places } from "./places.js";

const CURVE = 4096;
const DELTA = 6 / 29;
const LOW = -0.0005;
const HIGH = 1.0006;

const LIGHT = Float32Array.from({ length: 256 }, (_, grey) => greyToLightness(grey));
const MIDDLE = LIGHT.map(middleShare);
const CODE = Uint8ClampedArray.from({ length: CURVE + 1 }, (_, k) => {
  const v = k / CURVE;
  return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
});

/** L of the 8-bit greys. */
export const GREY_LIGHT = LIGHT;

/**
 * A part of a picture, its colours following the lines of a guide.
 *
 * @param {Uint8ClampedArray} grey  RGBA of the grey picture at the size wanted
 * @param {number} width
 * @param {number} height
 * @param {{ lines: Lines, width: number, height: number }} source  lines and their size
 * @param {Part} part  of the source: left, top, right, bottom
 *   as shares
 * @param {Tone} tone
 * @returns {Uint8ClampedArray<ArrayBuffer>}  RGBA
 */
export function joinLines(grey, width, height, source, part, tone) {
  const out = new Uint8ClampedArray(4 * width * height);
  const { slope, offset } = source.lines;
  const planes = [slope.a, slope.b, offset.a, offset.b];
  const sw = source.width;
  const across = places(width, part[0] * sw, part[2] * sw, sw);
  const down = places(height, part[1] * source.height, part[3] * source.height, source.height);
  const rows = planes.map(() => new Float32Array(sw));
  const { factor, a: warmA, b: warmB } = toneParts(tone);
  for (let y = 0, pixel = 0; y < height; y++) {
    const top = down.index[y] * sw;
    const bottom = Math.min(down.index[y] + 1, source.height - 1) * sw;
    const v = down.far[y];
    const first = across.index[0];
    const last = Math.min(across.index[width - 1] + 1, sw - 1);
    for (let k = 0; k < 4; k++) {
      const plane = planes[k];
      const row = rows[k];
      for (let x = first; x <= last; x++) {
        row[x] = plane[top + x] + v * (plane[bottom + x] - plane[top + x]);
      }
    }
    const [slopeA, slopeB, offsetA, offsetB] = rows;
    for (let x = 0; x < width; x++, pixel += 4) {
      const left = across.index[x];
      const right = left + 1 < sw ? left + 1 : left;
      const u = across.far[x];
      const code = grey[pixel];
      const light = LIGHT[code];
      const sa = slopeA[left] + u * (slopeA[right] - slopeA[left]);
      const sb = slopeB[left] + u * (slopeB[right] - slopeB[left]);
      const oa = offsetA[left] + u * (offsetA[right] - offsetA[left]);
      const ob = offsetB[left] + u * (offsetB[right] - offsetB[left]);
      const middle = MIDDLE[code];
      put(
        out,
        pixel,
        light,
        (sa * light + oa) * factor + warmA * middle,
        (sb * light + ob) * factor + warmB * middle,
      );
    }
  }
  return out;
}

/**
 * A whole picture at the size of its guide.
 *
 * @param {Float32Array} light
 * @param {Planes} colors
 * @param {Tone} tone
 * @returns {Uint8ClampedArray<ArrayBuffer>}  RGBA
 */
export function joinPlanes(light, colors, tone) {
  const out = new Uint8ClampedArray(4 * light.length);
  const { factor, a, b } = toneParts(tone);
  for (let k = 0; k < light.length; k++) {
    const middle = middleShare(light[k]);
    put(out, 4 * k, light[k], colors.a[k] * factor + a * middle, colors.b[k] * factor + b * middle);
  }
  return out;
}

/**
 * @param {Uint8ClampedArray} out
 * @param {number} at
 * @param {number} light
 * @param {number} a
 * @param {number} b
 */
function put(out, at, light, a, b) {
  const root = (light + 16) / 116;
  const fy = root > DELTA ? root * root * root : (root - 4 / 29) * 0.128418549;
  let share = 1;
  for (let turn = 0; ; turn++) {
    const rootX = root + (a * share) / 500;
    const rootZ = root - (b * share) / 200;
    const x = 0.95047 * (rootX > DELTA ? rootX * rootX * rootX : (rootX - 4 / 29) * 0.128418549);
    const z = 1.08883 * (rootZ > DELTA ? rootZ * rootZ * rootZ : (rootZ - 4 / 29) * 0.128418549);
    const red = 3.2404542 * x - 1.5371385 * fy - 0.4985314 * z;
    const green = -0.969266 * x + 1.8760108 * fy + 0.041556 * z;
    const blue = 0.0556434 * x - 0.2040259 * fy + 1.0572252 * z;
    if (
      turn > 0 ||
      (red >= LOW && green >= LOW && blue >= LOW && red <= HIGH && green <= HIGH && blue <= HIGH)
    ) {
      out[at] = CODE[red <= 0 ? 0 : red >= 1 ? CURVE : (red * CURVE + 0.5) | 0];
      out[at + 1] = CODE[green <= 0 ? 0 : green >= 1 ? CURVE : (green * CURVE + 0.5) | 0];
      out[at + 2] = CODE[blue <= 0 ? 0 : blue >= 1 ? CURVE : (blue * CURVE + 0.5) | 0];
      out[at + 3] = 255;
      return;
    }
    share = Math.min(1, largestChroma(light, Math.atan2(b, a)) / Math.hypot(a, b));
  }
}
