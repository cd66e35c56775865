/**
 * The big view: asks for the pictures that it should show and draws them whenever something changed.
 *
 * @typedef {import("../core/state.js").State} State
 * @typedef {import("../core/actions.js").Action} Action
 * @typedef {import("../core/state.js").Result} Result
 * @typedef {import("../core/store.js").Store<State, Action>} Store
 */

import { colorAtLightness } from "../core/color.js";
import { pane } from "../core/reduce-view.js";
import { partInSight, pendingEdits } from "../core/sight.js";
import { resultAt, shownIndex, shownResult } from "../core/state.js";
import { previewSide, toPhoto } from "../core/view.js";
import { say, WORDS } from "../words.js";
import { element } from "./elements.js";
import { Light } from "./light.js";
import { drawMarks, drawPane } from "./stage-painter.js";

/** Milliseconds that the view has to rest before a sharper picture is made. */
const REST = 120;

export class StageView {
  #stage = element("stage", HTMLElement);
  #picture = element("picture", HTMLCanvasElement);
  #marks = element("marks-layer", HTMLCanvasElement);
  #light = new Light();
  /** @type {ImageBitmap | null} */
  #grey = null;
  #greySide = 0;
  #greyUrl = "";
  #rest = 0;
  #frame = 0;
  /** @type {[number, number] | null} */
  #pointer = null;
  /** What the insight lays over the photo. @type {HTMLCanvasElement | null} */
  overlay = null;
  /** A place that the insight marks. @type {import("../core/edits.js").Point | null} */
  ring = null;
  /** The unary of the chosen sample, when that is shown. @type {Result | null} */
  unary = null;
  /** Called when the grey photo or a sharp picture is new. */
  onShown = () => {};
  /** @type {(error: unknown) => void} */
  onError = () => {};

  /**
   * @param {Store} store
   * @param {import("./prints.js").Prints} prints
   * @param {(url: string) => Promise<ImageBitmap>} load
   * @param {readonly number[]} sides
   */
  constructor(store, prints, load, sides) {
    this.store = store;
    this.prints = prints;
    this.load = load;
    this.sides = sides;
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
    return this.#grey;
  }

  /** L under the pointer, or null outside the photo. */
  lightHere() {
    const { photo } = this.store.state();
    const point = this.pointHere();
    if (!photo || !point) return null;
    return this.#light.at(point[0] / photo.size[0], point[1] / photo.size[1]);
  }

  /** L at a place of the photo. @param {import("../core/edits.js").Point} point */
  lightAt(point) {
    const { photo } = this.store.state();
    return photo ? this.#light.at(point[0] / photo.size[0], point[1] / photo.size[1]) : null;
  }

