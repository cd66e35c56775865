/**
 * Two pictures compared: split by a divider, side by side with joint zoom, or flipped by a key.
 *
 * @typedef {import("./stage-view.js").Store} Store
 * @typedef {import("../core/state.js").CompareMode} CompareMode
 */

import { say, WORDS } from "../words.js";
import { button, element, make, press } from "./elements.js";

export class CompareView {
  #bar = element("compare-bar");
  #divider = element("divider");
  #other = element("compare-other", HTMLSelectElement);

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    button("compare").addEventListener("click", () => this.toggle());
    for (const mode of this.#modes()) {
      const name = /** @type {CompareMode} */ (mode.dataset.mode);
      mode.addEventListener("click", () => this.#change({ mode: name }));
      if (name !== "flip") continue;
      const flip = (/** @type {boolean} */ flipped) => store.dispatch({ type: "flipped", flipped });
      mode.addEventListener("pointerdown", () => {
        this.#change({ mode: "flip" });
        flip(true);
      });
      for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
        mode.addEventListener(end, () => flip(false));
      }
    }
    this.#other.addEventListener("change", () =>
      this.#change({ other: Number(this.#other.value) }),
    );
    this.#divider.addEventListener("pointerdown", (event) => {
      this.#divider.setPointerCapture(event.pointerId);
    });
    this.#divider.addEventListener("pointermove", (event) => {
      if (!this.#divider.hasPointerCapture(event.pointerId)) return;
      const box = element("stage").getBoundingClientRect();
      this.#slide((event.clientX - box.left) / box.width);
    });
    this.#divider.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      const { compare } = store.state();
      if (!by || !compare) return;
      event.preventDefault();
      this.#slide(compare.at + by);
    });
    store.subscribe((state, before) => {
      if (state.compare !== before.compare || state.sheet !== before.sheet) this.#show();
    });
  }

  toggle() {
    const { compare, selected } = this.store.state();
    // The grey photo is what a person compares with first, unless a favourite asks for it.
    const star = this.store.state().sheet.findIndex(({ star: is }, k) => is && k !== selected);
    this.store.dispatch({
      type: "compared",
      compare: compare ? null : { mode: "split", other: star, at: 0.5 },
    });
  }

  /** @param {Partial<NonNullable<import("../core/state.js").State["compare"]>>} change */
  #change(change) {
    const { compare } = this.store.state();
    if (compare) this.store.dispatch({ type: "compared", compare: { ...compare, ...change } });
  }

  /** @param {number} at */
  #slide(at) {
    this.#change({ at: Math.min(Math.max(at, 0.02), 0.98) });
  }

  #modes() {
    return /** @type {HTMLButtonElement[]} */ ([...this.#bar.querySelectorAll("button")]);
  }

  #show() {
    const { compare, sheet } = this.store.state();
    press("compare", compare !== null);
    this.#bar.hidden = compare === null;
    this.#divider.hidden = compare?.mode !== "split";
    if (!compare) return;
    for (const mode of this.#modes()) {
      mode.setAttribute("aria-pressed", String(mode.dataset.mode === compare.mode));
    }
    this.#divider.style.left = `${100 * compare.at}%`;
    this.#divider.setAttribute("aria-valuenow", String(Math.round(100 * compare.at)));
    this.#other.replaceChildren(
      make("option", { value: "-1" }, WORDS.grey_photo),
      ...sheet.map((_, k) =>
        make("option", { value: String(k) }, say(WORDS.sample, { number: k + 1 })),
      ),
    );
    this.#other.value = String(compare.other);
  }
}
