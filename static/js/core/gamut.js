/** What colours exist at a lightness: the largest chroma of each hue inside sRGB. */

import { hexToRgb, isShowable, labToRgb, rgbToHex, rgbToLab } from "./color.js";

const LIGHTS = 101;
const HUES = 181;
const MOST = 150;

/** @type {Float32Array | null} */
let table = null;

/**
 * The largest chroma at a lightness and hue that sRGB can show.
 *
 * @param {number} lightness  L, 0 to 100
 * @param {number} hue  radians, −π to π
 */
export function largestChroma(lightness, hue) {
  table ??= makeTable();
  const row = Math.min(Math.max(lightness, 0), 100);
  const column = ((hue + Math.PI) / (2 * Math.PI)) * (HUES - 1);
  const top = Math.min(Math.floor(row), LIGHTS - 2);
  const left = Math.min(Math.max(Math.floor(column), 0), HUES - 2);
  const v = row - top;
  const u = column - left;
  const at = top * HUES + left;
  const upper = table[at] * (1 - u) + table[at + 1] * u;
  const lower = table[at + HUES] * (1 - u) + table[at + HUES + 1] * u;
  return upper * (1 - v) + lower * v;
}

/**
 * The nearest colour of the same hue that exists at a lightness.
 *
 * @param {number} lightness
 * @param {number} a
 * @param {number} b
 * @returns {[number, number]}
 */
export function clipToGamut(lightness, a, b) {
  const chroma = Math.hypot(a, b);
  const most = largestChroma(lightness, Math.atan2(b, a));
  return chroma <= most ? [a, b] : [(a * most) / chroma, (b * most) / chroma];
}

/**
 * What painting `hex` gives on a pixel of that lightness: the hue of `hex`, and as much of its
 * chroma as exists there.
 *
 * @param {string} hex
 * @param {number} lightness  L, 0 to 100
 */
export function colorAtLightness(hex, lightness) {
  const [, a, b] = rgbToLab(hexToRgb(hex));
  return rgbToHex(labToRgb([lightness, ...clipToGamut(lightness, a, b)]));
}

/** L of an 8-bit grey. @param {number} grey  0 to 255 */
export function greyToLightness(grey) {
  return rgbToLab([grey, grey, grey])[0];
}

function makeTable() {
  const limits = new Float32Array(LIGHTS * HUES);
  for (let light = 0; light < LIGHTS; light++) {
    for (let k = 0; k < HUES; k++) {
      const hue = (k / (HUES - 1)) * 2 * Math.PI - Math.PI;
      const [cos, sin] = [Math.cos(hue), Math.sin(hue)];
      let low = 0;
      let high = MOST;
      for (let step = 0; step < 12; step++) {
        const chroma = (low + high) / 2;
        if (isShowable(labToRgb([light, chroma * cos, chroma * sin]))) low = chroma;
        else high = chroma;
      }
      limits[light * HUES + k] = low;
    }
  }
  return limits;
}
