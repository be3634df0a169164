// A sequence of CELLS with every kind of field, as a value and as a change.
import { flag, integer, oneOf, optional, real, text } from "@hawser/protocol"
import type { Field } from "@hawser/protocol"
import { ReplicaSchema } from "@hawser/protocol/core"
import { CellBook, cellsFrame } from "./cell-book.ts"
import type { ReplicaSample } from "./replica-sample.ts"

const fields: Readonly<Record<string, Field>> = {
  x: real({ min: 0, max: 100, step: 0.5 }),
  hp: integer({ min: 0, max: 100 }),
  score: integer(),
  away: flag(),
  facing: oneOf(["up", "down", "left", "right"]),
  name: text(),
  title: optional(text()),
  target: optional(integer({ min: 0, max: 15 })),
}
const schema = ReplicaSchema.of(fields)
const ann = { x: 10, hp: 90, score: -7, away: false, facing: "left", name: "Anna" }
const cell = new CellBook(schema, { x: 0, y: 0, version: 1 })
  .put(0, "ann", { ...ann, title: undefined, target: 4, before: { x: 9, hp: 91 } })
  .put(1, "béa", { ...ann, title: "Dr", target: undefined })
const all = { x: 50, hp: 0, score: 0, target: 1 }
const frame = (...parts: Parameters<typeof cellsFrame>[2]): Uint8Array => cellsFrame(0, false, parts)

/** Every kind of field, as a value and as a change. */
export const fieldsSample: ReplicaSample = {
  name: "fields",
  what: "Every kind of field in one record.",
  number: 0,
  schema,
  frames: [
    {
      what: "The record ann has the steps 2 of x and −1 of hp, bea has none.",
      bytes: cellsFrame(0, true, [cell.snapshot(0)]),
    },
    {
      what: "Ann repeats the step of x, and of hp not. Bea changes the same fields. All records changed the same fields.",
      bytes: frame(cell.delta(0, { place: 0, set: { x: 11, hp: 80 } }, { place: 1, set: { x: 11, hp: 89 } })),
    },
    {
      what: "One record changes a number without a range: the difference 107 as a zigzag varint.",
      bytes: frame(cell.delta(0, { place: 0, set: { score: 100 } })),
    },
    {
      what: "Both change, but not the same fields: a mask for each, the last field first.",
      bytes: frame(
        cell.delta(0, { place: 0, set: { away: true, name: "A" } }, { place: 1, set: { facing: "up" } }),
      ),
    },
    {
      what: "A record enters between two that change the same fields: the second one repeats the mask with one bit.",
      bytes: frame(
        cell.delta(
          0,
          { place: 0, set: { title: "x", target: 7 } },
          { place: 1, set: { title: "y", target: 0 } },
          { place: 2, id: "cat", record: { ...ann, title: undefined, target: undefined } },
        ),
      ),
    },
    {
      what: "Optional fields: a text that changes, and a number that becomes absent.",
      bytes: frame(
        cell.delta(
          0,
          { place: 0, set: { title: "z", target: undefined } },
          { place: 1, leave: true },
          { place: 2, set: { title: "w", target: 3 } },
        ),
      ),
    },
    {
      what: "The target of cat changes from 3 to 5, and to 7: inside of `optional` no step is kept.",
      bytes: frame(
        cell.delta(0, { place: 2, set: { target: 5 } }),
        cell.delta(0, { place: 2, set: { target: 7 } }),
      ),
    },
    {
      what: "All of it as a new snapshot: cat's last change moved no number with a range, and ann's neither.",
      bytes: frame(cell.snapshot(0)),
    },
    {
      what: "All change all of their numbers.",
      bytes: frame(cell.delta(0, { place: 0, set: all }, { place: 2, set: all })),
    },
  ],
}
