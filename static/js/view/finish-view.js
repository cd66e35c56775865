/**
 * Finishing: the sliders on the result, and the download menu.
 *
 * @typedef {import("./stage-view.js").Store} Store
 * @typedef {import("../core/tone.js").Tone} Tone
 */

import { PLAIN_TONE } from "../core/tone.js";
import { say, WORDS } from "../words.js";
import { button, element } from "./elements.js";

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
    button("tone-reset").addEventListener("click", () =>
      store.dispatch({ type: "tone-chosen", tone: PLAIN_TONE }),
    );
    const mark = element("mark", HTMLInputElement);
    mark.addEventListener("change", () =>
      store.dispatch({ type: "mark-chosen", mark: mark.checked }),
    );
    const menu = element("save-menu");
    const choose = (/** @type {string} */ id, /** @type {() => void} */ act) =>
      button(id).addEventListener("click", () => {
        menu.hidePopover();
        act();
      });
    for (const entry of menu.querySelectorAll("[data-format]")) {
      entry.addEventListener("click", () => {
        menu.hidePopover();
        wishes.save(entry.getAttribute("data-format") ?? "png", false);
      });
    }
    choose("save-layer", () => wishes.save("png", true));
    choose("save-stars", wishes.saveStars);
    choose("save-edits", wishes.saveEdits);
    const file = element("edits-file", HTMLInputElement);
    choose("load-edits", () => file.click());
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (chosen) wishes.openEdits(chosen);
    });
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
