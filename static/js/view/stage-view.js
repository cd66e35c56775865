/**
 * The big view: asks for the pictures that it should show and draws them whenever something changed.
 *
 * @import { Point, Result, State, Store } from "../core/types.js"
 * @import { Prints } from "./prints.js"
 * @import { Layer } from "./stage-painter.js"
 */

import { colorAtLightness } from "../core/gamut.js";
import { margin, pane } from "../core/reduce-view.js";
import { partInSight, pendingEdits } from "../core/sight.js";
import { resultAt, shownIndex, shownResult, wordAt } from "../core/state.js";
import { fitView, toPhoto } from "../core/view.js";
import { say, WORDS } from "../words.js";
import { colorAt, element } from "./elements.js";
import { Grey } from "./grey.js";
import { drawMarks, drawPane } from "./stage-painter.js";

/** Milliseconds that the view has to rest before a sharper picture is made. */
const REST = 120;
const WHOLE = /** @type {const} */ ([0, 0, 1, 1]);

export class StageView {
  #stage = element("stage");
  #picture = element("picture", HTMLCanvasElement);
  #marks = element("marks-layer", HTMLCanvasElement);
  #grey;
  /** Whether the darkroom has nothing of this photo yet. */
  #fresh = true;
  #rest = 0;
  #frame = 0;
  /** @type {[number, number] | null} */
  #pointer = null;
  /** What the insight lays over the photo. @type {HTMLCanvasElement | null} */
  overlay = null;
  /** A place that the insight marks. @type {Point | null} */
  ring = null;
  /** The unary of the chosen sample, when that is shown. @type {Result | null} */
  unary = null;
  /** Called when the grey photo or a sharp picture is new. */
  onShown = () => {};

  /**
   * @param {Store} store
   * @param {Prints} prints
   * @param {(url: string) => Promise<ImageBitmap>} load
   * @param {readonly number[]} sides
   */
  constructor(store, prints, load, sides) {
    this.store = store;
    this.prints = prints;
    this.#grey = new Grey(load, sides);
    this.#grey.onLoaded = () => this.#takeGrey();
    store.subscribe((state, before) => this.#update(state, before));
    prints.onSharp = () => {
      this.onShown();
      this.#schedule();
    };
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
    this.#resize();
  }

  /** Whether the picture of the chosen sample, with all edits, is on show. */
  get isCurrent() {
    const state = this.store.state();
    const result = shownResult(state);
    return (
      !result || (this.prints.sharp("main")?.result === result && this.prints.isCurrent("main"))
    );
  }

  /** The grey photo at screen size, once it is there. */
  get grey() {
    return this.#grey.bitmap;
  }

  /** Called when the grey photo cannot be had. @param {(error: unknown) => void} act */
  set onError(act) {
    this.#grey.onError = act;
  }

  /** L under the pointer, or null outside the photo. */
  lightHere() {
    const state = this.store.state();
    if (!this.#pointer) return null;
    const [x, y] = this.#pointer;
    return this.lightAt(toPhoto(state.view, x % pane(state).width, y));
  }

  /** L at a place of the photo. @param {Point} point */
  lightAt(point) {
    const { photo } = this.store.state();
    return photo ? this.#grey.lightAt(point[0] / photo.size[0], point[1] / photo.size[1]) : null;
  }

  /** The colour on show at a place of the stage. @param {[number, number]} place */
  colorOnShow(place) {
    return colorAt(this.#picture, place[0] * devicePixelRatio, place[1] * devicePixelRatio);
  }

  /** Where the pointer is, in CSS pixels of the stage. @param {[number, number] | null} place */
  setPointer(place) {
    this.#pointer = place;
    this.#schedule();
  }

  /** Show a picture that has just been chosen, before the server has it. @param {ImageBitmap} bitmap */
  showLocal(bitmap) {
    if (this.store.state().photo) return;
    const { stage } = this.store.state();
    const view = fitView(bitmap, stage, margin(stage));
    const size = /** @type {const} */ ([bitmap.width, bitmap.height]);
    const layers = [{ bitmap, part: WHOLE, grey: true }];
    drawPane(this.#picture, { left: 0, right: stage.width, from: 0 }, view, size, layers, []);
  }

  /** Draw anew soon. */
  refresh() {
    this.#want();
    this.#schedule();
  }

  /** @param {State} state @param {State} before */
  #update(state, before) {
    if (state.photo?.id !== before.photo?.id) this.#changePhoto(state, before);
    if (state.view !== before.view || state.stage !== before.stage) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#want(), REST);
      if (!this.prints.sharp("main")) this.#want();
    } else this.#want();
    this.#stage.dataset.tool = state.tool;
    const label = say(WORDS.photo_sample, { number: shownIndex(state) + 1 });
    this.#picture.setAttribute("aria-label", state.before ? WORDS.photo_grey : label);
    this.#schedule();
  }

  /** @param {State} state @param {State} before */
  #changePhoto(state, before) {
    // The same photo under a new address keeps its pictures until new ones are there.
    const same = state.photo && before.photo && state.history === before.history;
    this.#grey.change(Boolean(same));
    if (same) return;
    this.#fresh = true;
    this.overlay = null;
    this.unary = null;
    this.prints.clear();
  }

  /** Ask for what should be on show. */
  #want() {
    const state = this.store.state();
    if (!state.photo) return;
    this.#grey.want(state);
    const result = shownResult(state);
    const part = partInSight(state);
    const scale = state.view.scale * devicePixelRatio;
    if (result) this.prints.wantSharp("main", state, result, part, scale);
    const other = this.#other(state);
    if (other) this.prints.wantSharp("other", state, other, part, scale);
    else this.prints.drop("other");
    this.prints.wantSmall(state);
  }

