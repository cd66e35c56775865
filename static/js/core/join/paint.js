/**
 * Painted strokes over a picture's colours, with soft edges that stop where L changes.
 *
 * The rule of `huefield/painting.py`, stroke by stroke: inside, a stroke shows its own colour; over
 * a narrow rim it fades. Called by `join-worker.js`.
 *
 * @import { Ink, Layer, Planes } from "./types.js"
 */

const RIM = 0.5;
const RIM_LIGHT = 6;

/**
 * @param {Float32Array} light  L of the picture
 * @param {number} width
 * @param {number} height
 * @param {number} scale  picture pixels for one pixel of the photo
 * @returns {Layer}
 */
export function emptyLayer(light, width, height, scale) {
  const away = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  const opacity = new Float32Array(width * height);
  return {
    width,
    height,
    scale,
    light,
    away,
    opacity,
    ink: new Int16Array(width * height),
    inks: [],
  };
}

/** @param {Layer} layer @returns {Layer} */
export function copyLayer(layer) {
  return {
    ...layer,
    away: layer.away.slice(),
    opacity: layer.opacity.slice(),
    ink: layer.ink.slice(),
  };
}

/** Put one more stroke over those that are there. @param {Layer} layer @param {Ink} stroke */
export function addInk(layer, stroke) {
  const { width, height, scale, away } = layer;
  const index = layer.inks.length;
  layer.inks = [...layer.inks, stroke];
  const radius = Math.max(stroke.radius * scale, Math.SQRT1_2);
  const rim = Math.max(1, RIM * stroke.radius * scale);
  const reach = radius + rim + 1;
  const points = stroke.points.map(([x, y]) => [x * scale, y * scale]);
  // A line thinned to a quarter of the radius looks the same, and costs a fraction.
  const line = points.length < 3 ? points : thinned(points, radius / 4);
  for (let k = 0; k < Math.max(1, line.length - 1); k++) {
    const [ax, ay] = line[k];
    const [bx, by] = line[Math.min(k + 1, line.length - 1)];
    const [dx, dy] = [bx - ax, by - ay];
    const square = dx * dx + dy * dy;
    const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
    const x1 = Math.min(width - 1, Math.ceil(Math.max(ax, bx) + reach));
    const y0 = Math.max(0, Math.floor(Math.min(ay, by) - reach));
    const y1 = Math.min(height - 1, Math.ceil(Math.max(ay, by) + reach));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const px = x + 0.5 - ax;
        const py = y + 0.5 - ay;
        const t = square > 0 ? Math.min(Math.max((px * dx + py * dy) / square, 0), 1) : 0;
        const ox = px - t * dx;
        const oy = py - t * dy;
        const apart = Math.sqrt(ox * ox + oy * oy);
        const pixel = y * width + x;
        if (apart <= radius) {
          away[pixel] = 0;
          layer.opacity[pixel] = stroke.strength;
          layer.ink[pixel] = index;
        } else if (apart < reach && away[pixel] > 0 && apart - radius < away[pixel]) {
          rimPixel(layer, pixel, x, y, [ox, oy], apart, radius, rim, index, stroke.strength);
        }
      }
    }
  }
}

/**
 * @param {Layer} layer
 * @param {number} pixel
 * @param {number} x
 * @param {number} y
 * @param {[number, number]} out  from the line to the pixel
 * @param {number} apart
 * @param {number} radius
 * @param {number} rim
 * @param {number} index
 * @param {number} strength
 */
function rimPixel(layer, pixel, x, y, out, apart, radius, rim, index, strength) {
  const back = (apart - Math.max(radius - 0.5, 0)) / apart;
  const nx = Math.min(Math.max(Math.round(x - out[0] * back), 0), layer.width - 1);
  const ny = Math.min(Math.max(Math.round(y - out[1] * back), 0), layer.height - 1);
  const unlike = (layer.light[pixel] - layer.light[ny * layer.width + nx]) / RIM_LIGHT;
  const near = Math.min(Math.max(1 - (apart - radius) / (rim + 1), 0), 1);
  layer.away[pixel] = apart - radius;
  layer.ink[pixel] = index;
  layer.opacity[pixel] = strength * near * near * (3 - 2 * near) * Math.exp(-0.5 * unlike * unlike);
}

/** Lay the strokes over colours, in place. @param {Layer} layer @param {Planes} colors */
export function applyLayer(layer, colors) {
  if (layer.inks.length === 0) return;
  for (let k = 0; k < layer.opacity.length; k++) {
    const share = layer.opacity[k];
    if (share === 0) continue;
    const { ab } = layer.inks[layer.ink[k]];
    colors.a[k] += share * (ab[0] - colors.a[k]);
    colors.b[k] += share * (ab[1] - colors.b[k]);
  }
}

/** @param {number[][]} points @param {number} least */
function thinned(points, least) {
  const kept = [points[0]];
  for (const point of points.slice(1, -1)) {
    const last = kept[kept.length - 1];
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= least) kept.push(point);
  }
  kept.push(points[points.length - 1]);
  return kept;
}
