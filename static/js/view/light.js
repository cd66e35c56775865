/** The lightness of the grey photo under a place, read once into memory at a small size. */

import { rgbToLab } from "../core/color.js";
import { context2d } from "./elements.js";

const SIDE = 512;

export class Light {
  #width = 0;
  #height = 0;
  /** @type {Uint8ClampedArray | null} */
  #pixels = null;

  /** @param {ImageBitmap | null} grey */
  set(grey) {
    this.#pixels = null;
    if (!grey) return;
    const scale = Math.min(1, SIDE / Math.max(grey.width, grey.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(grey.width * scale));
    canvas.height = Math.max(1, Math.round(grey.height * scale));
    const context = context2d(canvas);
    context.drawImage(grey, 0, 0, canvas.width, canvas.height);
    this.#width = canvas.width;
    this.#height = canvas.height;
    this.#pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  }

  /**
   * L (0 to 100) at a place given as shares of width and height, or null outside the photo.
   *
   * @param {number} across
   * @param {number} down
   */
  at(across, down) {
    if (!this.#pixels || !(across >= 0 && across < 1 && down >= 0 && down < 1)) return null;
    const x = Math.floor(across * this.#width);
    const y = Math.floor(down * this.#height);
    const value = this.#pixels[4 * (y * this.#width + x)];
    return rgbToLab([value, value, value])[0];
  }
}
