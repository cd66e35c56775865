import assert from "node:assert/strict";
import { test } from "node:test";
import { hexToRgb, labToRgb, rgbToHex, rgbToLab } from "../../static/js/core/color.js";
import { colorAtLightness } from "../../static/js/core/gamut.js";

/** What scikit-image's rgb2lab (D65, 2°) gives. @type {[string, number[]][]} */
const references = [
  ["#000000", [0, 0, 0]],
  ["#ffffff", [100, -0.002, 0.005]],
  ["#808080", [53.585, -0.001, 0.003]],
  ["#c03028", [43.474, 56.04, 39.637]],
  ["#4f7a3a", [46.825, -27.525, 30.188]],
  ["#7aa9d6", [67.551, -3.995, -27.737]],
  ["#27386b", [24.705, 10.684, -31.909]],
  ["#d9bb3a", [76.436, -2.621, 65.427]],
  ["#010203", [0.51, -0.122, -0.47]],
];

for (const [hex, lab] of references) {
  test(`${hex} has the Lab values that scikit-image gives, and comes back`, () => {
    const own = rgbToLab(hexToRgb(hex));
    own.forEach((value, k) => {
      assert.ok(Math.abs(value - lab[k]) < 0.02, `${own} is not ${lab}`);
    });
    assert.equal(rgbToHex(labToRgb(own)), hex);
  });
}

/** What huefield.lab.clip_to_gamut gives. @type {[string, number, number[]][]} */
const clipped = [
  ["#c03028", 80, [255, 179.8, 165.8]],
  ["#c03028", 20, [104.8, 0, 2.5]],
  ["#27386b", 90, [221.9, 224.4, 255]],
  ["#4f7a3a", 50, [87, 130.2, 65.5]],
  ["#d9bb3a", 10, [34.1, 27, 0]],
  ["#808080", 33, [77.6, 77.6, 77.6]],
];

for (const [hex, lightness, rgb] of clipped) {
  test(`${hex} at lightness ${lightness} looks as the server paints it`, () => {
    const own = hexToRgb(colorAtLightness(hex, lightness));
    own.forEach((value, k) => {
      assert.ok(Math.abs(value - rgb[k]) <= 2, `${own} is not ${rgb}`);
    });
  });
}
