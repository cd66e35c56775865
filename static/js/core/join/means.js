/** Means over windows of 3 × 3, the edge repeated. */

/**
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @returns {Float32Array}
 */
export function boxMeans(values, width, height) {
  const rows = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    const last = start + width - 1;
    for (let k = start; k <= last; k++) {
      rows[k] = values[k === start ? k : k - 1] + values[k] + values[k === last ? k : k + 1];
    }
  }
  const means = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * width;
    const below = Math.min(y + 1, height - 1) * width;
    for (let x = 0, k = y * width; x < width; x++, k++) {
      means[k] = (rows[above + x] + rows[k] + rows[below + x]) / 9;
    }
  }
  return means;
}
