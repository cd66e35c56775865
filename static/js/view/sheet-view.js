/**
 * The contact sheet: one tile a sample, grey until its picture is there.
 *
 * @typedef {import("./stage-view.js").Store} Store
 */

import { NUM_SAMPLES } from "../core/state.js";
import { WORDS } from "../words.js";
import { context2d, element, make } from "./elements.js";
import { atSide } from "./pictures.js";

/** Longer side of a tile's picture. */
export const TILE_SIDE = 384;

export class SheetView {
  #sheet = element("tiles", HTMLElement);
  /** @type {{ label: HTMLLabelElement, canvas: HTMLCanvasElement, radio: HTMLInputElement, url: string }[]} */
  #tiles = [];
  /** @type {(error: unknown) => void} */
  onError = () => {};

  /**
   * @param {Store} store
   * @param {import("./pictures.js").Pictures} pictures
   */
  constructor(store, pictures) {
    this.store = store;
    this.pictures = pictures;
    for (let index = 0; index < NUM_SAMPLES; index++) this.#tiles.push(this.#makeTile(index));
    this.#sheet.append(...this.#tiles.map((tile) => tile.label));
    store.subscribe((state, before) => {
      if (state.photo !== before.photo) this.#reset();
      if (state.selected !== before.selected) this.#mark();
    });
  }

  /** Show the grey photo in every tile that has no colour yet. @param {ImageBitmap} grey */
  showGrey(grey) {
    for (const tile of this.#tiles) if (!tile.url) draw(tile.canvas, grey);
  }

  /** Fetch the pictures of the present samples, one tile after the other as they come. */
  refresh() {
    const { colorization } = this.store.state();
    colorization?.samples.forEach((sample, index) => {
      const tile = this.#tiles[index];
      const url = atSide(sample.preview, TILE_SIDE);
      if (!tile || tile.url === url) return;
      tile.url = url;
      tile.label.dataset.waiting = "";
      this.pictures.load(url).then(
        (bitmap) => {
          if (tile.url !== url) return;
          draw(tile.canvas, bitmap);
          delete tile.label.dataset.waiting;
        },
        (error) => {
          if (tile.url !== url) return;
          tile.url = "";
          this.onError(error);
        },
      );
    });
  }

  #reset() {
    const { photo } = this.store.state();
    for (const tile of this.#tiles) {
      tile.url = "";
      tile.label.dataset.waiting = "";
    }
    if (!photo) return;
    const ratio = photo.size[0] / photo.size[1];
    this.#sheet.style.setProperty("--ratio", Math.min(Math.max(ratio, 0.75), 1.8).toFixed(3));
    this.#sheet.style.setProperty("--columns", ratio < 1 ? "3" : "2");
    this.#mark();
  }

  #mark() {
    const { selected } = this.store.state();
    const tile = this.#tiles[selected];
    tile.radio.checked = true;
    tile.label.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {number} index */
  #makeTile(index) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const radio = make("input", { type: "radio", name: "sample", value: String(index) });
    radio.setAttribute("aria-label", WORDS.colouring(index));
    radio.addEventListener("change", () => this.store.dispatch({ type: "sample-chosen", index }));
    const number = make("span", { class: "number", "aria-hidden": "true" }, String(index + 1));
    const label = make("label", { class: "tile", "data-waiting": "" }, radio, canvas, number);
    return { label, canvas, radio, url: "" };
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} picture
 */
function draw(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  context2d(canvas).drawImage(picture, 0, 0);
}
