/**
 * The last step of every colouring, off the main thread: colour field + L → pixels.
 *
 * Keeps what a photo fixes (guides at two sizes), the strokes laid so far, and the lines of the
 * latest colourings, so that sliders and zoom repeat the last multiplication alone.
 *
 * @import { Guide, Ink, Job, Layer, Lines, Order, Part } from "./core/join/types.js"
 * @import { Field } from "./core/types.js"
 */

import { makeGuide } from "./core/join/guide.js";
import { addInk, applyLayer, copyLayer, emptyLayer } from "./core/join/paint.js";
import { GREY_LIGHT, joinLines, joinPlanes } from "./core/join/pixels.js";
import { localLines, spreadField } from "./core/join/spread.js";

const SMALL_PIXELS = 36_000;
const DRAFT_PIXELS = 90_000;
const MIDDLE_PIXELS = 300_000;
const KEPT_LINES = 4;

/** @type {ImageBitmap | null} */
let grey = null;
/** @type {readonly [number, number]} */
let size = [1, 1];
/** @type {Map<string, { guide: Guide, whole: Layer, before: Layer }>} */
const benches = new Map();
/** @type {Map<string, { lines: Lines, guide: Guide }>} */
const kept = new Map();
let lightKey = "";
/** @type {Uint8ClampedArray} */
let lightPart = new Uint8ClampedArray(0);

self.addEventListener("message", (/** @type {MessageEvent<Order>} */ event) => {
  const order = event.data;
  if (order.type === "grey") {
    grey = order.bitmap;
    lightKey = "";
    size = order.size;
    if (order.fresh) {
      benches.clear();
      kept.clear();
    }
    return;
  }
  const { number, job } = order;
  const pixels = job.part ? sharp(job, job.part) : small(job);
  const image = new ImageData(pixels.data, pixels.width, pixels.height);
  createImageBitmap(image).then((bitmap) =>
    self.postMessage({ number, bitmap }, { transfer: [bitmap] }),
  );
});

/** @param {Job} job */
function small(job) {
  const bench = benchFor(SMALL_PIXELS, job.field);
  const colors = spreadField(bench.guide, job.field);
  applyLayer(layerFor(bench, job.inks), colors);
  const { light, width, height } = bench.guide;
  return { data: joinPlanes(light, colors, job.tone), width, height };
}

/** @param {Job} job @param {Part} part */
function sharp(job, part) {
  let entry = kept.get(job.key);
  if (!entry) {
    const bench = benchFor(job.draft ? DRAFT_PIXELS : MIDDLE_PIXELS, job.field);
    const colors = spreadField(bench.guide, job.field);
    applyLayer(layerFor(bench, job.inks), colors);
    entry = { lines: localLines(bench.guide, colors), guide: bench.guide };
    kept.set(job.key, entry);
    for (const old of kept.keys()) {
      if (kept.size <= KEPT_LINES) break;
      kept.delete(old);
    }
  }
  const { width, height } = job;
  const key = `${part} ${width} ${height}`;
  if (key !== lightKey) {
    lightPart = greyPixels(part, width, height);
    lightKey = key;
  }
  const source = { lines: entry.lines, width: entry.guide.width, height: entry.guide.height };
  return { data: joinLines(lightPart, width, height, source, part, job.tone), width, height };
}

/** @param {number} pixels @param {Field} field */
function benchFor(pixels, field) {
  const key = `${pixels} ${field.width} ${field.height}`;
  let bench = benches.get(key);
  if (!bench) {
    const scale = Math.min(1, Math.sqrt(pixels / (size[0] * size[1])));
    const width = Math.max(1, Math.round(size[0] * scale));
    const height = Math.max(1, Math.round(size[1] * scale));
    const data = greyPixels([0, 0, 1, 1], width, height);
    const light = Float32Array.from({ length: width * height }, (_, k) => GREY_LIGHT[data[4 * k]]);
    const guide = makeGuide(light, width, height, field.width, field.height);
    const empty = emptyLayer(light, width, height, width / size[0]);
    bench = { guide, whole: empty, before: empty };
    benches.set(key, bench);
  }
  return bench;
}

/**
 * The layer with exactly these strokes; the one drawn last is put over a copy of those before it.
 *
 * @param {{ guide: Guide, whole: Layer, before: Layer }} bench
 * @param {readonly Ink[]} inks
 */
function layerFor(bench, inks) {
  if (isSame(bench.whole, inks, inks.length)) return bench.whole;
  if (inks.length === 0) {
    const { light, width, height } = bench.guide;
    bench.whole = emptyLayer(light, width, height, width / size[0]);
    return bench.whole;
  }
  const rest = inks.length - 1;
  if (isSame(bench.whole, inks, rest)) bench.before = bench.whole;
  else if (!isSame(bench.before, inks, rest)) {
    const { light, width, height } = bench.guide;
    bench.before = emptyLayer(light, width, height, width / size[0]);
    for (const ink of inks.slice(0, rest)) addInk(bench.before, ink);
  }
  bench.whole = copyLayer(bench.before);
  addInk(bench.whole, inks[rest]);
  return bench.whole;
}

/** @param {Layer} layer @param {readonly Ink[]} inks @param {number} count */
function isSame(layer, inks, count) {
  return layer.inks.length === count && layer.inks.every((ink, k) => ink.id === inks[k].id);
}

/** @param {Part} part @param {number} width @param {number} height */
function greyPixels(part, width, height) {
  if (!grey) throw new Error("expected the grey photo before a job, got none");
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser has no 2D canvas.");
  context.imageSmoothingQuality = "high";
  const [left, top, right, bottom] = part;
  context.drawImage(
    grey,
    left * grey.width,
    top * grey.height,
    (right - left) * grey.width,
    (bottom - top) * grey.height,
    0,
    0,
    width,
    height,
  );
  return context.getImageData(0, 0, width, height).data;
}
