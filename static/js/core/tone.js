/**
 * Sliders on a finished colouring, with the formula of `huefield/tone.py`.
 *
 * @import { Tone } from "./types.js"
 */

/** @type {Tone} */
export const PLAIN_TONE = Object.freeze({ saturation: 1, warmth: 0, strength: 1 });

/** The ab that full warmth adds to a middle grey. */
const WARM = [4, 14];

/**
 * What a tone does to a colour: ab × factor + (a, b) × the share of the middle tones at its L.
 *
 * @param {Tone} tone
 */
export function toneParts(tone) {
  const reach = 4 * tone.warmth * tone.strength;
  return {
    factor: tone.saturation * tone.strength,
    a: reach * WARM[0],
    b: reach * WARM[1],
  };
}

/**
 * L × (1 − L) for L in 0 to 100 as a share: 0 at black and white, a quarter in the middle.
 *
 * @param {number} lightness
 */
export function middleShare(lightness) {
  const share = lightness / 100;
  return share * (1 - share);
}
