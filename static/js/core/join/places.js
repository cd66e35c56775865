/** Where the pixels of one line lie among the values of another. */

/**
 * Left neighbours and the right ones' weights for pixels spread over a stretch of a line.
 *
 * @param {number} count
 * @param {number} from
 * @param {number} to
 * @param {number} length
 */
export function places(count, from, to, length) {
  const index = new Int32Array(count);
  const far = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const place = from + ((k + 0.5) * (to - from)) / count - 0.5;
    const held = Math.min(Math.max(place, 0), length - 1);
    index[k] = Math.min(Math.floor(held), Math.max(length - 2, 0));
    far[k] = held - index[k];
  }
  return { index, far };
}
