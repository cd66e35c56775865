/**
 * Colours: hex, 8-bit sRGB and CIE Lab (D65, 2°). The same formulas as `huefield/lab.py`; tests compare the two.
 *
 * @typedef {[number, number, number]} Triple
 */

/** White of D65 for the 2° observer. */
const WHITE = [0.95047, 1, 1.08883];
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;

/** @param {string} hex  like "#c03028" @returns {Triple}  0 to 255 */
export function hexToRgb(hex) {
  const number = Number.parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** @param {readonly number[]} rgb  0 to 255, clipped @returns {string} */
export function rgbToHex(rgb) {
  const parts = rgb.map((value) => Math.min(255, Math.max(0, Math.round(value))));
  return `#${parts.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** @param {readonly number[]} rgb  0 to 255 @returns {Triple} */
export function rgbToLab(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const [fx, fy, fz] = [
    0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    0.0193339 * r + 0.119192 * g + 0.9503041 * b,
  ].map((value, k) => {
    const t = value / WHITE[k];
    return t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116;
  });
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/**
 * @param {readonly number[]} lab
 * @returns {Triple}  0 to 255, outside that range where the colour is outside sRGB
 */
export function labToRgb(lab) {
  const fy = (lab[0] + 16) / 116;
  const [x, y, z] = [fy + lab[1] / 500, fy, fy - lab[2] / 200].map(
    (f, k) => WHITE[k] * (f ** 3 > EPSILON ? f ** 3 : (116 * f - 16) / KAPPA),
  );
  const linear = [
    3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
    -0.969266 * x + 1.8760108 * y + 0.041556 * z,
    0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
  ];
  const [r, g, b] = linear.map(
    (v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055),
  );
  return [r, g, b];
}

/** Whether a colour lies inside sRGB. @param {readonly number[]} rgb  0 to 255 */
export function isShowable(rgb) {
  return rgb.every((value) => value >= -0.5 && value <= 255.5);
}
