/**
 * Edits: the strokes a person painted, and the edit file that carries them.
 *
 * @typedef {readonly [number, number]} Point  x to the right, y down, in pixels of the upright photo
 * @typedef {{
 *   readonly points: readonly Point[],
 *   readonly radius: number,
 *   readonly color?: string,
 *   readonly ab?: readonly [number, number],
 *   readonly strength: number,
 * }} Stroke
 * @typedef {{ readonly points: readonly Point[], readonly radius: number }} Region
 * @typedef {{ readonly a: Region, readonly b: Region }} Tie
 * @typedef {{ readonly strokes: readonly Stroke[], readonly ties: readonly Tie[] }} Edits
 * @typedef {{
 *   version: 1,
 *   size: [number, number],
 *   strokes: Stroke[],
 *   ties: Tie[],
 * }} EditFile
 */

/** @type {Edits} */
export const NO_EDITS = Object.freeze({ strokes: Object.freeze([]), ties: Object.freeze([]) });

/** An edit file that cannot be used; its message is meant for people. */
export class EditFileError extends Error {}

/**
 * @param {Edits} edits
 * @param {Stroke} stroke
 * @returns {Edits}
 */
export function addStroke(edits, stroke) {
  return { ...edits, strokes: [...edits.strokes, stroke] };
}

/** @param {Edits} edits */
export function isEmpty(edits) {
  return edits.strokes.length === 0 && edits.ties.length === 0;
}

/**
 * The edits as an edit file for a photo of that size.
 *
 * @param {Edits} edits
 * @param {number} width
 * @param {number} height
 * @returns {EditFile}
 */
export function toEditFile(edits, width, height) {
  return {
    version: 1,
    size: [width, height],
    strokes: [...edits.strokes],
    ties: [...edits.ties],
  };
}

/**
 * The edits of an edit file that was made for a photo of that size.
 *
 * @param {string} text
 * @param {number} width
 * @param {number} height
 * @returns {Edits}
 * @throws {EditFileError}
 */
export function fromEditFile(text, width, height) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new EditFileError("This file is not an edit file.");
  }
  if (file === null || typeof file !== "object" || file.version !== 1) {
    throw new EditFileError("This file is not an edit file of version 1.");
  }
  if (!Array.isArray(file.size) || file.size[0] !== width || file.size[1] !== height) {
    throw new EditFileError(
      `These edits were made for a photo of ${readSize(file.size)}, this one has ${width} × ${height}.`,
    );
  }
  const strokes = readList(file.strokes, "strokes").map(readStroke);
  const ties = readList(file.ties, "ties").map((tie, index) => ({
    a: readRegion(tie?.a, `ties[${index}].a`),
    b: readRegion(tie?.b, `ties[${index}].b`),
  }));
  return { strokes, ties };
}

/** @param {unknown} size */
function readSize(size) {
  return Array.isArray(size) ? size.map(String).join(" × ") : "another size";
}

/**
 * @param {unknown} value
 * @param {string} place
 * @returns {any[]}
 */
function readList(value, place) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new EditFileError(`${place}: expected a list.`);
  return value;
}

/**
 * @param {any} value
 * @param {number} index
 * @returns {Stroke}
 */
function readStroke(value, index) {
  const place = `strokes[${index}]`;
  const region = readRegion(value, place);
  const strength = value.strength ?? 1;
  if (!Number.isFinite(strength) || strength < 0 || strength > 1) {
    throw new EditFileError(`${place}.strength: expected a number from 0 to 1.`);
  }
  if (typeof value.color === "string" && /^#[0-9a-f]{6}$/i.test(value.color)) {
    return { ...region, color: value.color.toLowerCase(), strength };
  }
  if (Array.isArray(value.ab) && value.ab.length === 2 && value.ab.every(Number.isFinite)) {
    return { ...region, ab: [value.ab[0], value.ab[1]], strength };
  }
  throw new EditFileError(`${place}: expected a color like "#c03028", or ab.`);
}

/**
 * @param {any} value
 * @param {string} place
 * @returns {Region}
 */
function readRegion(value, place) {
  if (value === null || typeof value !== "object") {
    throw new EditFileError(`${place}: expected an object.`);
  }
  if (!Number.isFinite(value.radius) || value.radius <= 0) {
    throw new EditFileError(`${place}.radius: expected a number above 0.`);
  }
  const points = readList(value.points, `${place}.points`).map((point, index) => {
    if (!Array.isArray(point) || point.length !== 2 || !point.every(Number.isFinite)) {
      throw new EditFileError(`${place}.points[${index}]: expected two numbers.`);
    }
    return /** @type {Point} */ ([point[0], point[1]]);
  });
  if (points.length === 0) throw new EditFileError(`${place}.points: expected at least one point.`);
  return { points, radius: value.radius };
}
