/**
 * Pictures from the server as bitmaps, the latest ones kept, so that undo repaints at once.
 */

import { fetchFile } from "../api.js";

/** Pixels of kept bitmaps; each takes four bytes. */
const MAX_PIXELS = 30_000_000;

export class Pictures {
  /** @type {Map<string, ImageBitmap>} */
  #kept = new Map();
  /** @type {Map<string, Promise<ImageBitmap>>} */
  #coming = new Map();
  #pixels = 0;

  /**
   * The picture if it is here already.
   *
   * @param {string} url
   */
  peek(url) {
    return this.#kept.get(url) ?? null;
  }

  /**
   * @param {string} url
   * @returns {Promise<ImageBitmap>}
   * @throws {import("../api.js").ApiError}
   */
  load(url) {
    const kept = this.#kept.get(url);
    if (kept) {
      this.#kept.delete(url);
      this.#kept.set(url, kept);
      return Promise.resolve(kept);
    }
    const coming = this.#coming.get(url);
    if (coming) return coming;
    const promise = this.#fetch(url).finally(() => this.#coming.delete(url));
    this.#coming.set(url, promise);
    return promise;
  }

  clear() {
    this.#kept.clear();
    this.#pixels = 0;
  }

  /** @param {string} url */
  async #fetch(url) {
    const bitmap = await createImageBitmap(await fetchFile(url));
    this.#kept.set(url, bitmap);
    this.#pixels += bitmap.width * bitmap.height;
    for (const [old, picture] of this.#kept) {
      if (this.#pixels <= MAX_PIXELS || old === url) break;
      this.#kept.delete(old);
      this.#pixels -= picture.width * picture.height;
    }
    return bitmap;
  }
}

/**
 * The address of a picture with its longer side given.
 *
 * @param {string} url
 * @param {number} side
 */
export function atSide(url, side) {
  return `${url}?side=${side}`;
}
