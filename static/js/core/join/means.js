/** Means over windows of 3 × 3, the edge repeated. */

/**
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @returns {Float32Array}
 */
export function boxMeans(values, width, height) {
  const sums = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * width;
    const below = Math.min(y + 1, height - 1) * width;
    const own = y * width;
    for (let x = 0; x < width; x++) {
      sums[own + x] = values[above + x] + values[own + x] + values[below + x];
    }
  }
  const means = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    const last = start + width - 1;
    let before = sums[start];
    let here = before;
    for (let k = start; k < last; k++) {
      const after = sums[k + 1];
      means[k] = (before + here + after) / 9;
      before = here;
      here = after;
    }
    means[last] = (before + 2 * here) / 9;
  }
  return means;
}

/**
 * Means over the same windows of two maps' product.
 *
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @param {number} width
 * @param {number} height
 */
export function productMeans(left, right, width, height) {
  const product = new Float32Array(left.length);
  for (let k = 0; k < product.length; k++) product[k] = left[k] * right[k];
  return boxMeans(product, width, height);
}
