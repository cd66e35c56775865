/**
 * The pictures of the samples: which are wanted, which are here. Small ones for the sheet, sharp
 * ones of the visible part for the big view, all made by the darkroom.
 *
 * @typedef {import("../core/state.js").State} State
 * @typedef {import("../core/state.js").Result} Result
 * @typedef {readonly [number, number, number, number]} Part  shares of the photo: left, top, right, bottom
 * @typedef {{ bitmap: ImageBitmap, part: Part, result: Result, stamp: string }} Sharp
 * @typedef {{ bitmap: ImageBitmap, result: Result, stamp: string }} Small
 */

import { pickKey } from "../core/sheet.js";
import { inksOf } from "./inks.js";

/** Pixels of a sharp picture at most, so that a wall-sized window stays quick. */
const MOST_PIXELS = 2_400_000;
const DRAFT_PIXELS = 250_000;

export class Prints {
  /** @type {Map<string, Small>} */
  #small = new Map();
  /** @type {Map<string, string>} */
  #wanted = new Map();
  /** @type {Map<string, Sharp>} */
  #sharp = new Map();
  /** Called with the place on the sheet whose small picture is new. @type {(index: number) => void} */
  onSmall = () => {};
  /** Called when a sharp picture is new. @type {(slot: string) => void} */
  onSharp = () => {};

  /** @param {import("../darkroom.js").Darkroom} darkroom */
  constructor(darkroom) {
    this.darkroom = darkroom;
  }

  clear() {
    this.#small.clear();
    this.#sharp.clear();
    this.#wanted.clear();
    this.darkroom.clear();
  }

  /** The small picture of a place on the sheet. @param {State} state @param {number} index */
  small(state, index) {
    const tile = state.sheet[index];
    return (tile && this.#small.get(pickKey(tile.pick))) ?? null;
  }

  /** @param {string} slot */
  sharp(slot) {
    return this.#sharp.get(slot) ?? null;
  }

  /** @param {string} slot */
  drop(slot) {
    this.#sharp.delete(slot);
    this.#wanted.delete(slot);
  }

  /** Ask for the small pictures that are missing. @param {State} state */
  wantSmall(state) {
    state.sheet.forEach(({ pick }, index) => {
      const word = pickKey(pick);
      const result = state.results.get(word);
      if (!result) return;
      const stamp = `${result.key} ${toneStamp(state)}`;
      if (this.#wanted.get(word) === stamp) return;
      this.#wanted.set(word, stamp);
      const job = { ...jobOf(result, state), draft: false, part: null, width: 0, height: 0 };
      this.darkroom.develop(word, 10 + index, job, (bitmap) => {
        this.#small.set(word, { bitmap, result, stamp });
        this.onSmall(index);
      });
    });
  }

  /**
   * Ask for a sharp picture of a part of a result.
   *
   * @param {string} slot
   * @param {State} state
   * @param {Result} result
   * @param {Part} part
   * @param {number} scale  screen pixels for one pixel of the photo
   */
  wantSharp(slot, state, result, part, scale) {
    const stamp = `${result.key} ${toneStamp(state)} ${part} ${scale}`;
    if (this.#wanted.get(slot) === stamp || !state.photo) return;
    this.#wanted.set(slot, stamp);
    const [width, height] = state.photo.size;
    const across = (part[2] - part[0]) * width;
    const down = (part[3] - part[1]) * height;
    // A draft is for the moment alone: fewer pixels are enough while the hand moves.
    const most = result === state.draft ? DRAFT_PIXELS : MOST_PIXELS;
    const density = Math.min(scale, 1, Math.sqrt(most / (across * down)));
    const job = {
      ...jobOf(result, state),
      draft: result === state.draft,
      part,
      width: Math.max(1, Math.round(across * density)),
      height: Math.max(1, Math.round(down * density)),
    };
    this.darkroom.develop(slot, slot === "main" ? 0 : 1, job, (bitmap) => {
      this.#sharp.set(slot, { bitmap, part, result, stamp });
      this.onSharp(slot);
    });
  }

  /** Whether the newest sharp picture that was asked for is here. @param {string} slot */
  isCurrent(slot) {
    return this.#sharp.get(slot)?.stamp === this.#wanted.get(slot);
  }
}

/** @param {Result} result @param {State} state */
function jobOf(result, state) {
  return { key: result.key, field: result.field, inks: inksOf(result.edits), tone: state.tone };
}

/** @param {State} state */
function toneStamp({ tone }) {
  return `${tone.saturation} ${tone.warmth} ${tone.strength}`;
}
