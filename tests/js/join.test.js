import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readField } from "../../static/js/core/join/field.js";
import { areaMeans, makeGuide } from "../../static/js/core/join/guide.js";
import { addInk, applyLayer, copyLayer, emptyLayer } from "../../static/js/core/join/paint.js";
import { GREY_LIGHT, joinLines, joinPlanes } from "../../static/js/core/join/pixels.js";
import { localLines, spreadField } from "../../static/js/core/join/spread.js";
import { PLAIN_TONE } from "../../static/js/core/tone.js";

// A real photo at 72 × 56 and a field of 16 × 12, taken through huefield.upsample, painting, tone
// and lab; the page has to show what a download will be.
const values = JSON.parse(readFileSync(new URL("join-values.json", import.meta.url), "utf8"));
const { width, height } = values;
const bytes = (/** @type {string} */ text) => Uint8Array.from(Buffer.from(text, "base64"));
const floats = (/** @type {string} */ text) => new Float32Array(bytes(text).buffer);
const grey = bytes(values.grey);
const light = Float32Array.from(grey, (value) => GREY_LIGHT[value]);
const field = readField(values.field);
const guide = makeGuide(light, width, height, field.width, field.height);
const TONE = { saturation: 1.4, warmth: 0.5, strength: 0.8 };

function painted() {
  const colors = spreadField(guide, field);
  const layer = emptyLayer(light, width, height, width / 720);
  for (const stroke of values.strokes) addInk(layer, stroke);
  applyLayer(layer, colors);
  return colors;
}

/** Mean and largest distance in ab. */
function distances(
  /** @type {{ a: Float32Array, b: Float32Array }} */ colors,
  /** @type {Float32Array} */ wanted,
) {
  const apart = Array.from(colors.a, (a, k) =>
    Math.hypot(a - wanted[2 * k], colors.b[k] - wanted[2 * k + 1]),
  );
  return { mean: apart.reduce((sum, value) => sum + value) / apart.length, apart };
}

test("a field spreads as the library spreads it", () => {
  const { mean, apart } = distances(spreadField(guide, field), floats(values.ab));
  assert.ok(mean < 0.8, `mean ${mean}`);
  assert.ok(apart.filter((value) => value > 4).length < 0.01 * apart.length);
  const plain = { a: new Float32Array(width * height), b: new Float32Array(width * height) };
  assert.ok(distances(plain, floats(values.ab)).mean > 10);
});

test("painted strokes show and fade as the library paints them", () => {
  const { mean, apart } = distances(painted(), floats(values.painted));
  assert.ok(mean < 1.1, `mean ${mean}`);
  assert.ok(apart.filter((value) => value > 12).length < 0.02 * apart.length);
  assert.ok(distances(spreadField(guide, field), floats(values.painted)).mean > 2);
});

test("sliders, gamut and sRGB come out as the library renders them", () => {
  const rgba = joinPlanes(light, painted(), TONE);
  const wanted = bytes(values.rgb);
  let sum = 0;
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) sum += Math.abs(rgba[4 * k + c] - wanted[3 * k + c]);
    assert.equal(rgba[4 * k + 3], 255);
  }
  assert.ok(sum / wanted.length < 1.6, `mean ${sum / wanted.length}`);
});

test("without colour the photo is the grey one", () => {
  const rgba = joinPlanes(light, painted(), { ...PLAIN_TONE, strength: 0 });
  for (let k = 0; k < grey.length; k++) {
    for (let c = 0; c < 3; c++) assert.ok(Math.abs(rgba[4 * k + c] - grey[k]) <= 1);
  }
});

test("lines of colour give the same picture at the guide's own size, and parts of it", () => {
  const colors = painted();
  const lines = localLines(guide, colors);
  const whole = new Uint8ClampedArray(4 * grey.length);
  for (let k = 0; k < grey.length; k++) whole.fill(grey[k], 4 * k, 4 * k + 3);
  const source = { lines, width, height };
  const rgba = joinLines(whole, width, height, source, [0, 0, 1, 1], PLAIN_TONE);
  const direct = joinPlanes(light, colors, PLAIN_TONE);
  const apart = rgba.reduce((sum, value, k) => sum + Math.abs(value - direct[k]), 0) / rgba.length;
  assert.ok(apart < 4, `mean ${apart}`);
  const [w, h] = [width / 2, height / 2];
  const quarter = new Uint8ClampedArray(4 * w * h);
  for (let y = 0; y < h; y++) {
    const from = 4 * (y * width + w);
    quarter.set(whole.subarray(from, from + 4 * w), 4 * y * w);
  }
  const part = joinLines(quarter, w, h, source, [0.5, 0, 1, 0.5], PLAIN_TONE);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < 4 * w; x++) {
      assert.ok(Math.abs(part[4 * y * w + x] - rgba[4 * (y * width + w) + x]) <= 1);
    }
  }
});

test("a stroke put over a copy leaves the layer below as it was", () => {
  const below = emptyLayer(light, width, height, width / 720);
  addInk(below, values.strokes[0]);
  const before = below.opacity.slice();
  const above = copyLayer(below);
  addInk(above, values.strokes[1]);
  assert.deepEqual(below.opacity, before);
  assert.equal(below.inks.length, 1);
  assert.notDeepEqual(above.opacity, before);
});

test("area means keep the sum, also where cells cut pixels", () => {
  const cells = areaMeans(Float32Array.from([1, 2, 3, 4, 5]), 5, 1, 2, 1);
  assert.ok(Math.abs(cells[0] - (1 + 2 + 1.5) / 2.5) < 1e-6);
  assert.ok(Math.abs(cells[1] - (1.5 + 4 + 5) / 2.5) < 1e-6);
});

test("a field of another size or length is refused with both named", () => {
  assert.throws(() => readField({ grid: [3, 3], steps: 200, ab: "AAAA" }), /36 bytes.*got 3/);
  const small = { width: 2, height: 2, ab: new Float32Array(8) };
  assert.throws(() => spreadField(guide, small), /16 × 12 cells, got 2 × 2/);
});
