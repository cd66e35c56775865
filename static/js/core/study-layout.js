/**
 * Where two pictures of one size go: beside or below each other, whichever shows them larger.
 *
 * @typedef {{ width: number, height: number }} Size  in CSS pixels, or in pixels of a picture
 * @typedef {{ stacked: boolean, width: number, height: number }} PairLayout
 */

/** Pictures are never shown larger than this many CSS pixels for one of theirs. */
export const MOST_SCALE = 2;

/**
 * The size in which both pictures of a pair are shown; the same for both, whole pixels.
 *
 * @param {Size} space  room for both
 * @param {Size} picture
 * @param {number} gap  pixels between the two
 * @returns {PairLayout}
 */
export function fitPair(space, picture, gap) {
  const beside = scaleTo({ width: (space.width - gap) / 2, height: space.height }, picture);
  const below = scaleTo({ width: space.width, height: (space.height - gap) / 2 }, picture);
  const stacked = below > beside;
  return { stacked, ...sized(picture, Math.max(below, beside)) };
}

/**
 * The size in which one picture is shown.
 *
 * @param {Size} space
 * @param {Size} picture
 * @returns {Size}
 */
export function fitOne(space, picture) {
  return sized(picture, scaleTo(space, picture));
}

/**
 * @param {Size} space
 * @param {Size} picture
 */
function scaleTo(space, picture) {
  return Math.min(space.width / picture.width, space.height / picture.height, MOST_SCALE);
}

/**
 * @param {Size} picture
 * @param {number} scale
 * @returns {Size}
 */
function sized(picture, scale) {
  return {
    width: Math.max(1, Math.floor(picture.width * scale)),
    height: Math.max(1, Math.floor(picture.height * scale)),
  };
}
