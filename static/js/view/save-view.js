/** Saving: the chosen colouring at the photo's own size, and the strokes as an edit file. */

import { button, element } from "./elements.js";

/**
 * @param {{
 *   save: (format: string) => void,
 *   saveEdits: () => void,
 *   openEdits: (file: File) => void,
 * }} wishes
 */
export function watchSaveMenu(wishes) {
  const menu = element("save-menu", HTMLElement);
  const file = element("edits-file", HTMLInputElement);
  for (const choice of menu.querySelectorAll("button")) {
    choice.addEventListener("click", () => {
      menu.hidePopover();
      if (choice.dataset.format) wishes.save(choice.dataset.format);
    });
  }
  button("save-edits").addEventListener("click", () => wishes.saveEdits());
  button("load-edits").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (chosen) wishes.openEdits(chosen);
  });
}

/**
 * Hand a file to the browser's downloads.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address after this turn; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
