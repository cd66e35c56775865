/**
 * The page's side of the join worker: one job at a time, the newest wish of each slot alone.
 *
 * @typedef {(bitmap: ImageBitmap) => void} Done
 *
 * @import { Job } from "./core/join/types.js"
 */

export class Darkroom {
  #worker;
  /** Wishes by slot, in the order of importance that `ranks` gives. @type {Map<string, { job: Job, done: Done, rank: number }>} */
  #waiting = new Map();
  /** @type {{ number: number, done: Done } | null} */
  #running = null;
  #number = 0;
  #hasGrey = false;

  /** @param {string} url  of the worker's script */
  constructor(url) {
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.addEventListener("message", (event) => this.#finish(event.data));
    this.#worker.addEventListener("error", (event) => {
      console.error(event.message);
      this.#running = null;
      this.#next();
    });
  }

  /**
   * @param {readonly [number, number]} size  of the photo
   * @param {ImageBitmap} grey  handed over to the worker
   * @param {boolean} fresh  whether it is another photo than before
   */
  setGrey(size, grey, fresh) {
    this.#hasGrey = true;
    if (fresh) this.#number++;
    this.#worker.postMessage({ type: "grey", size, bitmap: grey, fresh }, [grey]);
    this.#next();
  }

  /** Forget the photo and all wishes. */
  clear() {
    this.#waiting.clear();
    this.#running = null;
    this.#number++;
    this.#hasGrey = false;
  }

  /**
   * @param {string} slot  a newer wish for the same slot replaces one that waits
   * @param {number} rank  smaller ones go first
   * @param {Job} job
   * @param {Done} done
   */
  develop(slot, rank, job, done) {
    this.#waiting.delete(slot);
    this.#waiting.set(slot, { job, done, rank });
    this.#next();
  }

  #next() {
    if (this.#running || !this.#hasGrey || this.#waiting.size === 0) return;
    let best = "";
    let least = Number.POSITIVE_INFINITY;
    for (const [slot, { rank }] of this.#waiting) {
      if (rank < least) [best, least] = [slot, rank];
    }
    const wish = this.#waiting.get(best);
    if (!wish) return;
    this.#waiting.delete(best);
    const number = ++this.#number;
    this.#running = { number, done: wish.done };
    this.#worker.postMessage({ type: "job", number, job: wish.job });
  }

  /** @param {{ number: number, bitmap: ImageBitmap }} answer */
  #finish({ number, bitmap }) {
    if (this.#running?.number !== number) {
      bitmap.close();
      return;
    }
    const { done } = this.#running;
    this.#running = null;
    done(bitmap);
    this.#next();
  }
}
