/**
 * The open photos: one on the stage, the others in the strip; all kept for a reload.
 *
 * @typedef {{ key: string, name: string, source: Blob | string, work: Work, thumb: ImageBitmap | null }} Frame
 *
 * @import { Kept, Store, Work } from "./core/types.js"
 * @import { Session } from "./session.js"
 */

import { WORK, workOf } from "./core/state.js";
import { forget, freshName, keep, loadAll, tabName } from "./storage.js";
import { drawSmall, element, make, makeButton, press } from "./view/elements.js";
import { say, WORDS } from "./words.js";

/** Milliseconds of rest after which a change is kept. */
const REST = 250;

export class Film {
  #strip = element("film");
  #tab = tabName();
  /** @type {Frame[]} */
  #frames = [];
  #active = -1;
  #timer = 0;
  #works = true;

  /** @param {Store} store @param {Session} session */
  constructor(store, session) {
    this.store = store;
    this.session = session;
    store.subscribe((state, before) => {
      if (!state.photo || WORK.every((name) => state[name] === before[name])) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#keep(), REST);
    });
    addEventListener("pagehide", () => this.#keep());
  }

  get count() {
    return this.#frames.length;
  }

  /** Set the photo on the stage aside, before another one is opened. */
  hold() {
    this.#park();
    this.#active = -1;
  }

  /** The photo on the stage, which was just opened, as a new frame. @param {Blob | string} source @param {string} name */
  add(source, name) {
    const key = freshName();
    this.#frames.push({ key, name, source, work: workOf(this.store.state()), thumb: null });
    this.#active = this.#frames.length - 1;
    this.#lay();
    this.#keep();
  }

  /** A small picture of the photo on the stage. @param {ImageBitmap} bitmap */
  setThumb(bitmap) {
    const frame = this.#frames[this.#active];
    if (!frame || frame.thumb) return;
    frame.thumb = bitmap;
    this.#lay();
  }

  /** Put another frame on the stage. @param {number} index */
  show(index) {
    const frame = this.#frames[index];
    if (!frame || index === this.#active) return;
    this.#park();
    this.#active = index;
    this.session.source = frame.source;
    this.session.name = frame.name;
    this.store.dispatch({ type: "work-opened", work: frame.work });
    this.#lay();
  }

  /** Remove the frame on the stage; the next one takes its place. */
  close() {
    const [frame] = this.#frames.splice(this.#active, 1);
    this.#active = -1;
    clearTimeout(this.#timer);
    if (frame) this.#try(() => forget(frame.key));
    if (this.#frames.length > 0) this.show(0);
    else this.store.dispatch({ type: "closed" });
    this.#lay();
  }

  /**
   * Bring back what this tab had open.
   *
   * @returns {Promise<Kept[]>}  what other tabs left behind, for the start page to offer
   */
  async restore() {
    /** @type {Kept[]} */
    let all = [];
    await this.#try(async () => {
      all = await loadAll();
    });
    const own = all.filter(({ tab }) => tab === this.#tab).sort((a, b) => a.order - b.order);
    if (own.length === 0) return all.slice(0, 4);
    if (this.#frames.length > 0) return [];
    this.#frames = own.map(({ key, name, source, work }) => {
      return { key, name, source, work, thumb: null };
    });
    const active = own.findIndex((kept) => kept.active);
    this.show(Math.max(0, active));
    return [];
  }

  /** Take over what another tab left behind. @param {Kept} kept */
  adopt({ name, source, work }) {
    this.#park();
    const key = freshName();
    this.#frames.push({ key, name, source, work, thumb: null });
    this.show(this.#frames.length - 1);
    this.#keep();
  }

  #park() {
    const frame = this.#frames[this.#active];
    if (frame && this.store.state().photo) frame.work = workOf(this.store.state());
    this.#keep();
  }

  #keep() {
    clearTimeout(this.#timer);
    const frame = this.#frames[this.#active];
    if (!frame || !this.store.state().photo || !this.#works) return;
    frame.work = workOf(this.store.state());
    const at = Date.now();
    for (const [order, each] of this.#frames.entries()) {
      const { key, name, source, work } = each;
      const active = each === frame;
      this.#try(() => keep({ key, tab: this.#tab, order, at, name, active, source, work }));
    }
  }

  /** @param {() => Promise<void>} work */
  async #try(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (this.#works) this.store.dispatch({ type: "noticed", text: WORDS.no_storage });
      this.#works = false;
    }
  }

  #lay() {
    this.#strip.hidden = this.#frames.length < 2;
    this.#strip.replaceChildren(
      ...this.#frames.map((frame, index) => {
        const canvas = make("canvas", { width: "56", height: "40", "aria-hidden": "true" });
        if (frame.thumb) drawSmall(canvas, frame.thumb, 112);
        else if (frame.source instanceof Blob)
          createImageBitmap(frame.source).then(
            (bitmap) => drawSmall(canvas, bitmap, 112),
            () => {}, // only the server can read it: grey until it was on the stage
          );
        const name = say(WORDS.film_photo, { name: frame.work.photo?.name ?? frame.name });
        const choice = makeButton(
          { "aria-label": name, title: name },
          () => this.show(index),
          canvas,
        );
        press(choice, index === this.#active);
        return choice;
      }),
    );
  }
}