  /** The result that is compared with; null for the grey photo or none. @param {State} state */
  #other(state) {
    if (state.insight === "unary") return this.unary;
    return state.compare ? resultAt(state, state.compare.other) : null;
  }

  async #takeGrey() {
    const { photo } = this.store.state();
    const { bitmap } = this.#grey;
    if (!photo || !bitmap) return;
    const copy = await createImageBitmap(bitmap);
    if (bitmap !== this.#grey.bitmap) return copy.close();
    this.prints.darkroom.setGrey(photo.size, copy, this.#fresh);
    if (!this.#fresh) this.prints.drop("main");
    this.#fresh = false;
    this.onShown();
    this.refresh();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#stage;
    for (const canvas of [this.#picture, this.#marks]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    this.store.dispatch({ type: "stage-sized", stage: { width, height } });
    // Setting its size wiped the canvas: draw before the browser shows it empty.
    this.#draw();
  }

  #schedule() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const state = this.store.state();
    if (!state.photo) return;
    const { view, photo, compare, stage } = state;
    const shown = shownResult(state);
    const bitmap = this.#grey.bitmap;
    const grey = bitmap ? [{ bitmap, part: WHOLE, grey: true }] : [];
    const main =
      state.before || !shown ? grey : this.#layers(state, "main", shownIndex(state), grey);
    const otherGrey = compare?.other === -1 && state.insight !== "unary";
    const other = otherGrey ? grey : this.#layers(state, "other", compare?.other ?? -1, grey);
    const pending = state.before
      ? []
      : pendingEdits(state, (this.prints.sharp("main")?.result ?? shown)?.edits ?? []);
    const { width } = pane(state);
    /** @type {(left: number, right: number, from: number, isOther: boolean) => void} */
    const show = (left, right, from, isOther) => {
      const [layers, lines] = isOther ? [other, []] : [main, pending];
      drawPane(this.#picture, { left, right, from }, view, photo.size, layers, lines);
    };
    if (state.insight === "unary" || compare?.mode === "side") {
      show(0, width, 0, false);
      show(width, stage.width, width, true);
    } else if (compare?.mode === "split") {
      show(0, compare.at * stage.width, 0, false);
      show(compare.at * stage.width, stage.width, 0, true);
    } else {
      show(0, width, 0, state.flipped && compare !== null);
    }
    drawMarks(this.#marks, devicePixelRatio, state, {
      pointer: this.#pointer,
      color: this.#brushColor(state),
      overlay: this.overlay,
      ring: this.ring,
    });
  }

  /** @param {State} state @param {string} slot @param {number} index @param {Layer[]} grey */
  #layers(state, slot, index, grey) {
    const sharp = this.prints.sharp(slot);
    const small = this.prints.small(wordAt(state, index));
    const wanted = slot === "main" ? shownResult(state) : this.#other(state);
    /** @type {Layer[]} */
    const layers = [];
    // While the hand draws, the last picture stays until the next one is there.
    const own = slot !== "main" || this.#shownPick === index || sharp?.result === wanted;
    // Under a sharp picture of the whole nothing else may shine through at its edge.
    const covers = sharp && own && sharp.part.every((share, k) => share === WHOLE[k]);
    if (small && !covers) layers.push({ bitmap: small.bitmap, part: WHOLE, grey: false });
    if (sharp && own) {
      layers.push({ bitmap: sharp.bitmap, part: sharp.part, grey: false });
      if (slot === "main") this.#shownPick = index;
    }
    return layers.length > 0 ? layers : grey;
  }

  #shownPick = -1;

  /** @param {State} state */
  #brushColor(state) {
    if (state.tool === "neutral") return "#808080";
    if (state.tool !== "paint" && state.tool !== "point") return "#ffffff";
    const light = this.lightHere();
    return light === null ? state.color : colorAtLightness(state.color, light);
  }
}
