/**
 * Colour fields: ab on the small grid, as the server sends them.
 *
 * @import { Field, FieldJson } from "../types.js"
 */

/** @param {FieldJson} json @returns {Field} */
export function readField({ grid, steps, ab }) {
  const text = atob(ab);
  const [width, height] = grid;
  if (text.length !== 4 * width * height) {
    throw new RangeError(
      `expected ${4 * width * height} bytes for a field of ${width} × ${height}, got ${text.length}`,
    );
  }
  const values = new Float32Array(2 * width * height);
  for (let k = 0; k < values.length; k++) {
    const number = text.charCodeAt(2 * k) | (text.charCodeAt(2 * k + 1) << 8);
    values[k] = ((number << 16) >> 16) / steps;
  }
  return { width, height, ab: values };
}
