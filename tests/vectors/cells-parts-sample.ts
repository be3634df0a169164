// A sequence of CELLS with every kind of part, on two connections.
import { flag, integer, text } from "@hawser/protocol"
import type { Field } from "@hawser/protocol"
import { ReplicaSchema } from "@hawser/protocol/core"
import { CellBook, cellsFrame } from "./cell-book.ts"
import type { ReplicaSample } from "./replica-sample.ts"

const fields: Readonly<Record<string, Field>> = {
  x: integer({ min: 0, max: 15 }),
  name: text(),
  away: flag(),
}
const schema = ReplicaSchema.of(fields)
const ann = { x: 3, name: "ann", away: false }
const west = new CellBook(schema, { x: -1, y: 2, version: 300 })
  .put(0, "1", ann)
  .put(3, "4", { ...ann, before: { x: 4 } })
const centre = new CellBook(schema, { x: 0, y: 0, version: 7 }).put(0, "9", ann)
const east = new CellBook(schema, { x: 1, y: 0, version: 1 }).put(0, "a", ann)
const frame = (isFresh: boolean, ...parts: Parameters<typeof cellsFrame>[2]): Uint8Array =>
  cellsFrame(2, isFresh, parts)

/** Every kind of part of CELLS. */
export const partsSample: ReplicaSample = {
  name: "parts",
  what: "Every kind of part, on two connections. The fields are a number of 4 bits, a text and a flag.",
  number: 2,
  schema,
  frames: [
    {
      what: "The first CELLS of a connection is fresh. Cell 0 has one record, and cell 1 has none.",
      bytes: frame(true, centre.snapshot(0), new CellBook(schema, { x: 5, y: 5, version: 0 }).snapshot(1)),
    },
    {
      what: "Cell 1 is dropped. Its number is given to another cell.",
      bytes: frame(false, east.drop(1), east.snapshot(1)),
    },
    {
      what: "On another connection: cell 1 is now the kept cell 0,0, and the cell 1,0 is deleted, because it is not kept. Cell 0 is new: its record at place 3 has the step −1 of x.",
      bytes: frame(
        true,
        ...[centre.keep(1), west.snapshot(0)],
        ...[
          west.delta(
            0,
            { place: 0, set: { x: 5, away: true } },
            { place: 2, id: "2", record: { x: 5, name: "ann", away: true } },
            { place: 3, leave: true },
          ),
        ],
      ),
    },
    {
      what: "All records of cell 1 change x and away: one mask for all. The step of x was 0, so no bit comes before the difference 2.",
      bytes: frame(false, centre.delta(1, { place: 0, set: { x: 5, away: true } })),
    },
    {
      what: "The step of x was 2, and x repeats it: one bit.",
      bytes: frame(false, centre.delta(1, { place: 0, set: { x: 7, away: false } })),
    },
    {
      what: "The step of x was 2, and x does not repeat it: the bit 0, and the difference −1. Two deltas of one cell may be in one frame; the last change of x is then −1.",
      bytes: frame(
        false,
        centre.delta(1, { place: 0, set: { x: 6 } }),
        centre.delta(1, { place: 0, set: { x: 5 } }),
      ),
    },
    {
      what: "A change of another field is the last change of the record: the step of x is 0 after it.",
      bytes: frame(
        false,
        centre.delta(1, { place: 0, set: { name: "bob" } }),
        centre.delta(1, { place: 0, set: { x: 4 } }),
      ),
    },
    {
      what: "A second piece of a snapshot, without `first`, adds to the cell. Its places are counted from 0 again.",
      bytes: frame(false, west.put(300, "c", ann).snapshot(0, 4)),
    },
    { what: "Without parts: an update of a viewer without cells.", bytes: frame(true) },
  ],
}
