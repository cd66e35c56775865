/**
 * The pictures of the samples: which are wanted, which are here. Small ones for the sheet, sharp
 * ones of the visible part for the big view, all made by the darkroom.
 *
 * @typedef {{ bitmap: ImageBitmap, part: Part, result: Result, stamp: string }} Sharp
 * @typedef {{ bitmap: ImageBitmap, result: Result, stamp: string }} Small
 *
 * @import { Part } from "../core/join/types.js"
 * @import { Result, State } from "../core/types.js"
 * @import { Darkroom } from "../darkroom.js"
 */

import { rowWord } from "../core/methods.js";
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
  /** Called with the word of a result whose small picture is new. @type {((word: string) => void)[]} */
  onSmall = [];
  /** Called when a sharp picture is new. @type {(slot: string) => void} */
  onSharp = () => {};

  /** @param {Darkroom} darkroom */
  constructor(darkroom) {
    this.darkroom = darkroom;
  }

  clear() {
    this.#small.clear();
    this.#sharp.clear();
    this.#wanted.clear();
    this.darkroom.clear();
  }

  /** The small picture of a result, by its word. @param {string | undefined} word */
  small(word) {
    return this.#small.get(word ?? "") ?? null;
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
    wordedResults(state).forEach(([word, result], index) => {
      const stamp = `${result.key} ${toneStamp(state)}`;
      if (this.#wanted.get(word) === stamp) return;
      this.#wanted.set(word, stamp);
      const job = { ...jobOf(result, state), draft: false, part: null, width: 0, height: 0 };
      this.darkroom.develop(word, 10 + index, job, (bitmap) => {
        this.#small.set(word, { bitmap, result, stamp });
        for (const act of this.onSmall) act(word);
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

/**
 * What small pictures show: the sheet, and the open rows of earlier methods.
 *
 * @param {State} state
 */
function wordedResults({ sheet, results, drawer, rows }) {
  /** @type {[string, Result][]} */
  const worded = [];
  for (const { pick } of sheet) {
    const result = results.get(pickKey(pick));
    if (result) worded.push([pickKey(pick), result]);
  }
  for (const [name, row] of drawer ? rows : []) {
    row.results.forEach((result, k) => {
      worded.push([rowWord(name, k), result]);
    });
  }
  return worded;
}

/** @param {Result} result @param {State} state */
function jobOf(result, state) {
  return { key: result.key, field: result.field, inks: inksOf(result.edits), tone: state.tone };
}

/** @param {State} state */
function toneStamp({ tone }) {
  return `${tone.saturation} ${tone.warmth} ${tone.strength}`;
}
