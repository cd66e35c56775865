/** Elements of the page by id, checked once; new ones; what canvases get and give. */

import { rgbToHex } from "../core/color.js";

/** Which way an arrow key goes: right and down. @type {Record<string, [number, number]>} */
export const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function element(id, kind = /** @type {any} */ (HTMLElement)) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return found;
}

/** @param {string} id */
export function button(id) {
  return element(id, HTMLButtonElement);
}

/** What a button does. @param {string} id @param {(event: MouseEvent) => void} act */
export function onClick(id, act) {
  button(id).addEventListener("click", act);
}

/** Moves of a pointer that went down on it. @param {HTMLElement} target @param {(event: PointerEvent) => void} act */
export function onDrag(target, act) {
  target.addEventListener("pointerdown", (event) => target.setPointerCapture(event.pointerId));
  target.addEventListener("pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) act(event);
  });
}

/** The file input of an id; the same files may be chosen again. @param {string} id @param {(files: File[]) => void} take */
export function fileInput(id, take) {
  const input = element(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length > 0) take(files);
  });
  return input;
}

/**
 * The pixel of a canvas under the pointer.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {MouseEvent} event
 * @returns {[number, number]}
 */
export function pixelUnder(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  return [x, ((event.clientY - box.top) / box.height) * canvas.height];
}

/**
 * A new element with text and attributes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * A new button.
 *
 * @param {Record<string, string>} attributes
 * @param {(event: MouseEvent) => void} act  when it is clicked
 * @param {(Node | string)[]} children
 */
export function makeButton(attributes, act, ...children) {
  const made = make("button", { type: "button", ...attributes }, ...children);
  made.addEventListener("click", act);
  return made;
}

/** An icon of the page's sprite. @param {string} name */
export function makeIcon(name) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  icon.append(use);
  return icon;
}

/** @param {string | Element} which  its id, or the button itself @param {boolean} pressed */
export function press(which, pressed) {
  const found = typeof which === "string" ? button(which) : which;
  found.setAttribute("aria-pressed", String(pressed));
}

/**
 * A picture on a canvas that takes its size, no side longer than `side`.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} picture
 * @param {number} side
 */
export function drawSmall(canvas, picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = context2d(canvas, true);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return context;
}

/**
 * The mean colour around a pixel of a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} x
 * @param {number} y
 */
export function colorAt(canvas, x, y) {
  const left = Math.min(Math.max(Math.floor(x) - 1, 0), canvas.width - 3);
  const top = Math.min(Math.max(Math.floor(y) - 1, 0), canvas.height - 3);
  const { data } = context2d(canvas, true).getImageData(left, top, 3, 3);
  const mean = [0, 0, 0];
  for (let k = 0; k < 36; k++) if (k % 4 < 3) mean[k % 4] += data[k] / 9;
  return rgbToHex(mean);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} [isRead]  whether its pixels are read often
 * @returns {CanvasRenderingContext2D}
 */
export function context2d(canvas, isRead = false) {
  const context = canvas.getContext("2d", { willReadFrequently: isRead });
  if (!context) throw new Error("This browser has no 2D canvas.");
  return context;
}
