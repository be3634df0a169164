// Mistakes in atomic changes and in durable records.
import type { Edit, Mutant } from "./mutant.ts"

const atomic = "packages/server/src/base/atomic.ts"
const store = "packages/server/src/replicas/replica-store.ts"
const cell = "packages/server/src/replicas/replica-cell.ts"
const durable = "packages/server/src/journal/durable-replicas.ts"
const publisher = "packages/server/src/topics/publisher.ts"
const conversation = "packages/server/src/session/conversation/conversation.ts"
const replicas = "packages/server/src/replicas/replicas.ts"

const isWhole = "its handlers change no durable record"
const whole = { tests: ["tests/replicas/atomic.test.ts"], because: isWhole } as const
const units = { tests: ["packages/server/src/base/atomic.test.ts"], because: isWhole } as const
const stores = { tests: ["packages/server/src/replicas/atomic-store.test.ts"], because: isWhole } as const
const cuts = { tests: ["tests/journal/atomic-cut.test.ts"], because: isWhole } as const
const records = { tests: ["tests/journal/replicas.test.ts"], because: isWhole } as const

/** A mistake in one place. */
const edit = (file: string, find: string, replace: string): readonly Edit[] => [{ file, find, replace }]

export const atomicMutants: readonly Mutant[] = [
  {
    name: "Atomic: a throw leaves the effects in the queue",
    breaks: ["F17"],
    edits: edit(atomic, "    this.#effects.length = effectsFrom\n", ""),
    killedBy: units,
  },
  {
    name: "Atomic: changes are undone in the order of their making",
    breaks: ["F17"],
    edits: edit(
      atomic,
      "while (this.#undone.length > undoneFrom) this.#undone.pop()?.()",
      "for (const undo of this.#undone.splice(undoneFrom)) undo()",
    ),
    killedBy: stores,
  },
  {
    name: "Atomic: a caught inner throw undoes the outer function, too",
    breaks: ["F17"],
    edits: edit(
      atomic,
      "if (!isComplete) this.#undo(undoneFrom, effectsFrom)",
      "if (!isComplete) this.#undo(0 * undoneFrom, 0 * effectsFrom)",
    ),
    killedBy: units,
  },
  {
    name: "Atomic: effects run at the end of an inner function",
    breaks: ["F17"],
    edits: edit(atomic, "if (this.#depth === 0) this.#end()", "this.#end()"),
    killedBy: units,
  },
  {
    name: "Atomic: a promise as the result is accepted",
    breaks: ["F17"],
    edits: edit(
      atomic,
      "if (!isThenable(result)) return result",
      "if (!isThenable(result) || result) return result",
    ),
    killedBy: units,
  },
  {
    name: "Atomic: an async handler that throws before its first await is not undone",
    breaks: ["F17"],
    edits: edit(
      atomic,
      "isComplete = !hasActed || !isRejected(result)",
      "isComplete = !hasActed || result !== isRejected",
    ),
    killedBy: whole,
  },
  {
    name: "Atomic: a new record stays after a throw",
    breaks: ["F17"],
    edits: edit(store, "if (this.#atomic.isOpen) this.#atomic.onThrow(() => this.#undoAdd(added))\n", ""),
    killedBy: cuts,
  },
  {
    name: "Atomic: an undone record keeps its changed values",
    breaks: ["F17"],
    edits: edit(
      store,
      "      entry.packed = packed\n      entry.values = values\n    })",
      "      entry.packed = packed\n      values?.toString()\n    })",
    ),
    killedBy: whole,
  },
  {
    name: "Atomic: an undone change stays in the open tick",
    breaks: ["F3"],
    edits: edit(
      cell,
      "if (pending === undefined) this.#pending.delete(slot)\n    else this.#pending.set(slot, pending)",
      "if (pending !== undefined) this.#pending.set(slot, pending)",
    ),
    killedBy: stores,
  },
  {
    name: "Atomic: a publication is numbered at the call",
    breaks: ["S17"],
    edits: edit(
      publisher,
      "if (fanOut.isHeld) this.#hold(name, published)\n        else this.toTopic(name, published)",
      "this.toTopic(name, published)",
    ),
    killedBy: whole,
  },
  {
    name: "Atomic: a send leaves before the end of the function",
    breaks: ["S1"],
    edits: edit(
      conversation,
      "this.host.fanOut.isHeld ? this.#hold(publication) : this.publish(publication)",
      "this.publish(publication)",
    ),
    killedBy: whole,
  },
  {
    name: "Atomic: flush inside a function shows its changes",
    breaks: ["F17"],
    edits: edit(
      replicas,
      "atomic.defer(() => this.flush())\n      return",
      "atomic.defer(() => this.flush())",
    ),
    killedBy: whole,
  },
  {
    name: "Durable records: a removal is not written",
    breaks: ["F17"],
    edits: edit(durable, 'return before && { kind: "removed", number, packed }', "return undefined"),
    killedBy: records,
  },
  {
    name: "Durable records: a record is compared with its last change, not with its state before the turn",
    breaks: ["F17"],
    edits: edit(
      durable,
      "if (!this.#changed.has(entry)) this.#changed.set(entry, before)",
      "this.#changed.set(entry, before)",
    ),
    killedBy: cuts,
  },
  {
    name: "Durable records: numbers of records begin anew in each process",
    breaks: ["F17"],
    edits: edit(durable, "    this.#lastRecord = lastRecord\n", "    this.#lastRecord = 0 * lastRecord\n"),
    killedBy: records,
  },
]
