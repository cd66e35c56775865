/**
 * What can happen to the state of the studio page.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./edits.js").Edit} Edit
 * @typedef {import("./edits.js").Edits} Edits
 * @typedef {import("./edits.js").Point} Point
 *
 * @typedef {(
 *   | { type: "line-started", point: Point, tool?: import("./state.js").Tool }
 *   | { type: "line-extended", points: readonly Point[], pressure?: number }
 *   | { type: "line-ended" }
 *   | { type: "line-dropped" }
 *   | { type: "undo" }
 *   | { type: "redo" }
 *   | { type: "edits-cleared" }
 *   | { type: "edits-loaded", edits: Edits, notes: import("./edit-file.js").Notes }
 *   | { type: "edits-added", edits: readonly Omit<Edit, "id">[] }
 *   | { type: "edit-chosen", id: number }
 *   | { type: "edit-removed", id: number }
 *   | { type: "edit-changed", id: number, change: Partial<Edit> }
 *   | { type: "edit-reordered", id: number, by: number }
 *   | { type: "edit-shifted", id: number, dx: number, dy: number }
 * )} EditAction
 *
 * @typedef {(
 *   | { type: "request-sent", number: number }
 *   | { type: "sample-came", number: number, pick: string, key: string, field: import("./join/field.js").Field, edits: Edits }
 *   | { type: "request-answered", number: number, colorization: import("./state.js").Colorization }
 *   | { type: "request-failed", number: number, text: string }
 *   | { type: "draft-came", key: string, field: import("./join/field.js").Field, edits: Edits, pick: string }
 *   | { type: "retry" }
 *   | { type: "sample-chosen", index: number }
 *   | { type: "sample-peeked", index: number | null }
 *   | { type: "sample-starred", index: number }
 *   | { type: "more-different" }
 *   | { type: "more-like", index: number }
 *   | { type: "sheet-resized", count: number }
 *   | { type: "model-chosen", model: string }
 * )} SheetAction
 *
 * @typedef {(
 *   | { type: "open-started" }
 *   | { type: "open-failed", text: string }
 *   | { type: "opened", photo: import("./state.js").Photo }
 *   | { type: "work-opened", work: import("./state.js").Work }
 *   | { type: "reopened", photo: import("./state.js").Photo }
 *   | { type: "closed" }
 *   | { type: "tool-chosen", tool: import("./state.js").Tool }
 *   | { type: "color-chosen", color: string }
 *   | { type: "brush-sized", brush: number }
 *   | { type: "brush-scaled", factor: number }
 *   | { type: "strength-chosen", strength: number }
 *   | { type: "tone-chosen", tone: import("./tone.js").Tone }
 *   | { type: "mark-chosen", mark: boolean }
 *   | { type: "before-shown", before: boolean }
 *   | { type: "marks-shown", marks: boolean }
 *   | { type: "compared", compare: State["compare"] }
 *   | { type: "flipped", flipped: boolean }
 *   | { type: "insight-chosen", insight: State["insight"] }
 *   | { type: "cursor-moved", dx: number, dy: number }
 *   | { type: "cursor-hidden" }
 *   | { type: "stage-sized", stage: import("./view.js").Size }
 *   | { type: "zoomed", factor: number, x: number, y: number }
 *   | { type: "zoomed-to", scale: number }
 *   | { type: "panned", dx: number, dy: number }
 *   | { type: "fitted" }
 *   | { type: "noticed", text: string }
 *   | { type: "notice-closed" }
 * )} ViewAction
 *
 * @typedef {EditAction | SheetAction | ViewAction} Action
 */

export {};
