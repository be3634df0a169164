// Mistakes in the common code of both ends: counts, buffers, replay, volatile values.
import type { Mutant } from "./mutant.ts"

const delivery = "packages/protocol/src/session/delivery.ts"
const serverDelivery = "packages/protocol/src/session/server-delivery.ts"
const clientDelivery = "packages/protocol/src/session/client-delivery.ts"
const sendBuffer = "packages/protocol/src/session/send-buffer.ts"
const volatileSlots = "packages/protocol/src/session/volatile-slots.ts"
const stateWindow = "packages/protocol/src/session/state-window.ts"
const stateWindowTest = "packages/protocol/src/session/state-window.test.ts"
const slowLinks = "tests/links/slow-links.test.ts"

export const deliveryMutants: readonly Mutant[] = [
  {
    name: "A message is acknowledged when it has arrived, before it is handled",
    breaks: ["S3", "N5"],
    edits: [
      {
        file: delivery,
        find: 'this.control({ kind: "ack", handled: this.handled })',
        replace: 'this.control({ kind: "ack", handled: this.received })',
      },
    ],
  },
  {
    name: "A new connection does not get the messages that the old one lost",
    breaks: ["S1", "S2"],
    edits: [
      {
        file: sendBuffer,
        find: "this.#sent = Math.min(Math.max(count, this.#base), this.#head)",
        replace: "this.#sent = Math.max(count, this.#head)",
      },
    ],
  },
  {
    name: "A new message goes out in the middle of a replay",
    breaks: ["S1", "S2", "B2"],
    edits: [
      {
        file: delivery,
        find: "    const number = this.buffer.append(message)\n    this.#pumpReliable()\n",
        replace: `    const number = this.buffer.append(message)
    if (this.connection !== undefined && this.handOver(this.connection, message)) {
      this.buffer.markSent()
      this.everSent = Math.max(this.everSent, this.buffer.sent)
    }
`,
      },
    ],
  },
  {
    name: "A volatile message does not wait for the reliable ones before it",
    breaks: ["S12", "E2"],
    edits: [
      {
        file: serverDelivery,
        find: "if (this.isFlushed && this.#takesEvent(message)",
        replace: "if (!this.#hasValues && this.#takesEvent(message)",
      },
    ],
  },
  {
    name: "Queued values are sent before queued reliable messages",
    breaks: ["S12", "E11"],
    edits: [
      {
        file: serverDelivery,
        find: "if (this.connection === undefined || this.buffer.next !== undefined) return",
        replace: "if (this.connection === undefined) return",
      },
    ],
  },
  {
    name: "A value inherits the position of the one that it replaces, before reliable messages sent in between",
    breaks: ["S12", "E11"],
    edits: [
      {
        file: serverDelivery,
        find: "  #window: StateWindow | undefined\n",
        replace: "  #window: StateWindow | undefined\n  #turnOfValues = 0\n",
      },
      {
        file: serverDelivery,
        find: "    counters.volatileConflated += this.#lastValues.keep(key, message)",
        replace: `    if (!this.#hasValues) this.#turnOfValues = this.buffer.head
    counters.volatileConflated += this.#lastValues.keep(key, message)`,
      },
      {
        file: serverDelivery,
        find: "if (this.connection === undefined || this.buffer.next !== undefined) return",
        replace: "if (this.connection === undefined || this.buffer.sent < this.#turnOfValues) return",
      },
    ],
  },
  {
    name: "The first queued value of a key is kept instead of the last",
    breaks: ["S12", "E11"],
    edits: [
      {
        file: volatileSlots,
        find: "    const replaced = this.#slots.get(key)\n",
        replace: "    const replaced = this.#slots.get(key)\n    if (replaced !== undefined) return 1\n",
      },
    ],
  },
  {
    name: "A keyed value is dropped while the session is detached",
    breaks: ["S12", "E2"],
    edits: [
      {
        file: serverDelivery,
        find: "    if (key === undefined) {\n      counters.volatileDropped += 1",
        replace:
          "    if (key === undefined || this.connection === undefined) {\n      counters.volatileDropped += 1",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/client-rules.test.ts"],
      because: "it checks last values of attached sessions only",
    },
  },
  {
    name: "The last value that was written to a dying connection is not sent again",
    breaks: ["S12", "E11"],
    edits: [{ file: serverDelivery, find: "    this.#values?.offerAgain()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "it checks last values that were queued, not those that were written",
    },
  },
  {
    name: "The resume compares the count of received messages without their digest",
    breaks: ["S5", "A6"],
    edits: [
      {
        file: delivery,
        find: "count <= this.everSent && this.buffer.digestAt(count) === digest",
        replace: "count <= this.everSent && digest >= 0",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/session-end.test.ts"],
      because: "both of its ends count alike; only a client that claims another digest shows it",
    },
  },
  {
    name: "Any SYNC is accepted",
    breaks: ["S5", "N7"],
    edits: [
      {
        file: delivery,
        find: "return this.inbound.received === count && this.inbound.receivedDigest === digest",
        replace: "return count >= 0 && digest >= 0",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/session-end.test.ts"],
      because: "its network loses whole connections, never one message of a connection",
    },
  },
  {
    name: "An acknowledgement may claim messages that were never sent",
    breaks: ["S3", "N6"],
    edits: [
      {
        file: sendBuffer,
        find: "    if (count > this.#sent) return false\n",
        replace: "",
      },
    ],
    killedBy: {
      tests: ["packages/protocol/src/session/delivery.test.ts"],
      because: "its ends are honest: none claims more than was sent",
    },
  },
  {
    name: "The state window accepts as much as the socket: nothing bounds the bytes under way",
    breaks: ["B8", "F9"],
    edits: [
      {
        file: stateWindow,
        find: "    if (this.#count === 0) return true\n",
        replace: "    if (bytes >= 0 || nowMs < 0) return true\n",
      },
    ],
    killedBy: { tests: [slowLinks], because: "it does not check the age of views" },
  },
  {
    name: "A late acknowledgement does not lower the estimated rate of the link",
    breaks: ["B8"],
    edits: [
      {
        file: stateWindow,
        find: "if (isLate || isOver || bytesPerMs > this.#bytesPerMs)",
        replace: "if (isOver || (!isLate && bytesPerMs > this.#bytesPerMs))",
      },
    ],
    killedBy: { tests: [stateWindowTest], because: "it does not check the age of views" },
  },
  {
    name: "Values always go before views",
    breaks: ["B8"],
    edits: [
      {
        file: stateWindow,
        find: "    return !(viewsWait && this.#turnBytes === 0) && this.#takes(bytes, nowMs)",
        replace: "    return (viewsWait || this.#turnBytes >= 0) && this.#takes(bytes, nowMs)",
      },
    ],
    killedBy: { tests: [stateWindowTest], because: "its links are never slow for so long" },
  },
  {
    name: "The client acknowledges no state",
    breaks: ["N9"],
    edits: [
      {
        file: clientDelivery,
        find: "    this.flushStateAck(this.#receipt.isAckAsked)\n",
        replace: "",
      },
    ],
    killedBy: { tests: [slowLinks], because: "an acknowledgement of messages counts state as well" },
  },
  {
    name: "Acknowledged state is no progress",
    breaks: ["V2"],
    edits: [
      {
        file: serverDelivery,
        find: "    this.progressAtMs = turnNow(this.host.clock)\n    return this.#window?.acknowledge(frames, this.progressAtMs) === true",
        replace: "    return this.#window?.acknowledge(frames, turnNow(this.host.clock)) === true",
      },
    ],
    killedBy: { tests: [slowLinks], because: "its acknowledgements of messages are frequent enough" },
  },
  {
    name: "Messages are settled in the order in which their handlers end, gaps and all",
    breaks: ["S3", "N4"],
    edits: [
      {
        file: "packages/protocol/src/session/receive-count.ts",
        find: "while (ahead.delete(this.#handled + 1)) this.#advance(this.#handled + 1)",
        replace: "if (ahead.delete(number)) this.#advance(this.#handled + 1)",
      },
    ],
  },
]
