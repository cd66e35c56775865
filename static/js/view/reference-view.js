/**
 * A picture to take colours from: one that a person brings, or the photo's own colours.
 *
 * @import { Point, Store } from "../core/types.js"
 */

import { button, colorAt, drawSmall, element, fileInput, onClick, pixelUnder } from "./elements.js";

/** Longer side of the picture in the tray. */
const SIDE = 512;
/** Points taken from a photo's own colours, across and down. */
const POINTS = [7, 5];

export class ReferenceView {
  #canvas = element("reference-picture", HTMLCanvasElement);
  #own = button("own-colors");

  /** @param {Store} store @param {(url: string) => Promise<ImageBitmap>} load */
  constructor(store, load) {
    this.store = store;
    const file = fileInput("reference-file", async ([chosen]) =>
      this.#show(await createImageBitmap(chosen), false),
    );
    onClick("reference-open", () => file.click());
    this.#canvas.addEventListener("click", (event) => {
      const color = colorAt(this.#canvas, ...pixelUnder(this.#canvas, event));
      store.dispatch({ type: "color-chosen", color });
    });
    this.#own.addEventListener("click", () => this.#takePoints());
    store.subscribe(async (state, before) => {
      if (state.photo?.id === before.photo?.id) return;
      this.#canvas.hidden = true;
      this.#own.hidden = true;
      const { photo } = state;
      if (!photo?.has_color) return;
      const bitmap = await load(`${photo.original}?side=${SIDE}`);
      if (store.state().photo?.id === photo.id) this.#show(bitmap, true);
    });
  }

  /** @param {ImageBitmap} bitmap @param {boolean} own */
  #show(bitmap, own) {
    drawSmall(this.#canvas, bitmap, SIDE);
    this.#canvas.hidden = false;
    this.#own.hidden = !own;
  }

  #takePoints() {
    const { photo, brush } = this.store.state();
    if (!photo) return;
    const [across, down] = POINTS;
    const [width, height] = photo.size;
    const edits = Array.from({ length: across * down }, (_, k) => {
      const u = ((k % across) + 0.5) / across;
      const v = (Math.floor(k / across) + 0.5) / down;
      /** @type {readonly Point[]} */
      const points = [[Math.round(u * width), Math.round(v * height)]];
      const color = colorAt(this.#canvas, u * this.#canvas.width, v * this.#canvas.height);
      const kind = /** @type {const} */ ("color");
      return { kind, points, radius: Math.max(2, brush / 4), color, strength: 1, hidden: false };
    });
    this.store.dispatch({ type: "edits-added", edits });
  }
}
