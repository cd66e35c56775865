import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fitView,
  panBy,
  previewSide,
  toPhoto,
  toScreen,
  zoomAt,
  zoomTo,
} from "../../static/js/core/view.js";

const photo = { width: 1024, height: 768 };
const stage = { width: 900, height: 800 };

/**
 * @param {readonly number[]} actual
 * @param {readonly number[]} expected
 */
function near(actual, expected) {
  actual.forEach((value, k) => {
    assert.ok(Math.abs(value - expected[k]) < 1e-9, `${actual} is not ${expected}`);
  });
}

test("a fitted photo lies in the middle, whole and as large as it goes", () => {
  const view = fitView(photo, stage, 20);
  near(toScreen(view, [0, 0]), [20, (800 - 860 * 0.75) / 2]);
  near(toScreen(view, [1024, 768]), [880, (800 + 860 * 0.75) / 2]);
});

test("photo and screen are each other's inverse", () => {
  const view = zoomAt(fitView(photo, stage, 20), 3, 200, 500, photo, stage, 20);
  near(toScreen(view, toPhoto(view, 123, 456)), [123, 456]);
});

test("zooming keeps what lies under the cursor", () => {
  const view = fitView(photo, stage, 20);
  const under = toPhoto(view, 420, 380);
  const near1 = zoomAt(view, 2.5, 420, 380, photo, stage, 20);
  near(toPhoto(near1, 420, 380), under);
  assert.equal(near1.scale, view.scale * 2.5);
  assert.equal(near1.fitted, false);
});

test("zooming out ends at the whole photo, zooming in at eight to one", () => {
  const view = fitView(photo, stage, 20);
  assert.deepEqual(zoomAt(view, 0.2, 10, 10, photo, stage, 20), view);
  assert.equal(zoomAt(view, 1e6, 400, 400, photo, stage, 20).scale, 8);
});

test("a photo smaller than the stage may still be zoomed out to fit", () => {
  const small = { width: 40, height: 30 };
  const view = fitView(small, stage, 20);
  assert.ok(view.scale > 8);
  assert.equal(zoomAt(view, 2, 0, 0, small, stage, 20).scale, view.scale);
});

test("panning moves by that much and never loses the photo", () => {
  const view = zoomAt(fitView(photo, stage, 20), 2, 450, 400, photo, stage, 20);
  const moved = panBy(view, 15, -25, photo, stage);
  near([moved.x - view.x, moved.y - view.y], [15, -25]);
  const far = panBy(view, 1e5, -1e5, photo, stage);
  const middle = toPhoto(far, stage.width / 2, stage.height / 2);
  near(middle, [0, photo.height]);
  assert.equal(panBy(fitView(photo, stage, 20), 5, 5, photo, stage).fitted, true);
});

test("the preview is just large enough", () => {
  const sides = [256, 512, 1024, 2048];
  assert.equal(previewSide(photo, 0.5, sides), 512);
  assert.equal(previewSide(photo, 0.51, sides), 1024);
  assert.equal(previewSide(photo, 4, sides), 1024);
  assert.equal(previewSide({ width: 4000, height: 6000 }, 1, sides), 2048);
});

test("a small photo at its own size lies in the middle, a large one fills the stage", () => {
  const stage = { width: 900, height: 700 };
  const small = { width: 300, height: 200 };
  const fitted = fitView(small, stage, 24);
  assert.deepEqual(zoomTo(fitted, 1, small, stage, 24), {
    scale: 1,
    x: 300,
    y: 250,
    fitted: false,
  });
  const large = { width: 3000, height: 2000 };
  assert.equal(zoomTo(fitView(large, stage, 24), 1, large, stage, 24).scale, 1);
});
