/**
 * The contact sheet: which samples are on it. A pick names a sample the same way tomorrow.
 *
 * @import { Pick, Step, Tile } from "./types.js"
 */

const LEAST_TILES = 4;
const MOST_TILES = 12;
export const USUAL_TILES = 6;
const MOST_STEPS = 8;

/** The sheet that a photo begins with. @param {number} count @returns {Tile[]} */
export function firstSheet(count) {
  return fill([], { seed: 0, index: 0, near: [], wide: false }, count);
}

/** A pick as one word, the same for the same sample. @param {Pick} pick */
export function pickKey({ seed, index, near, wide }) {
  const way = [...near, [seed, index]].map((step) => step.join(".")).join("/");
  return wide ? `wide/${way}` : way;
}

/**
 * Favourites stay, all others give way to new samples.
 *
 * @param {readonly Tile[]} sheet
 * @param {number} seed  of the new ones
 * @returns {Tile[]}
 */
export function moreDifferent(sheet, seed) {
  return fill(stars(sheet), { seed, index: 0, near: [], wide: true }, sheet.length);
}

/**
 * Favourites and the sample itself stay, all others give way to samples near it.
 *
 * @param {readonly Tile[]} sheet
 * @param {number} index  of the sample that they shall be like
 * @param {number} seed
 * @returns {Tile[]}
 */
export function moreLike(sheet, index, seed) {
  const model = sheet[index];
  /** @type {Step} */
  const own = [model.pick.seed, model.pick.index];
  // A way has an end: from there on, new samples lie around the last step but one.
  const near = model.pick.near.length < MOST_STEPS ? [...model.pick.near, own] : model.pick.near;
  const kept = sheet.filter((tile, k) => tile.star || k === index);
  // A sheet full of favourites has to grow, or nothing new could be seen.
  const count = Math.min(Math.max(sheet.length, kept.length + 3), MOST_TILES);
  return fill(kept, { seed, index: 1, near, wide: model.pick.wide }, count);
}

/**
 * @param {readonly Tile[]} sheet
 * @param {number} count
 * @returns {Tile[]}  favourites are never dropped
 */
export function resize(sheet, count) {
  const wanted = Math.min(Math.max(count, LEAST_TILES, stars(sheet).length), MOST_TILES);
  if (wanted >= sheet.length) {
    const last = sheet[sheet.length - 1].pick;
    return fill(sheet, { ...last, index: last.index + 1 }, wanted);
  }
  const left = [...sheet];
  for (let k = left.length - 1; k >= 0 && left.length > wanted; k--) {
    if (!left[k].star) left.splice(k, 1);
  }
  return left;
}

/** @param {readonly Tile[]} sheet @param {number} index @returns {Tile[]} */
export function toggleStar(sheet, index) {
  return sheet.map((tile, k) => (k === index ? { ...tile, star: !tile.star } : tile));
}

/** @param {readonly Tile[]} sheet */
function stars(sheet) {
  return sheet.filter(({ star }) => star);
}

/**
 * @param {readonly Tile[]} tiles
 * @param {Pick} first  of the set that they are filled up from
 * @param {number} count
 */
function fill(tiles, first, count) {
  const full = [...tiles];
  const seen = new Set(tiles.map(({ pick }) => pickKey(pick)));
  for (let index = first.index; full.length < count; index++) {
    const pick = { ...first, index };
    if (!seen.has(pickKey(pick))) full.push({ pick, star: false });
  }
  return full;
}

/**
 * Tiles of a saved sheet, or null when it is none.
 *
 * @param {unknown} value
 * @returns {Tile[] | null}
 */
export function readTiles(value) {
  if (!Array.isArray(value) || value.length < 1 || value.length > MOST_TILES) return null;
  const isStep = (/** @type {unknown} */ step) =>
    Array.isArray(step) && step.length === 2 && step.every((k) => Number.isInteger(k) && k >= 0);
  const good = value.every(
    (tile) =>
      Array.isArray(tile?.pick?.near) &&
      [...tile.pick.near, [tile.pick.seed, tile.pick.index]].every(isStep),
  );
  if (!good) return null;
  return value.map(({ pick: { seed, index, near, wide }, star }) => ({
    pick: { seed, index, near, wide: wide === true },
    star: star === true,
  }));
}