  /** The place of the photo under the pointer. */
  pointHere() {
    const state = this.store.state();
    if (!this.#pointer || !state.photo) return null;
    const { width } = pane(state);
    return toPhoto(state.view, this.#pointer[0] % width, this.#pointer[1]);
  }

  /** The colour on show at a place of the stage, as 0 to 255. @param {[number, number]} place */
  colorOnShow(place) {
    const scale = devicePixelRatio;
    const context = this.#picture.getContext("2d");
    const [r, g, b] = context?.getImageData(
      Math.round(place[0] * scale) - 1,
      Math.round(place[1] * scale) - 1,
      1,
      1,
    ).data ?? [128, 128, 128];
    return [r, g, b];
  }

  /** Where the pointer is, in CSS pixels of the stage. @param {[number, number] | null} place */
  setPointer(place) {
    this.#pointer = place;
    this.#schedule();
  }

  /** Show a picture that has just been chosen, before the server has it. @param {ImageBitmap} bitmap */
  showLocal(bitmap) {
    if (this.store.state().photo) return;
    const { width, height } = this.store.state().stage;
    const scale = Math.min((width - 48) / bitmap.width, (height - 48) / bitmap.height);
    const view = {
      scale,
      x: (width - bitmap.width * scale) / 2,
      y: (height - bitmap.height * scale) / 2,
      fitted: true,
    };
    const size = /** @type {const} */ ([bitmap.width, bitmap.height]);
    drawPane(
      this.#picture,
      { left: 0, right: width, from: 0 },
      view,
      size,
      [{ bitmap, part: [0, 0, 1, 1], grey: true }],
      [],
    );
  }

  /** Draw anew soon. */
  refresh() {
    this.#want();
    this.#schedule();
  }

  /**
   * @param {State} state
   * @param {State} before
   */
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

  /**
   * @param {State} state
   * @param {State} before
   */
  #changePhoto(state, before) {
    this.#greyUrl = "";
    // The same photo under a new address keeps its pictures until new ones are there.
    if (state.photo && before.photo && state.history === before.history) return;
    this.#grey = null;
    this.#greySide = 0;
    this.#light.set(null);
    this.overlay = null;
    this.unary = null;
    this.prints.clear();
  }

  /** Ask for what should be on show. */
  #want() {
    const state = this.store.state();
    if (!state.photo) return;
    this.#wantGrey(state);
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

  /** @param {State} state */
  #wantGrey(state) {
    const { photo, view } = state;
    if (!photo) return;
    const scale = view.scale * devicePixelRatio;
    const size = { width: photo.size[0], height: photo.size[1] };
    const side = Math.max(previewSide(size, scale, this.sides), this.#greySide);
    const url = `${photo.grey}?side=${side}`;
    if (url === this.#greyUrl) return;
    this.#greyUrl = url;
    this.load(url).then(
      async (bitmap) => {
        const copy = await createImageBitmap(bitmap);
        if (url !== this.#greyUrl) return;
        const fresh = this.#grey === null;
        this.#grey = bitmap;
        this.#greySide = side;
        this.#light.set(bitmap);
        this.prints.darkroom.setGrey(photo.size, copy, fresh);
        if (!fresh) this.prints.drop("main");
        this.onShown();
        this.refresh();
      },
      (error) => {
        if (url !== this.#greyUrl) return;
        this.#greyUrl = "";
        this.onError(error);
      },
    );
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
    const grey = this.#grey ? [{ bitmap: this.#grey, part: whole, grey: true }] : [];
    const main =
      state.before || !shown ? grey : this.#layers(state, "main", shownIndex(state), grey);
    const otherGrey = compare?.other === -1 && state.insight !== "unary";
    const other = otherGrey ? grey : this.#layers(state, "other", compare?.other ?? -1, grey);
    const pending = state.before
      ? []
      : pendingEdits(state, (this.prints.sharp("main")?.result ?? shown)?.edits ?? []);
    const { width } = pane(state);
    if (state.insight === "unary" || compare?.mode === "side") {
      drawPane(this.#picture, { left: 0, right: width, from: 0 }, view, photo.size, main, pending);
      const right = { left: width, right: stage.width, from: width };
      drawPane(this.#picture, right, view, photo.size, other, []);
    } else if (compare?.mode === "split") {
      const at = compare.at * stage.width;
      drawPane(this.#picture, { left: 0, right: at, from: 0 }, view, photo.size, main, pending);
      drawPane(
        this.#picture,
        { left: at, right: stage.width, from: 0 },
        view,
        photo.size,
        other,
        [],
      );
    } else {
      const layers = state.flipped && compare ? other : main;
      const lines = state.flipped && compare ? [] : pending;
      drawPane(this.#picture, { left: 0, right: width, from: 0 }, view, photo.size, layers, lines);
    }
    drawMarks(this.#marks, devicePixelRatio, state, {
      pointer: this.#pointer,
      color: this.#brushColor(state),
      overlay: this.overlay,
      ring: this.ring,
    });
  }

  /**
   * @param {State} state
   * @param {string} slot
   * @param {number} index
   * @param {import("./stage-painter.js").Layer[]} grey
   */
  #layers(state, slot, index, grey) {
    const sharp = this.prints.sharp(slot);
    const small = this.prints.small(state, index);
    const wanted = slot === "main" ? shownResult(state) : this.#other(state);
    /** @type {import("./stage-painter.js").Layer[]} */
    const layers = [];
    // While the hand draws, the last picture stays until the next one is there.
    const own = slot !== "main" || this.#shownPick === index || sharp?.result === wanted;
    // Under a sharp picture of the whole nothing else may shine through at its edge.
    const covers = sharp && own && sharp.part.every((share, k) => share === whole[k]);
    if (small && !covers) layers.push({ bitmap: small.bitmap, part: whole, grey: false });
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

const whole = /** @type {const} */ ([0, 0, 1, 1]);
