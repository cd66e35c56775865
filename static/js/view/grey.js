/**
 * The grey photo: loaded as sharp as the screen needs it, and its lightness at any place, read once
 * at a small size. Used by `stage-view.js`.
 *
 * @import { State } from "../core/types.js"
 */

import { greyToLightness } from "../core/gamut.js";
import { previewSide } from "../core/view.js";
import { drawSmall, make } from "./elements.js";

/** Longer side of the picture that lightness is read from. */
const SIDE = 512;

export class Grey {
  /** The picture, once it is there. @type {ImageBitmap | null} */
  bitmap = null;
  #side = 0;
  #url = "";
  #canvas = make("canvas");
  /** @type {Uint8ClampedArray | null} */
  #pixels = null;
  /** Called when a picture is here. */
  onLoaded = () => {};
  /** @type {(error: unknown) => void} */
  onError = () => {};

  /**
   * @param {(url: string) => Promise<ImageBitmap>} load
   * @param {readonly number[]} sides  on offer
   */
  constructor(load, sides) {
    this.load = load;
    this.sides = sides;
  }

  /** Another photo, or the same one under a new address, which keeps its picture. @param {boolean} same */
  change(same) {
    this.#url = "";
    if (same) return;
    this.bitmap = null;
    this.#pixels = null;
    this.#side = 0;
  }

  /** Load what the view needs, unless it is here or on its way. @param {State} state */
  async want({ photo, view }) {
    if (!photo) return;
    const scale = view.scale * devicePixelRatio;
    const size = { width: photo.size[0], height: photo.size[1] };
    const side = Math.max(previewSide(size, scale, this.sides), this.#side);
    const url = `${photo.grey}?side=${side}`;
    if (url === this.#url) return;
    this.#url = url;
    try {
      const bitmap = await this.load(url);
      if (url !== this.#url) return;
      this.bitmap = bitmap;
      this.#side = side;
      const context = drawSmall(this.#canvas, bitmap, SIDE);
      const { width, height } = this.#canvas;
      this.#pixels = context.getImageData(0, 0, width, height).data;
      this.onLoaded();
    } catch (error) {
      if (url !== this.#url) return;
      this.#url = "";
      this.onError(error);
    }
  }

  /**
   * L (0 to 100) at a place given as shares of width and height, or null outside the photo.
   *
   * @param {number} across
   * @param {number} down
   */
  lightAt(across, down) {
    if (!this.#pixels || !(across >= 0 && across < 1 && down >= 0 && down < 1)) return null;
    const { width, height } = this.#canvas;
    const at = Math.floor(down * height) * width + Math.floor(across * width);
    return greyToLightness(this.#pixels[4 * at]);
  }
}
