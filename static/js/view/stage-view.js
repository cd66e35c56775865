/**
 * The big view: loads what it should show, and draws it whenever something changed.
 *
 * @typedef {import("../core/state.js").State} State
 * @typedef {import("../core/state.js").Action} Action
 * @typedef {import("../core/edits.js").Edits} Edits
 * @typedef {import("../core/edits.js").Point} Point
 * @typedef {import("../core/store.js").Store<State, Action>} Store
 */

import { colorAtLightness } from "../core/color.js";
import { pendingStrokes } from "../core/studio.js";
import { previewSide, toPhoto } from "../core/view.js";
import { WORDS } from "../words.js";
import { element } from "./elements.js";
import { Light } from "./light.js";
import { atSide } from "./pictures.js";
import { TILE_SIDE } from "./sheet-view.js";
import { colorOf, drawMarks, drawPicture } from "./stage-painter.js";

/** Milliseconds that the view has to rest before a sharper picture is fetched. */
const REST = 160;

export class StageView {
  #stage = element("stage", HTMLElement);
  #picture = element("picture", HTMLCanvasElement);
  #marks = element("marks-layer", HTMLCanvasElement);
  #badge = element("before-badge", HTMLElement);
  #light = new Light();
  /** @type {{ url: string, bitmap: ImageBitmap, edits: Edits | null } | null} */
  #shown = null;
  /** @type {ImageBitmap | null} */
  #grey = null;
  #wantedGrey = "";
  #wanted = "";
  #rest = 0;
  #frame = 0;
  /** @type {[number, number] | null} */
  #pointer = null;
  /** Called when the address of the picture on show changed. */
  onShown = () => {};
  /** @type {(error: unknown) => void} */
  onError = () => {};

  /**
   * @param {Store} store
   * @param {import("./pictures.js").Pictures} pictures
   * @param {readonly number[]} sides
   */
  constructor(store, pictures, sides) {
    this.store = store;
    this.pictures = pictures;
    this.sides = sides;
    store.subscribe((state, before) => this.#update(state, before));
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
    this.#resize();
  }

  /** Whether the picture of the chosen sample, with all edits, is on show. */
  get isCurrent() {
    return this.#shown !== null && this.#shown.url === this.#wanted;
  }

  /** Whether the picture on show was made from this answer of the server. */
  showsAnswer() {
    const { colorization } = this.store.state();
    return !!colorization && this.#shown?.edits === colorization.edits;
  }

  /**
   * Where the pointer is, in CSS pixels of the stage; null when it left.
   *
   * @param {[number, number] | null} place
   */
  setPointer(place) {
    this.#pointer = place;
    this.#schedule();
  }

  /** What the chosen colour becomes under the pointer, or null outside the photo. */
  colorHere() {
    const state = this.store.state();
    if (!this.#pointer || !state.photo) return null;
    const [x, y] = toPhoto(state.view, ...this.#pointer);
    const lightness = this.#light.at(x / state.photo.size[0], y / state.photo.size[1]);
    return lightness === null ? null : colorAtLightness(state.color, lightness);
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  #update(state, before) {
    if (state.photo?.id !== before.photo?.id) this.#changePhoto(state, before);
    if (
      state.colorization !== before.colorization ||
      state.selected !== before.selected ||
      state.photo !== before.photo
    ) {
      this.#want();
    } else if (state.view.scale !== before.view.scale) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#want(), REST);
    }
    this.#stage.dataset.tool = state.tool;
    this.#badge.hidden = !(state.photo && state.before);
    this.#picture.setAttribute(
      "aria-label",
      state.before || !state.colorization ? WORDS.grey : WORDS.chosen(state.selected),
    );
    this.#schedule();
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  #changePhoto(state, before) {
    // The same photo under a new address keeps its picture until a new one is there.
    if (state.photo && before.photo && state.history === before.history) return;
    this.#shown = null;
    this.#grey = null;
    this.#light.set(null);
    this.#wantedGrey = "";
    this.#wanted = "";
    this.pictures.clear();
  }

  /** Fetch the picture that should be on show, and the grey one at the same size. */
  #want() {
    const { photo, colorization, selected, view } = this.store.state();
    if (!photo) return;
    const scale = view.scale * devicePixelRatio;
    const side = previewSide({ width: photo.size[0], height: photo.size[1] }, scale, this.sides);
    this.#wantGrey(atSide(photo.grey, side));
    const sample = colorization?.samples[selected];
    if (!sample) return;
    const url = atSide(sample.preview, side);
    if (url === this.#wanted) return;
    this.#wanted = url;
    const { edits } = colorization;
    // The tile's small picture stands in while the large one is on its way.
    const small = this.pictures.peek(atSide(sample.preview, TILE_SIDE));
    if (small && !this.pictures.peek(url)) this.#show({ url: "", bitmap: small, edits });
    this.pictures.load(url).then(
      (bitmap) => {
        if (url === this.#wanted) this.#show({ url, bitmap, edits });
      },
      (error) => {
        if (url !== this.#wanted) return;
        this.#wanted = "";
        this.onError(error);
      },
    );
  }

  /** @param {string} url */
  #wantGrey(url) {
    if (url === this.#wantedGrey) return;
    this.#wantedGrey = url;
    this.pictures.load(url).then(
      (bitmap) => {
        if (url !== this.#wantedGrey) return;
        this.#grey = bitmap;
        this.#light.set(bitmap);
        this.onShown();
        this.#schedule();
      },
      (error) => {
        if (url !== this.#wantedGrey) return;
        this.#wantedGrey = "";
        this.onError(error);
      },
    );
  }

  /** The grey photo at screen size, once it is there. */
  get grey() {
    return this.#grey;
  }

  /** @param {{ url: string, bitmap: ImageBitmap, edits: Edits }} shown */
  #show(shown) {
    this.#shown = shown;
    this.onShown();
    this.#schedule();
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
    const { view, photo } = state;
    const grey = state.before || !this.#shown;
    const lines = pendingStrokes(state, this.#shown?.edits ?? null).map((stroke) => ({
      points: stroke.points,
      radius: stroke.radius,
      color: colorOf(stroke),
    }));
    if (state.line) lines.push(state.line);
    drawPicture(
      this.#picture,
      devicePixelRatio,
      view,
      photo.size,
      grey ? this.#grey : (this.#shown?.bitmap ?? null),
      state.before ? [] : lines,
    );
    const showsMarks = state.marks && !state.before;
    const brush =
      this.#pointer && state.tool === "paint"
        ? {
            x: this.#pointer[0],
            y: this.#pointer[1],
            radius: (state.brush / 2) * view.scale,
            color: this.colorHere() ?? state.color,
          }
        : null;
    const strokes = showsMarks ? state.history.present.strokes : [];
    drawMarks(this.#marks, devicePixelRatio, view, strokes, brush);
  }
}
