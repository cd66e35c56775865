/**
 * Bringing a photo: drop, choose, paste, or an example.
 *
 * @import { Example, Kept } from "../core/types.js"
 */

import { element, fileInput, make, makeButton, onClick } from "./elements.js";

export class StartView {
  #veil = element("drop-veil");
  #list = element("examples");
  #depth = 0;

  /**
   * @param {{
   *   open: (sources: readonly (Blob | string)[]) => void,
   *   openEdits: (file: File) => void,
   *   refuse: () => void,
   * }} wishes
   */
  constructor(wishes) {
    this.wishes = wishes;
    const file = fileInput("file", wishes.open);
    for (const id of ["choose", "open-other"]) {
      onClick(id, () => file.click());
    }
    addEventListener("dragenter", (event) => this.#drag(event, 1));
    addEventListener("dragleave", (event) => this.#drag(event, -1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => this.#drop(event));
    addEventListener("paste", (event) => this.#paste(event));
  }

  /** @param {readonly Example[]} examples */
  showExamples(examples) {
    this.#list.replaceChildren(...examples.map((example) => this.#example(example)));
  }

  /**
   * Offer what other tabs left behind.
   *
   * @param {readonly Kept[]} left
   * @param {(kept: Kept) => void} open
   */
  showLeft(left, open) {
    element("left-off").hidden = left.length === 0;
    element("left-off-list").replaceChildren(
      ...left.map((kept) => {
        const name = kept.work.photo?.name ?? kept.name;
        return make(
          "li",
          {},
          makeButton({ class: "button" }, () => open(kept), name),
        );
      }),
    );
  }

  /** @param {Example} example */
  #example(example) {
    const image = make("img", {
      src: example.thumbnail,
      alt: "",
      width: "240",
      height: "180",
      loading: "lazy",
      decoding: "async",
    });
    const credit = make("small", { title: example.credit }, example.credit);
    const choice = makeButton(
      { class: "example", "data-example": example.name },
      () => this.wishes.open([example.name]),
      image,
      make("span", {}, example.title, credit),
    );
    return make("li", {}, choice);
  }

  /** @param {DragEvent} event @param {1 | -1} change */
  #drag(event, change) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.#depth = Math.max(0, this.#depth + change);
    this.#veil.hidden = this.#depth === 0;
  }

  /** @param {DragEvent} event */
  #drop(event) {
    event.preventDefault();
    this.#depth = 0;
    this.#veil.hidden = true;
    this.#take(event.dataTransfer?.files);
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    if ((event.clipboardData?.files.length ?? 0) === 0) return;
    event.preventDefault();
    this.#take(event.clipboardData?.files);
  }

  /** @param {FileList | undefined} files */
  #take(files) {
    const all = [...(files ?? [])];
    const edits = all.find(({ name }) => /\.json$/i.test(name));
    const photos = all.filter((file) => file !== edits);
    if (all.length === 0) this.wishes.refuse();
    if (photos.length > 0) this.wishes.open(photos);
    else if (edits) this.wishes.openEdits(edits);
  }
}
