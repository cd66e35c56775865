/**
 * Finishing: the sliders on the result, and the download menu.
 *
 * @import { Store, Tone } from "../core/types.js"
 */

import { PLAIN_TONE } from "../core/tone.js";
import { say, WORDS } from "../words.js";
import { button, element, fileInput, onClick } from "./elements.js";

/** @type {[string, keyof Tone][]} */
const SLIDERS = [
  ["saturation", "saturation"],
  ["warmth", "warmth"],
  ["tone-strength", "strength"],
];

export class FinishView {
  /**
   * @param {Store} store
   * @param {{
   *   save: (format: string, layer: boolean) => void, saveStars: () => void,
   *   saveEdits: () => void, openEdits: (file: File) => void,
   * }} wishes
   */
  constructor(store, wishes) {
    this.store = store;
    for (const [id, name] of SLIDERS) {
      const slider = element(id, HTMLInputElement);
      slider.addEventListener("input", () =>
        store.dispatch({
          type: "tone-chosen",
          tone: { ...store.state().tone, [name]: Number(slider.value) / 100 },
        }),
      );
    }
    onClick("tone-reset", () => store.dispatch({ type: "tone-chosen", tone: PLAIN_TONE }));
    const mark = element("mark", HTMLInputElement);
    mark.addEventListener("change", () =>
      store.dispatch({ type: "mark-chosen", mark: mark.checked }),
    );
    const menu = element("save-menu");
    for (const entry of menu.querySelectorAll("button")) {
      entry.addEventListener("click", () => menu.hidePopover());
      const { format } = entry.dataset;
      if (format) entry.addEventListener("click", () => wishes.save(format, false));
    }
    onClick("save-layer", () => wishes.save("png", true));
    onClick("save-stars", wishes.saveStars);
    onClick("save-edits", wishes.saveEdits);
    const file = fileInput("edits-file", ([chosen]) => wishes.openEdits(chosen));
    onClick("load-edits", () => file.click());
    store.subscribe(() => this.#show());
    this.#show();
  }

  #show() {
    const state = this.store.state();
    for (const [id, name] of SLIDERS) {
      const value = Math.round(100 * state.tone[name]);
      element(id, HTMLInputElement).value = String(value);
      const sign = name === "warmth" && value > 0 ? "+" : "";
      element(`${id}-out`, HTMLOutputElement).value =
        name === "warmth" ? `${sign}${value}` : say(WORDS.percent, { value });
    }
    element("mark", HTMLInputElement).checked = state.mark;
    button("save").disabled = !state.colorization;
    button("save-stars").disabled = !state.sheet.some(({ star }) => star);
    element("save-title").textContent = say(WORDS.save_title, {
      number: state.selected + 1,
    });
  }
}
