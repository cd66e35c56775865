import assert from "node:assert/strict";
import { test } from "node:test";
import { labToRgb } from "../../static/js/core/color.js";
import { clipToGamut, greyToLightness, largestChroma } from "../../static/js/core/gamut.js";
import { applyTone, isPlain, PLAIN_TONE } from "../../static/js/core/tone.js";
import { crc32, zip } from "../../static/js/core/zip.js";

test("sliders do what huefield/tone.py does", () => {
  assert.ok(isPlain(PLAIN_TONE));
  assert.deepEqual(applyTone([20, -10], 50, PLAIN_TONE), [20, -10]);
  assert.deepEqual(applyTone([20, -10], 50, { saturation: 0.5, warmth: 1, strength: 1 }), [14, 9]);
  assert.deepEqual(
    applyTone([20, -10], 100, { saturation: 2, warmth: 1, strength: 0.5 }),
    [20, -10],
  );
});

test("what is clipped to the gamut can be shown, and keeps its hue", () => {
  for (const light of [5, 30, 60, 95]) {
    for (let hue = -3; hue <= 3; hue += 0.5) {
      const [a, b] = clipToGamut(light, 140 * Math.cos(hue), 140 * Math.sin(hue));
      const rgb = labToRgb([light, a, b]);
      assert.ok(
        rgb.every((value) => value > -4 && value < 259),
        `${rgb}`,
      );
      assert.ok(Math.abs(Math.atan2(b, a) - hue) < 1e-6);
    }
  }
  assert.deepEqual(clipToGamut(50, 5, 5), [5, 5]);
  assert.ok(largestChroma(97, 0) < largestChroma(60, 0));
  assert.ok(Math.abs(greyToLightness(119) - 50) < 0.2);
});

test("a zip holds its files whole, with names, sizes and sums where the format has them", () => {
  const data = new TextEncoder().encode("123456789");
  assert.equal(crc32(data), 0xcbf43926);
  const parts = zip([
    { name: "ä.txt", data },
    { name: "b", data: new Uint8Array(0) },
  ]);
  const file = Buffer.concat(parts);
  assert.equal(file.readUInt32LE(0), 0x04034b50);
  const end = file.length - 22;
  assert.equal(file.readUInt32LE(end), 0x06054b50);
  assert.equal(file.readUInt16LE(end + 10), 2);
  const directory = file.readUInt32LE(end + 16);
  assert.equal(file.readUInt32LE(directory), 0x02014b50);
  assert.equal(directory + file.readUInt32LE(end + 12), end);
  assert.equal(file.readUInt32LE(directory + 16), 0xcbf43926);
  assert.equal(file.readUInt32LE(directory + 24), 9);
  assert.equal(file.readUInt32LE(directory + 42), 0);
  const second = directory + 46 + Buffer.byteLength("ä.txt");
  assert.equal(file.readUInt32LE(file.readUInt32LE(second + 42)), 0x04034b50);
});
