/**
 * The colour panel: the colour in hand, suggestions for a place, everyday colours, brush size.
 *
 * @typedef {import("./stage-view.js").Store} Store
 */

import { ApiError, fetchPalette } from "../api.js";
import { largestBrush } from "../core/studio.js";
import { EVERYDAY, WORDS } from "../words.js";
import { button, element, make } from "./elements.js";

const MIN_BRUSH = 2;
const SUGGEST = matchMedia("(hover: hover)").matches ? WORDS.suggest : WORDS.suggestTouch;

export class PaletteView {
  #panel = element("palette", HTMLElement);
  #input = element("color", HTMLInputElement);
  #here = element("here", HTMLElement);
  #dot = element("palette-dot", HTMLElement);
  #suggested = element("suggested", HTMLElement);
  #everyday = element("everyday", HTMLElement);
  #size = element("size", HTMLInputElement);
  #sizeOut = element("size-out", HTMLOutputElement);
  #toggle = button("palette-toggle");
  #asking = new AbortController();

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.#everyday.append(...EVERYDAY.map(({ name, color }) => this.#swatch(name, color)));
    this.#hint(SUGGEST);
    this.#input.addEventListener("input", () => this.#choose(this.#input.value));
    this.#size.addEventListener("input", () =>
      store.dispatch({ type: "brush-sized", brush: this.#fromSlider(Number(this.#size.value)) }),
    );
    this.#toggle.addEventListener("click", () => this.#open(!("open" in this.#panel.dataset)));
    button("palette-close").addEventListener("click", () => this.#open(false));
    element("stage", HTMLElement).addEventListener("pointerdown", () => this.#open(false));
    store.subscribe((state, before) => {
      if (state.color !== before.color) this.#showColor();
      if (state.brush !== before.brush || state.photo !== before.photo) this.#showBrush();
      if (state.photo !== before.photo) this.#hint(SUGGEST);
    });
    this.#showColor();
  }

  /** What the colour becomes under the pointer; null when it is not on the photo. @param {string | null} color */
  showHere(color) {
    this.#here.style.setProperty("--chip", color ?? "transparent");
  }

  /**
   * Ask for colours that suit a place; only the latest question counts.
   *
   * @param {import("../core/edits.js").Point} place
   */
  async suggestAt(place) {
    const { photo, model, colorization, line } = this.store.state();
    this.#asking.abort();
    if (!photo || !colorization || line) return;
    if (!(place[0] >= 0 && place[1] >= 0 && place[0] <= photo.size[0] && place[1] <= photo.size[1]))
      return;
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      const colors = await fetchPalette(photo, model, place, signal);
      if (signal.aborted) return;
      if (colors.length === 0) this.#hint(WORDS.suggestNone);
      else {
        this.#suggested.replaceChildren(
          ...colors
            .slice(0, 6)
            .map(({ color, share }) => this.#swatch(`${Math.round(100 * share)} % likely`, color)),
        );
      }
      this.#showColor();
    } catch (error) {
      // Suggestions are an extra: painting goes on without them.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** @param {string} color */
  #choose(color) {
    this.store.dispatch({ type: "color-chosen", color });
  }

  /** @param {boolean} open */
  #open(open) {
    this.#panel.toggleAttribute("data-open", open);
    this.#toggle.setAttribute("aria-expanded", String(open));
  }

  #showColor() {
    const { color } = this.store.state();
    this.#input.value = color;
    this.#dot.style.setProperty("--chip", color);
    for (const swatch of this.#panel.querySelectorAll(".swatch")) {
      const same = swatch instanceof HTMLElement && swatch.dataset.color === color;
      swatch.setAttribute("aria-pressed", String(same));
    }
  }

  #showBrush() {
    const { brush, photo } = this.store.state();
    if (!photo) return;
    const range = Math.log(largestBrush(photo) / MIN_BRUSH);
    this.#size.value = String(Math.round((100 * Math.log(brush / MIN_BRUSH)) / range));
    this.#size.setAttribute("aria-valuetext", WORDS.pixels(brush));
    this.#sizeOut.value = WORDS.pixels(brush);
  }

  /** @param {number} value  0 to 100 */
  #fromSlider(value) {
    const { photo } = this.store.state();
    const most = photo ? largestBrush(photo) : MIN_BRUSH;
    return MIN_BRUSH * (most / MIN_BRUSH) ** (value / 100);
  }

  /** @param {string} text */
  #hint(text) {
    this.#suggested.replaceChildren(make("p", { class: "hint" }, text));
  }

  /**
   * @param {string} name
   * @param {string} color
   */
  #swatch(name, color) {
    const chip = make("i");
    chip.style.setProperty("--chip", color);
    const swatch = make(
      "button",
      { type: "button", class: "swatch", title: name, "aria-label": name, "data-color": color },
      chip,
    );
    swatch.addEventListener("click", () => this.#choose(color));
    return swatch;
  }
}
