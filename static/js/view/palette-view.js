/**
 * The colour tray: the colour in hand, the disc of what can exist, suggestions, everyday and recent
 * colours, brush size and strength.
 *
 * @import { Point, Store, Suggestion } from "../core/types.js"
 */

import { ApiError, fetchJson, placeQuery } from "../api.js";
import { colorAtLightness } from "../core/gamut.js";
import { largestBrush, MIN_BRUSH } from "../core/reduce-view.js";
import { say, WORDS } from "../words.js";
import { element, make, makeButton, press } from "./elements.js";
import { Picker } from "./picker.js";

const SUGGEST = matchMedia("(hover: hover)").matches ? WORDS.suggest : WORDS.suggest_touch;

export class PaletteView {
  #tray = element("tray-color");
  #input = element("color", HTMLInputElement);
  #wish = element("wish");
  #here = element("here");
  #dot = element("palette-dot");
  #suggested = element("suggested");
  #recent = element("recent");
  #size = element("size", HTMLInputElement);
  #sizeOut = element("size-out", HTMLOutputElement);
  #strength = element("strength", HTMLInputElement);
  #strengthOut = element("strength-out", HTMLOutputElement);
  #picker;
  #asking = new AbortController();
  #light = 60;

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.#picker = new Picker((color) => this.#choose(color));
    const everyday = element("everyday");
    everyday.append(...WORDS.everyday.map(([name, color]) => this.#swatch(name, color)));
    this.#hint(SUGGEST);
    this.#input.addEventListener("input", () => this.#choose(this.#input.value));
    this.#size.addEventListener("input", () =>
      store.dispatch({ type: "brush-sized", brush: this.#fromSlider(Number(this.#size.value)) }),
    );
    this.#strength.addEventListener("input", () =>
      store.dispatch({ type: "strength-chosen", strength: Number(this.#strength.value) / 100 }),
    );
    store.subscribe((state, before) => {
      if (state.color !== before.color) this.#showColor();
      if (state.brush !== before.brush || state.photo !== before.photo) this.#showBrush();
      if (state.strength !== before.strength) this.#showStrength();
      if (state.recent !== before.recent) this.#showRecent();
      if (state.photo !== before.photo) this.#hint(SUGGEST);
    });
    this.#showColor();
    this.#showStrength();
  }

  /** The lightness that colours are wanted at. @param {number | null} light  null: outside the photo */
  showLight(light) {
    if (light !== null) this.#light = light;
    this.#here.style.setProperty(
      "--chip",
      light === null ? "transparent" : colorAtLightness(this.store.state().color, light),
    );
  }

  /**
   * Ask for colours that suit a place, and turn the disc to its lightness; only the latest question
   * counts.
   *
   * @param {Point} place
   */
  async suggestAt(place) {
    const { photo, colorization, line } = this.store.state();
    const query = placeQuery(this.store.state(), place);
    this.#asking.abort();
    if (!photo || line || !query) return;
    this.#picker.show(this.store.state().color, this.#light);
    if (!colorization) return;
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      /** @type {{ colors: Suggestion[] }} */
      const { colors } = await fetchJson(photo.palette, query, signal);
      if (signal.aborted) return;
      if (colors.length === 0) this.#hint(WORDS.suggest_none);
      else {
        this.#suggested.replaceChildren(
          ...colors
            .slice(0, 6)
            .map(({ color, share }) =>
              this.#swatch(say(WORDS.likely, { percent: Math.round(100 * share) }), color),
            ),
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

  #showColor() {
    const { color } = this.store.state();
    this.#input.value = color;
    this.#dot.style.setProperty("--chip", color);
    this.#wish.style.setProperty("--chip", color);
    this.showLight(this.#light);
    this.#picker.show(color, this.#light);
    for (const swatch of this.#tray.querySelectorAll(".swatch")) {
      const same = swatch instanceof HTMLElement && swatch.dataset.color === color;
      press(swatch, same);
    }
  }

  #showRecent() {
    const { recent } = this.store.state();
    element("recent-box").hidden = recent.length === 0;
    this.#recent.replaceChildren(...recent.map((color) => this.#swatch(color, color)));
    this.#showColor();
  }

  #showBrush() {
    const { brush, photo } = this.store.state();
    if (!photo) return;
    const range = Math.log(largestBrush(photo) / MIN_BRUSH);
    this.#size.value = String(Math.round((100 * Math.log(brush / MIN_BRUSH)) / range));
    const text = say(WORDS.pixels, { value: Math.round(brush) });
    this.#size.setAttribute("aria-valuetext", text);
    this.#sizeOut.value = text;
  }

  #showStrength() {
    const value = Math.round(100 * this.store.state().strength);
    this.#strength.value = String(value);
    this.#strengthOut.value = say(WORDS.percent, { value });
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

  /** @param {string} name @param {string} color */
  #swatch(name, color) {
    const chip = make("i");
    chip.style.setProperty("--chip", color);
    const about = { class: "swatch", title: name, "aria-label": name, "data-color": color };
    return makeButton(about, () => this.#choose(color), chip);
  }
}
