import assert from "node:assert/strict";
import { test } from "node:test";
import { labToRgb } from "../../static/js/core/color.js";
import { clipToGamut, greyToLightness, largestChroma } from "../../static/js/core/gamut.js";
import { middleShare, PLAIN_TONE, toneParts } from "../../static/js/core/tone.js";
import { crc32, zip } from "../../static/js/core/zip.js";

test("sliders do what huefield/tone.py does", () => {
  assert.deepEqual(toneParts(PLAIN_TONE), { factor: 1, a: 0, b: 0 });
  const warm = toneParts({ saturation: 0.5, warmth: 1, strength: 1 });
  assert.equal(warm.factor, 0.5);
  assert.deepEqual([warm.a * middleShare(50), warm.b * middleShare(50)], [4, 14]);
  assert.equal(middleShare(100), 0);
  assert.equal(toneParts({ saturation: 2, warmth: 1, strength: 0.5 }).factor, 1);
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
