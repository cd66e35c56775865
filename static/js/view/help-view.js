/** The page of keys, and the three steps of a first visit. */

import { WORDS } from "../words.js";
import { button, element, onClick } from "./elements.js";

const SEEN = "huefield.tour";
const STEPS = [WORDS.tour_1, WORDS.tour_2, WORDS.tour_3];

export class HelpView {
  #page = element("help-page", HTMLDialogElement);
  #tour = element("tour");
  #step = 0;

  constructor() {
    onClick("help", () => this.open());
    onClick("help-close", () => this.#page.close());
    onClick("tour-skip", () => this.#end());
    onClick("tour-next", () => {
      if (++this.#step === STEPS.length) this.#end();
      else this.#show();
    });
  }

  open() {
    this.#page.showModal();
  }

  /** Begin the tour, once for a person. */
  welcome() {
    if (localStorage.getItem(SEEN)) return;
    this.#tour.hidden = false;
    this.#show();
  }

  #show() {
    element("tour-text").textContent = STEPS[this.#step];
    element("tour-step").textContent = `${this.#step + 1} / ${STEPS.length}`;
    const last = this.#step === STEPS.length - 1;
    button("tour-next").textContent = last ? WORDS.tour_done : WORDS.tour_next;
  }

  #end() {
    this.#tour.hidden = true;
    localStorage.setItem(SEEN, "1");
  }
}
