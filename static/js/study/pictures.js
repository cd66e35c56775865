/**
 * Pictures of trials, fetched and decoded ahead, kept by trial.
 *
 * @typedef {import("./server.js").Trial} Trial
 * @typedef {{ left: HTMLImageElement, right: HTMLImageElement, gray: HTMLImageElement | null }} Ready
 */

const TRIES = 4;

/** Loads the pictures of trials; a trial that was asked for before is not loaded twice. */
export class Pictures {
  /** @param {string} base  what sealed addresses are appended to */
  constructor(base) {
    this.base = base;
    /** @type {Map<string, Promise<Ready>>} */
    this.kept = new Map();
  }

  /**
   * The decoded pictures of a trial. Rejects when they cannot be loaded.
   *
   * @param {Trial} trial
   * @returns {Promise<Ready>}
   */
  load(trial) {
    const known = this.kept.get(trial.key);
    if (known) return known;
    const loading = this.#all(trial);
    this.kept.set(trial.key, loading);
    loading.catch(() => this.kept.delete(trial.key));
    return loading;
  }

  /**
   * Forget all trials but these.
   *
   * @param {string[]} keys
   */
  keep(keys) {
    for (const key of this.kept.keys()) if (!keys.includes(key)) this.kept.delete(key);
  }

  /**
   * @param {Trial} trial
   * @returns {Promise<Ready>}
   */
  async #all(trial) {
    const [left, right, gray] = await Promise.all([
      this.#one(trial.pictures[0]),
      this.#one(trial.pictures[1]),
      trial.gray ? this.#one(trial.gray) : null,
    ]);
    return { left, right, gray };
  }

  /**
   * @param {string} address
   * @returns {Promise<HTMLImageElement>}
   */
  async #one(address) {
    for (let attempt = 1; ; attempt++) {
      const image = new Image();
      image.alt = "";
      image.draggable = false;
      image.src = this.base + address;
      try {
        await image.decode();
        return image;
      } catch (error) {
        if (attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt));
      }
    }
  }
}
