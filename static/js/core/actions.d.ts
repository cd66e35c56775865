/** What can happen to the state of the studio page; no browser loads this file. */

import type {
  Colorization,
  Edit,
  Edits,
  Field,
  Notes,
  Photo,
  Point,
  Row,
  Size,
  State,
  Tone,
  Tool,
  Work,
} from "./types.js";

export type EditAction =
  | { type: "line-started"; point: Point; tool?: Tool }
  | { type: "line-extended"; points: readonly Point[]; pressure?: number }
  | { type: "line-ended" }
  | { type: "line-dropped" }
  | { type: "undo" }
  | { type: "redo" }
  | { type: "edits-cleared" }
  | { type: "edits-loaded"; edits: Edits; notes: Notes }
  | { type: "edits-added"; edits: readonly Omit<Edit, "id">[] }
  | { type: "edit-chosen"; id: number }
  | { type: "edit-removed"; id: number }
  | { type: "edit-changed"; id: number; change: Partial<Edit> }
  | { type: "edit-reordered"; id: number; by: number }
  | { type: "edit-shifted"; id: number; dx: number; dy: number };

export type SheetAction =
  | { type: "request-sent"; number: number }
  | { type: "sample-came"; number: number; pick: string; key: string; field: Field; edits: Edits }
  | { type: "request-answered"; number: number; colorization: Colorization }
  | { type: "request-failed"; number: number; text: string }
  | { type: "draft-came"; key: string; field: Field; edits: Edits; pick: string }
  | { type: "retry" }
  | { type: "sample-chosen"; index: number }
  | { type: "sample-peeked"; index: number | null }
  | { type: "sample-starred"; index: number }
  | { type: "more-different" }
  | { type: "more-like"; index: number }
  | { type: "sheet-resized"; count: number }
  | { type: "model-chosen"; model: string };

export type ViewAction =
  | { type: "open-started" }
  | { type: "open-failed"; text: string }
  | { type: "opened"; photo: Photo }
  | { type: "work-opened"; work: Work }
  | { type: "reopened"; photo: Photo }
  | { type: "closed" }
  | { type: "tool-chosen"; tool: Tool }
  | { type: "color-chosen"; color: string }
  | { type: "brush-sized"; brush: number }
  | { type: "brush-scaled"; factor: number }
  | { type: "strength-chosen"; strength: number }
  | { type: "tone-chosen"; tone: Tone }
  | { type: "mark-chosen"; mark: boolean }
  | { type: "before-shown"; before: boolean }
  | { type: "marks-shown"; marks: boolean }
  | { type: "compared"; compare: State["compare"] }
  | { type: "flipped"; flipped: boolean }
  | { type: "insight-chosen"; insight: State["insight"] }
  | { type: "cursor-moved"; dx: number; dy: number }
  | { type: "cursor-hidden" }
  | { type: "stage-sized"; stage: Size }
  | { type: "zoomed"; factor: number; x: number; y: number }
  | { type: "zoomed-to"; scale: number }
  | { type: "panned"; dx: number; dy: number }
  | { type: "fitted" }
  | { type: "noticed"; text: string }
  | { type: "notice-closed" };

export type MethodAction =
  | { type: "methods-came"; methods: State["methods"] }
  | { type: "drawer-shown"; drawer: boolean }
  | { type: "method-chosen"; name: string }
  | { type: "row-changed"; name: string; photo: string; change: Partial<Row> }
  | { type: "rival-chosen"; name: string; index: number };

export type Action = EditAction | SheetAction | MethodAction | ViewAction;
