/**
 * Where the photo lies in its stage: screen = photo × scale + offset, in CSS pixels.
 *
 * @import { Point, Size, View } from "./types.js"
 */

/** CSS pixels that one pixel of the photo may fill. */
const MAX_SCALE = 8;

/**
 * The whole photo in the middle of the stage, as large as it goes.
 *
 * @param {Size} photo
 * @param {Size} stage
 * @param {number} margin
 * @returns {View}
 */
export function fitView(photo, stage, margin) {
  return centred(photo, stage, fitScale(photo, stage, margin), true);
}

/** @param {Size} photo @param {Size} stage @param {number} scale @param {boolean} fitted */
function centred(photo, stage, scale, fitted) {
  const x = (stage.width - photo.width * scale) / 2;
  return { scale, x, y: (stage.height - photo.height * scale) / 2, fitted };
}

/**
 * The view `factor` times closer, with what lies under (x, y) on the screen kept there.
 *
 * @param {View} view
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 * @param {Size} photo
 * @param {Size} stage
 * @param {number} margin
 * @returns {View}
 */
export function zoomAt(view, factor, x, y, photo, stage, margin) {
  const least = fitScale(photo, stage, margin);
  const scale = Math.min(Math.max(view.scale * factor, least), Math.max(MAX_SCALE, least));
  if (scale <= least) return fitView(photo, stage, margin);
  const ratio = scale / view.scale;
  const moved = { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio, fitted: false };
  return keepInSight(moved, photo, stage);
}

/**
 * The view at a scale, the middle of the stage kept; a photo smaller than the stage lies centred.
 *
 * @param {View} view
 * @param {number} scale
 * @param {Size} photo
 * @param {Size} stage
 * @param {number} margin
 * @returns {View}
 */
export function zoomTo(view, scale, photo, stage, margin) {
  if (scale > fitScale(photo, stage, margin)) {
    const factor = scale / view.scale;
    return zoomAt(view, factor, stage.width / 2, stage.height / 2, photo, stage, margin);
  }
  return centred(photo, stage, scale, false);
}

/**
 * @param {View} view
 * @param {number} dx
 * @param {number} dy
 * @param {Size} photo
 * @param {Size} stage
 * @returns {View}
 */
export function panBy(view, dx, dy, photo, stage) {
  if (view.fitted) return view;
  return keepInSight({ ...view, x: view.x + dx, y: view.y + dy }, photo, stage);
}

/** @param {View} view @param {number} x @param {number} y @returns {Point} */
export function toPhoto(view, x, y) {
  return [(x - view.x) / view.scale, (y - view.y) / view.scale];
}

/** @param {View} view @param {Point} point @returns {[number, number]} */
export function toScreen(view, point) {
  return [point[0] * view.scale + view.x, point[1] * view.scale + view.y];
}

/**
 * The smallest of the sizes on offer that shows the photo sharply, the largest when none does.
 *
 * @param {Size} photo
 * @param {number} scale  screen pixels for one pixel of the photo
 * @param {readonly number[]} sides  ascending
 */
export function previewSide(photo, scale, sides) {
  const long = Math.max(photo.width, photo.height);
  const wanted = Math.min(long, long * scale);
  return sides.find((side) => side >= wanted) ?? sides[sides.length - 1];
}

/** @param {Size} photo @param {Size} stage @param {number} margin */
function fitScale(photo, stage, margin) {
  const width = Math.max(stage.width - 2 * margin, 1);
  const height = Math.max(stage.height - 2 * margin, 1);
  return Math.min(width / photo.width, height / photo.height);
}

/**
 * The view moved so that the middle of the stage stays on the photo.
 *
 * @param {View} view
 * @param {Size} photo
 * @param {Size} stage
 */
function keepInSight(view, photo, stage) {
  const cx = stage.width / 2;
  const cy = stage.height / 2;
  return {
    ...view,
    x: Math.min(Math.max(view.x, cx - photo.width * view.scale), cx),
    y: Math.min(Math.max(view.y, cy - photo.height * view.scale), cy),
  };
}
