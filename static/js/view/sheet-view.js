/**
 * The contact sheet: a tile a sample, grey until its colours are there; pointing at one shows it
 * large, a star keeps it.
 *
 * @import { Store } from "../core/types.js"
 * @import { Prints } from "./prints.js"
 */

import { pickKey } from "../core/sheet.js";
import { resultAt, wordAt } from "../core/state.js";
import { say, WORDS } from "../words.js";
import {
  ARROWS,
  colorAt,
  drawSmall,
  element,
  make,
  makeButton,
  makeIcon,
  onClick,
  pixelUnder,
  press,
} from "./elements.js";

/** Milliseconds that the pointer rests on a tile before it is shown large. */
const REST = 180;
/** Longer side of a tile's picture. */
const SIDE = 384;

export class SheetView {
  #sheet = element("tiles");
  /** @type {{ box: HTMLElement, canvas: HTMLCanvasElement, choice: HTMLButtonElement, star: HTMLButtonElement }[]} */
  #tiles = [];
  #rest = 0;
  /** Called when every tile shows its sample with all edits. */
  onReady = () => {};

  /** @param {Store} store @param {Prints} prints */
  constructor(store, prints) {
    this.store = store;
    this.prints = prints;
    prints.onSmall.push((word) => {
      const index = store.state().sheet.findIndex(({ pick }) => pickKey(pick) === word);
      if (index >= 0) this.#draw(index);
    });
    onClick("more-different", () => store.dispatch({ type: "more-different" }));
    onClick("more-like", () =>
      store.dispatch({ type: "more-like", index: store.state().selected }),
    );
    const resize = (/** @type {number} */ by) =>
      store.dispatch({ type: "sheet-resized", count: store.state().sheet.length + by });
    onClick("fewer", () => resize(-1));
    onClick("more", () => resize(1));
    this.#sheet.addEventListener("pointerleave", () => this.#peek(null));
    store.subscribe((state, before) => {
      if (state.sheet !== before.sheet || state.photo !== before.photo) this.#lay();
      else if (
        state.results !== before.results ||
        state.history.present !== before.history.present
      ) {
        this.#markWaiting();
      }
      if (state.selected !== before.selected) this.#mark();
    });
    this.#lay();
  }

  /** Show the grey photo in every tile that has no colour yet. @param {ImageBitmap} grey */
  showGrey(grey) {
    const state = this.store.state();
    this.#tiles.forEach(({ canvas }, index) => {
      if (!this.prints.small(wordAt(state, index))) drawSmall(canvas, grey, SIDE);
    });
  }

  #lay() {
    const { sheet, photo } = this.store.state();
    while (this.#tiles.length < sheet.length) {
      const tile = this.#makeTile(this.#tiles.length);
      this.#tiles.push(tile);
      this.#sheet.append(tile.box);
    }
    for (const { box } of this.#tiles.splice(sheet.length)) box.remove();
    const ratio = photo ? photo.size[0] / photo.size[1] : 4 / 3;
    document.body.style.setProperty("--ratio", Math.min(Math.max(ratio, 0.75), 1.8).toFixed(3));
    const narrow = ratio < 1 || sheet.length > 6;
    this.#sheet.style.setProperty("--columns", narrow ? "3" : "2");
    this.#sheet.style.setProperty("--star", narrow ? "28px" : "44px");
    element("count", HTMLOutputElement).value = String(sheet.length);
    sheet.forEach(({ star }, index) => {
      press(this.#tiles[index].star, star);
      this.#draw(index);
    });
    this.#markWaiting();
    this.#mark();
  }

  /** @param {number} index */
  #draw(index) {
    const small = this.prints.small(wordAt(this.store.state(), index));
    const tile = this.#tiles[index];
    if (small && tile) drawSmall(tile.canvas, small.bitmap, SIDE);
    else if (tile) tile.canvas.width = 1;
    this.#markWaiting();
  }

  #markWaiting() {
    const state = this.store.state();
    let waiting = 0;
    this.#tiles.forEach(({ box }, index) => {
      const result = resultAt(state, index);
      const small = this.prints.small(wordAt(state, index));
      const ready = result !== null && small?.result === result;
      const waits = !ready || result.edits !== state.history.present;
      if (waits) waiting++;
      box.toggleAttribute("data-waiting", waits);
      box.toggleAttribute("data-empty", !small);
    });
    if (waiting === 0 && state.photo) this.onReady();
  }

  #mark() {
    const { selected } = this.store.state();
    this.#tiles.forEach(({ choice }, index) => {
      press(choice, index === selected);
    });
    if (document.body.dataset.state === "open") {
      this.#tiles[selected]?.box.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  /** @param {number | null} index */
  #peek(index) {
    clearTimeout(this.#rest);
    const { peek, compare } = this.store.state();
    if (index === null) {
      if (peek !== null) this.store.dispatch({ type: "sample-peeked", index: null });
    } else if (!compare) {
      this.#rest = setTimeout(() => {
        if (resultAt(this.store.state(), index)) {
          this.store.dispatch({ type: "sample-peeked", index });
        }
      }, REST);
    }
  }

  /** @param {number} index */
  #makeTile(index) {
    const number = index + 1;
    const canvas = make("canvas");
    const badge = make("span", { class: "number" }, String(number));
    const name = say(WORDS.sample, { number });
    const choose = (/** @type {MouseEvent} */ event) => {
      if (this.store.state().tool === "pick" && event.detail > 0) {
        const color = colorAt(canvas, ...pixelUnder(canvas, event));
        this.store.dispatch({ type: "color-chosen", color });
      } else this.store.dispatch({ type: "sample-chosen", index });
    };
    const choice = makeButton({ class: "choice", "aria-label": name }, choose, canvas, badge);
    const starName = say(WORDS.star, { number });
    const star = makeButton(
      { class: "star", "aria-label": starName, title: starName },
      () => this.store.dispatch({ type: "sample-starred", index }),
      makeIcon("star"),
    );
    choice.addEventListener("keydown", (event) => this.#move(event, index));
    choice.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.#peek(index);
    });
    const box = make("div", { class: "tile", "data-waiting": "" }, choice, star);
    return { box, canvas, choice, star };
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #move(event, index) {
    const [x, y] = ARROWS[event.key] ?? [0, 0];
    const by = x + y;
    const next = this.#tiles[index + by];
    if (!by || !next) return;
    event.preventDefault();
    next.choice.focus();
    this.store.dispatch({ type: "sample-chosen", index: index + by });
  }
}
