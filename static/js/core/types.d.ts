/** Every type of the studio page that more than one module speaks of; no browser loads this file. */

// What a person painted

/** x to the right, y down, in pixels of the upright photo */
export type Point = readonly [number, number];

export type Region = { readonly points: readonly Point[]; readonly radius: number };

/** `color` or `ab` where the kind is "color"; `other` where it is "tie" */
export type Edit = Region & {
  readonly id: number;
  readonly kind: "color" | "keep" | "tie";
  readonly hidden: boolean;
  readonly strength: number;
  readonly color?: string;
  readonly ab?: readonly [number, number];
  readonly other?: Region;
};

export type Edits = readonly Edit[];

// Colour fields

/** `ab`: a and b of each cell, row by row */
export type Field = { readonly width: number; readonly height: number; readonly ab: Float32Array };

export type FieldJson = { grid: [number, number]; steps: number; ab: string };

// Sliders

/** saturation 0 to 2, warmth −1 to 1, strength 0 to 1 */
export type Tone = {
  readonly saturation: number;
  readonly warmth: number;
  readonly strength: number;
};

// Where the photo lies

export type Size = { readonly width: number; readonly height: number };

/** `fitted`: follows the stage when that changes its size */
export type View = {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  readonly fitted: boolean;
};

// The contact sheet

/** seed and place in its set */
export type Step = readonly [number, number];

export type Pick = {
  readonly seed: number;
  readonly index: number;
  readonly near: readonly Step[];
  /** the set, or the one that `near` begins at, is unlike the usual ones */
  readonly wide: boolean;
};

export type Tile = { readonly pick: Pick; readonly star: boolean };

// Undo and redo

export type History<T> = {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
};

// Requests

/** numbers of wishes: the latest, the one under way (0: none), the one on show */
export type Requests = {
  readonly asked: number;
  readonly sent: number;
  readonly shown: number;
  readonly failed: boolean;
};

// The edit file

export type FileStroke = Region & {
  color?: string;
  ab?: readonly [number, number];
  keep?: true;
  strength: number;
};

export type EditFile = {
  version: 1;
  size: [number, number];
  strokes: FileStroke[];
  ties: { a: Region; b: Region }[];
};

export type Notes = {
  model?: string;
  sheet?: readonly Tile[];
  selected?: number;
  tone?: Tone;
};

// What the page knows

export type Tool = "paint" | "point" | "neutral" | "keep" | "tie" | "erase" | "pick" | "move";

export type CompareMode = "split" | "side" | "flip";

export type Insight = "influence" | "uncertainty" | "unary";

/** as the API gives it */
export type Photo = {
  readonly id: string;
  readonly name: string;
  readonly size: readonly [number, number];
  readonly grid: readonly [number, number];
  readonly has_color: boolean;
  readonly url: string;
  readonly grey: string;
  readonly original: string;
  readonly colorizations: string;
  readonly comparisons: string;
  readonly influence: string;
  readonly uncertainty: string;
  readonly palette: string;
};

/** one sample's colours and the edits that they follow; `key` differs for every field */
export type Result = { readonly key: string; readonly field: Field; readonly edits: Edits };

export type Addresses = { readonly download: string; readonly unary: string };

/** the last whole answer; `samples` by the word of their pick */
export type Colorization = {
  readonly id: string;
  readonly edits: Edits;
  readonly samples: ReadonlyMap<string, Addresses>;
};

/** an earlier one, as the API gives it */
export type Method = {
  readonly name: string;
  readonly title: string;
  readonly kind: "samples" | "strokes";
  readonly description: string;
  readonly seconds: number | null;
};

/** what came of a method, the edits that it was asked for, and why nothing came */
export type Row = {
  readonly results: readonly Result[];
  readonly edits: Edits | null;
  readonly busy: boolean;
  readonly text: string;
};

export type Notice = { readonly text: string; readonly canRetry: boolean };

export type Line = {
  readonly tool: Tool;
  readonly points: readonly Point[];
  readonly radius: number;
};

/** `brush`: its diameter in pixels of the photo; `chosen`: number of an edit, 0 for none; `compare.other`: place on the sheet, −1 for the grey photo, −2 for `rival`, which is a place in `rows`, the chosen earlier methods */
export type State = {
  readonly photo: Photo | null;
  readonly opening: boolean;
  readonly history: History<Edits>;
  readonly line: Line | null;
  readonly tieStart: Region | null;
  readonly chosen: number;
  readonly sheet: readonly Tile[];
  readonly selected: number;
  readonly peek: number | null;
  readonly lastSeed: number;
  readonly results: ReadonlyMap<string, Result>;
  readonly draft: Result | null;
  readonly colorization: Colorization | null;
  readonly requests: Requests;
  readonly model: string;
  readonly tool: Tool;
  readonly color: string;
  readonly recent: readonly string[];
  readonly brush: number;
  readonly strength: number;
  readonly before: boolean;
  readonly marks: boolean;
  readonly compare: {
    readonly mode: CompareMode;
    readonly other: number;
    readonly at: number;
  } | null;
  readonly flipped: boolean;
  readonly methods: readonly Method[];
  readonly drawer: boolean;
  readonly rows: ReadonlyMap<string, Row>;
  readonly rival: { readonly name: string; readonly index: number } | null;
  readonly insight: Insight | null;
  readonly tone: Tone;
  readonly mark: boolean;
  readonly cursor: Point | null;
  readonly stage: Size;
  readonly view: View;
  readonly notice: Notice | null;
};

/** What a reload and the film strip bring back of one photo. */
export type Work = { [Name in typeof import("./state.js").WORK[number]]: State[Name] };

/** `source`: the photo's file, or the name of an example. */
export type Kept = {
  key: string;
  tab: string;
  order: number;
  at: number;
  name: string;
  active: boolean;
  source: Blob | string;
  work: Work;
};

// What the server says

export type Example = { name: string; title: string; credit: string; thumbnail: string };

export type Model = { name: string; description: string; default: boolean };

export type Suggestion = { color: string; share: number };

export type SampleLine = { index: number; field: FieldJson };

export type ColorizationLine = {
  id: string;
  samples: { index: number; download: string; unary: string }[];
};

export type Influence = { grid: [number, number]; listens: number[]; reaches: number[] };

export * from "./actions.js";

export type Store = import("./store.js").Store<State, import("./actions.js").Action>;
