/**
 * The edit file: what is saved, sent to the server and opened again. Beside the contract's strokes
 * and ties it carries the page's own notes under `studio`.
 *
 * @import { Edit, EditFile, Edits, FileStroke, Notes, Point, Region } from "./types.js"
 */

import { readTiles } from "./sheet.js";

/** An edit file that cannot be used; its message is meant for people. */
export class EditFileError extends Error {}

/**
 * @param {Edits} edits
 * @param {readonly [number, number]} size
 * @returns {EditFile}  of the visible edits
 */
export function toEditFile(edits, size) {
  const shown = edits.filter((edit) => !edit.hidden);
  return {
    version: 1,
    size: [size[0], size[1]],
    strokes: shown.filter(({ kind }) => kind !== "tie").map(toStroke),
    ties: shown.flatMap(({ points, radius, other }) =>
      other ? [{ a: { points, radius }, b: other }] : [],
    ),
  };
}

/**
 * The text of a file to keep: it gives the same picture again.
 *
 * @param {Edits} edits
 * @param {readonly [number, number]} size
 * @param {Notes} notes
 */
export function writeEditFile(edits, size, notes) {
  const hidden = edits.flatMap((edit, at) => {
    if (!edit.hidden) return [];
    const { id: _, hidden: __, ...rest } = edit;
    return [{ at, edit: rest }];
  });
  return JSON.stringify({ ...toEditFile(edits, size), studio: { ...notes, hidden } }, null, 1);
}

/**
 * @param {string} text
 * @param {readonly [number, number]} size  of the open photo
 * @returns {{ edits: Edits, notes: Notes }}
 * @throws {EditFileError}
 */
export function readEditFile(text, size) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new EditFileError("This file is not an edit file.");
  }
  if (file === null || typeof file !== "object" || file.version !== 1) {
    throw new EditFileError("This file is not an edit file of version 1.");
  }
  if (!Array.isArray(file.size) || file.size[0] !== size[0] || file.size[1] !== size[1]) {
    const made = Array.isArray(file.size) ? file.size.map(String).join(" × ") : "another size";
    throw new EditFileError(
      `These edits were made for a photo of ${made}, this one has ${size[0]} × ${size[1]}.`,
    );
  }
  /** @type {Omit<Edit, "id">[]} */
  const edits = list(file.strokes, "strokes").map(readStroke);
  list(file.ties, "ties").forEach((tie, k) => {
    edits.push(readTie(tie?.a, tie?.b, `ties[${k}].a`, `ties[${k}].b`));
  });
  const studio = file.studio !== null && typeof file.studio === "object" ? file.studio : {};
  list(studio.hidden, "studio.hidden").forEach((entry, k) => {
    const place = `studio.hidden[${k}]`;
    const edit = entry?.edit;
    if (!edit || !Number.isInteger(entry.at)) {
      throw new EditFileError(`${place}: expected at and edit.`);
    }
    const read =
      edit.kind === "tie"
        ? readTie(edit, edit.other, place, `${place}.other`)
        : readStroke({ ...edit, keep: edit.kind === "keep" }, k);
    edits.splice(entry.at, 0, { ...read, hidden: true });
  });
  return { edits: edits.map((edit, k) => ({ ...edit, id: k + 1 })), notes: readNotes(studio) };
}

/** @param {any} studio */
function readNotes(studio) {
  /** @type {{ -readonly [K in keyof Notes]: Notes[K] }} */
  const notes = {};
  if (typeof studio.model === "string") notes.model = studio.model;
  const sheet = readTiles(studio.sheet);
  if (sheet) notes.sheet = sheet;
  if (Number.isInteger(studio.selected) && studio.selected >= 0) notes.selected = studio.selected;
  const { saturation, warmth, strength } = studio.tone ?? {};
  if ([saturation, warmth, strength].every(Number.isFinite)) {
    notes.tone = { saturation, warmth, strength };
  }
  return notes;
}

/** @param {Edit} edit @returns {FileStroke} */
function toStroke({ points, radius, kind, color, ab, strength }) {
  if (kind === "keep") return { points, radius, keep: true, strength };
  return ab ? { points, radius, ab, strength } : { points, radius, color, strength };
}

/** @param {unknown} value @param {string} place */
function list(value, place) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new EditFileError(`${place}: expected a list.`);
  return value;
}

/**
 * @param {any} a
 * @param {any} b
 * @param {string} place
 * @param {string} otherPlace
 * @returns {Omit<Edit, "id">}
 */
function readTie(a, b, place, otherPlace) {
  const shared = { ...readRegion(a, place), other: readRegion(b, otherPlace) };
  return { ...shared, kind: "tie", hidden: false, strength: 1 };
}

/** @param {any} value @param {number} index @returns {Omit<Edit, "id">} */
function readStroke(value, index) {
  const place = `strokes[${index}]`;
  const region = readRegion(value, place);
  const strength = value.strength ?? 1;
  if (!Number.isFinite(strength) || strength < 0 || strength > 1) {
    throw new EditFileError(`${place}.strength: expected a number from 0 to 1.`);
  }
  const shared = { ...region, hidden: false, strength };
  if (value.keep === true) return { ...shared, kind: "keep" };
  if (typeof value.color === "string" && /^#[0-9a-f]{6}$/i.test(value.color)) {
    return { ...shared, kind: "color", color: value.color.toLowerCase() };
  }
  if (Array.isArray(value.ab) && value.ab.length === 2 && value.ab.every(Number.isFinite)) {
    return { ...shared, kind: "color", ab: [value.ab[0], value.ab[1]] };
  }
  throw new EditFileError(`${place}: expected a color like "#c03028", ab, or keep.`);
}

/** @param {any} value @param {string} place @returns {Region} */
function readRegion(value, place) {
  if (value === null || typeof value !== "object") {
    throw new EditFileError(`${place}: expected an object.`);
  }
  if (!Number.isFinite(value.radius) || value.radius <= 0) {
    throw new EditFileError(`${place}.radius: expected a number above 0.`);
  }
  const points = list(value.points, `${place}.points`).map((point, index) => {
    if (!Array.isArray(point) || point.length !== 2 || !point.every(Number.isFinite)) {
      throw new EditFileError(`${place}.points[${index}]: expected two numbers.`);
    }
    return /** @type {Point} */ ([point[0], point[1]]);
  });
  if (points.length === 0) throw new EditFileError(`${place}.points: expected at least one point.`);
  return { points, radius: value.radius };
}
