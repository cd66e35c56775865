/** What the join worker and its modules speak of; no browser loads this file. */

import type { Field, Tone } from "../types.js";

/** Shares of the photo: left, top, right, bottom. */
export type Part = readonly [number, number, number, number];

/** What a photo's light and a grid fix for all colourings, for a picture and its cells. */
export type Guide = {
  readonly width: number;
  readonly height: number;
  readonly light: Float32Array;
  readonly w: number;
  readonly h: number;
  readonly coarse: Float32Array;
  readonly column: Int32Array;
  readonly row: Int32Array;
  readonly weights: Float32Array;
  readonly rest: Float32Array;
  readonly blur: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
};

/** A stroke, in pixels of the photo; the same one always has the same id. */
export type Ink = {
  id: string;
  points: readonly (readonly [number, number])[];
  radius: number;
  ab: readonly [number, number];
  strength: number;
};

/** Strokes laid over a picture. */
export type Layer = {
  width: number;
  height: number;
  scale: number;
  light: Float32Array;
  away: Float32Array;
  opacity: Float32Array;
  ink: Int16Array;
  inks: readonly Ink[];
};

export type Planes = { readonly a: Float32Array; readonly b: Float32Array };

/** ab = slope × L + offset */
export type Lines = { readonly slope: Planes; readonly offset: Planes };

/** `part`: what a sharp picture shows; null for a small whole one. */
export type Job = {
  key: string;
  field: Field;
  inks: readonly Ink[];
  tone: Tone;
  draft: boolean;
  part: Part | null;
  width: number;
  height: number;
};

export type Order =
  | { type: "grey"; size: readonly [number, number]; bitmap: ImageBitmap; fresh: boolean }
  | { type: "job"; number: number; job: Job };
