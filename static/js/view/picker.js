/** The disc of colours that exist at one lightness: hue around, chroma outwards. */

import { hexToRgb, labToRgb, rgbToHex, rgbToLab } from "../core/color.js";
import { clipToGamut } from "../core/gamut.js";
import { say, WORDS } from "../words.js";
import { ARROWS, context2d, element, onDrag, pixelUnder } from "./elements.js";

/** ab at the rim of the disc. */
const REACH = 100;

export class Picker {
  #canvas = element("picker", HTMLCanvasElement);
  #text = element("picker-text");
  /** @type {ImageData | null} */
  #disc = null;
  #light = -1;
  /** @type {[number, number]} */
  #ab = [0, 0];

  /** @param {(color: string) => void} onColor */
  constructor(onColor) {
    this.onColor = onColor;
    const canvas = this.#canvas;
    const follow = (/** @type {PointerEvent} */ event) => {
      const [x, y] = pixelUnder(canvas, event);
      this.#take(((2 * x) / canvas.width - 1) * REACH, (1 - (2 * y) / canvas.height) * REACH);
    };
    canvas.addEventListener("pointerdown", follow);
    onDrag(canvas, follow);
    canvas.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      const step = event.shiftKey ? 1 : 5;
      this.#take(this.#ab[0] + arrow[0] * step, this.#ab[1] - arrow[1] * step);
    });
  }

  /** @param {string} color  the wish @param {number} light  L, 0 to 100 */
  show(color, light) {
    const [, a, b] = rgbToLab(hexToRgb(color));
    this.#ab = clipToGamut(light, a, b);
    if (Math.abs(light - this.#light) > 1.5) {
      this.#light = light;
      this.#disc = this.#paint(light);
      this.#text.textContent = say(WORDS.picker_text, { light: Math.round(light) });
    }
    this.#draw();
  }

  /** @param {number} a @param {number} b */
  #take(a, b) {
    const ab = clipToGamut(this.#light, a, b);
    this.onColor(rgbToHex(labToRgb([this.#light, ab[0], ab[1]])));
  }

  /** @param {number} light */
  #paint(light) {
    const { width, height } = this.#canvas;
    const disc = new ImageData(width, height);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 4) {
        const a = (2 * (x + 0.5)) / width - 1;
        const b = 1 - (2 * (y + 0.5)) / height;
        const rgb = labToRgb([light, a * REACH, b * REACH]);
        const off = Math.max(...rgb.map((value) => Math.max(-value, value - 255)));
        if (off > 1) continue;
        disc.data.set(rgb, at);
        disc.data[at + 3] = 255;
      }
    }
    return disc;
  }

  #draw() {
    const context = context2d(this.#canvas);
    const { width, height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    if (this.#disc) context.putImageData(this.#disc, 0, 0);
    const x = ((this.#ab[0] / REACH + 1) / 2) * width;
    const y = ((1 - this.#ab[1] / REACH) / 2) * height;
    for (const [ink, radius] of /** @type {[string, number][]} */ ([
      ["#000", 7],
      ["#fff", 5.5],
    ])) {
      context.strokeStyle = ink;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
