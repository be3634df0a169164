import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
import { streamWindowMax } from "@hawser/protocol/core"
import type { Frame, Reference } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LazyAbort } from "./lazy-abort.ts"
import { ReplyStreams } from "./reply-streams.ts"
import type { StreamJob } from "./reply-streams.ts"
import type { ItemSource } from "./job.ts"

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
const spec = { item: anything }

/** Streams of one session, and their sent frames: `1: a` for an item, `1 end` or `1 end: code`. */
function setUp(options: { readonly streamsPerSession?: number; readonly itemBytes?: number } = {}) {
  const { streamsPerSession = 16, itemBytes = 1 } = options
  const frames: Frame[] = []
  const sent: string[] = []
  const errors: unknown[] = []
  const channel = { room: Infinity }
  const host = { limits: { streamsPerSession }, onError: (error: unknown) => errors.push(error) }
  const streams = new ReplyStreams(host, {
    page: undefined,
    hasRoom: (bytes) => channel.room >= bytes && channel.room > 0,
    codec: {
      encode: (frame) => {
        if (frame.kind === "item" && typeof frame.payload === "function") throw new TypeError("no function")
        if (frame.kind === "end" && typeof frame.error?.details?.["bad"] === "function")
          throw new TypeError("no function")
        return new Uint8Array([frames.push(frame) - 1, ...new Uint8Array(itemBytes - 1)])
      },
    },
    sendBytes: (bytes) => {
      const frame = frames[bytes[0] ?? -1]
      if (frame?.kind === "item") {
        sent.push(`${frame.reference}: ${String(frame.payload)}`)
        channel.room -= bytes.length
      } else if (frame?.kind === "end") {
        sent.push(`${frame.reference} end${frame.error === undefined ? "" : `: ${frame.error.code}`}`)
      }
    },
  })
  const start = (reference: Reference, source: ItemSource, credit = 0): StreamJob => {
    const job = jobOf(reference, credit)
    streams.start(job, source, spec)
    return job
  }
  return { streams, sent, errors, channel, start }
}

function jobOf(reference: Reference, credit: number): StreamJob {
  const frame = { kind: "request", call: undefined, type: "count", payload: null, budgetMs: 0 } as const
  return { frame: { ...frame, reference }, abort: new LazyAbort(), credit }
}

/** Waits for promise jobs, which is enough for the sources of these tests. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

/** Source whose items the test produces; it counts the calls of `next` and `return`. */
class ManualSource implements AsyncIterableIterator<string> {
  asked = 0
  left = 0
  #answer: ((result: IteratorResult<string>) => void) | undefined
  #fail: ((error: unknown) => void) | undefined

  get isAsked(): boolean {
    return this.#answer !== undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<string>> {
    this.asked += 1
    if (this.#answer !== undefined) throw new Error("asked while it was making an item")
    return new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
  }

  return(): Promise<IteratorResult<string>> {
    this.left += 1
    return Promise.resolve({ value: undefined, done: true })
  }

  async make(value: string): Promise<void> {
    this.#answerOnce({ value, done: false })
    await settle()
  }

  async finish(): Promise<void> {
    this.#answerOnce({ value: undefined, done: true })
    await settle()
  }

  async fail(error: unknown): Promise<void> {
    const fail = this.#fail
    this.#answer = this.#fail = undefined
    fail?.(error)
    await settle()
  }

  #answerOnce(result: IteratorResult<string>): void {
    const answer = this.#answer
    this.#answer = this.#fail = undefined
    answer?.(result)
  }
}

async function* letters(count: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index += 1) yield String.fromCharCode(97 + index)
}

describe("credit", () => {
  it("pulls no item before the reader grants credit", async () => {
    const { streams, sent, start } = setUp()
    const source = new ManualSource()
    start(1, source)
    await settle()
    expect([source.asked, sent, streams.size]).toEqual([0, [], 1])
  })

  it("sends as many items as the reader has credit for, and then the end", async () => {
    const { streams, sent, start } = setUp()
    start(1, letters(3), 2)
    await settle()
    expect(sent).toEqual(["1: a", "1: b"])
    expect(streams.credit(1, 5)).toBe(true)
    await settle()
    expect([sent, streams.size]).toEqual([["1: a", "1: b", "1: c", "1 end"], 0])
    expect(streams.credit(1, 5)).toBe(false)
  })

  it("pulls one item at a time, for any amount of credit", async () => {
    const { streams, sent, start } = setUp()
    const source = new ManualSource()
    start(1, source, 1)
    streams.credit(1, 1)
    streams.credit(1, 1)
    expect(source.asked).toBe(1)
    await source.make("a")
    expect([source.asked, sent]).toEqual([2, ["1: a"]])
    await source.make("b")
    await source.make("c")
    expect([source.asked, source.isAsked]).toEqual([3, false])
  })

  it("cuts credit above the largest window", async () => {
    const { streams, sent, start } = setUp()
    start(1, numbers(streamWindowMax + 9), Number.MAX_SAFE_INTEGER)
    streams.credit(1, Number.MAX_SAFE_INTEGER)
    for (let turn = 0; turn < 200; turn += 1) await settle()
    expect(sent.length).toBe(streamWindowMax)
    streams.cancel(1)
  })

  it("ignores credit for a stream that is not open", () => {
    const { streams, sent } = setUp()
    expect([streams.credit(1, 5), streams.credit("x", 5), streams.credit(null, 5)]).toEqual([
      false,
      false,
      false,
    ])
    expect(sent).toEqual([])
  })
})

async function* numbers(count: number): AsyncGenerator<number> {
  for (let index = 0; index < count; index += 1) yield index
}

describe("sources", () => {
  it("accepts arrays, sets, generators and async iterables", async () => {
    const { sent, start } = setUp()
    start(1, ["a", "b"], 9)
    start(2, new Set(["c"]), 9)
    start(
      3,
      (function* () {
        yield "d"
      })(),
      9,
    )
    start(4, letters(1), 9)
    await settle()
    expect([...sent].sort()).toEqual(
      ["1: a", "1: b", "1 end", "2: c", "2 end", "3: d", "3 end", "4: a", "4 end"].sort(),
    )
  })

  it("ends an empty one without an item", async () => {
    const { sent, start } = setUp()
    start(1, [], 1)
    await settle()
    expect(sent).toEqual(["1 end"])
  })

  it("accepts a source whose iterator has no return()", async () => {
    const { streams, sent, start } = setUp()
    start(1, { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }, 1)
    streams.cancel(1)
    await settle()
    expect([sent, streams.size]).toEqual([["1 end: cancelled"], 0])
  })
})

describe("errors", () => {
  it("sends a HawserError after the items before it, and reports no fault", async () => {
    const { sent, errors, start } = setUp()
    async function* source(): AsyncGenerator<string> {
      yield "a"
      throw new HawserError("forbidden")
    }
    start(1, source(), 5)
    await settle()
    expect([sent, errors]).toEqual([["1: a", "1 end: forbidden"], []])
  })

  it("sends `sys_internal_error` for any other error, and reports it once", async () => {
    const { streams, sent, errors, start } = setUp()
    const fault = new Error("the disk is full")
    const source = new ManualSource()
    start(1, source, 5)
    await source.fail(fault)
    expect(sent).toEqual(["1 end: sys_internal_error"])
    expect(errors).toEqual([new Error('the stream "count" failed', { cause: fault })])
    expect(streams.size).toBe(0)
  })

  it.each([
    ["an iterator that cannot be had", { [Symbol.asyncIterator]: () => explode() }],
    ["a next() that throws at once", { [Symbol.asyncIterator]: () => ({ next: () => explode() }) }],
  ])("survives %s", async (_, source) => {
    const { sent, errors, streams, start } = setUp()
    start(1, source, 1)
    await settle()
    expect([sent, errors.length, streams.size]).toEqual([["1 end: sys_internal_error"], 1, 0])
  })

  it("ends a stream whose item cannot be encoded, and closes its source", async () => {
    const { sent, errors, streams, start } = setUp()
    let isLeft = false
    async function* source(): AsyncGenerator<unknown> {
      try {
        yield "a"
        yield () => {}
        yield "c"
      } finally {
        isLeft = true
      }
    }
    const { abort } = start(1, source(), 5)
    await settle()
    expect(sent).toEqual(["1: a", "1 end: sys_internal_error"])
    expect([errors.length, isLeft, abort.signal.aborted, streams.size]).toEqual([1, true, true, 0])
  })

  it("ends a stream with its error, without details that cannot be encoded", async () => {
    const { sent, errors, start } = setUp()
    const source = new ManualSource()
    start(1, source, 1)
    await source.fail(new HawserError("forbidden", { details: { bad: () => {} } }))
    expect([sent, errors.length]).toEqual([["1 end: forbidden"], 1])
  })

  it("answers a stream that does not start with its END alone", () => {
    const { streams, sent } = setUp()
    streams.refuse(jobOf(3, 5), { code: "invalid_input", message: "no", category: "validation" })
    expect([sent, streams.size]).toEqual([["3 end: invalid_input"], 0])
  })
})

function explode(): never {
  throw new Error("broken")
}

describe("cancel", () => {
  it("ends the stream at once, aborts its signal and closes its source", async () => {
    const { streams, sent, start } = setUp()
    const source = new ManualSource()
    const { abort } = start(1, source, 5)
    await source.make("a")
    streams.cancel(1)
    expect(sent).toEqual(["1: a", "1 end: cancelled"])
    expect([abort.signal.aborted, HawserError.is(abort.signal.reason), source.left]).toEqual([true, true, 1])
    await source.make("too late")
    streams.cancel(1)
    expect([sent.length, source.left, streams.size]).toEqual([2, 1, 0])
  })

  it("closes a generator that waits for its signal, and reports no AbortError", async () => {
    const { streams, sent, errors, start } = setUp()
    let job: StreamJob | undefined
    let isLeft = false
    async function* source(): AsyncGenerator<string> {
      try {
        yield "a"
        await new Promise((_, reject) => {
          job?.abort.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")))
        })
      } finally {
        isLeft = true
      }
    }
    job = start(1, source(), 5)
    await settle()
    streams.cancel(1)
    await settle()
    expect([sent, isLeft, errors, streams.size]).toEqual([["1: a", "1 end: cancelled"], true, [], 0])
  })

  it("reports errors of a source while it is closed", async () => {
    const { streams, errors, start } = setUp()
    async function* source(): AsyncGenerator<string> {
      try {
        yield "a"
      } finally {
        explode()
      }
    }
    start(1, source(), 1)
    await settle()
    streams.cancel(1)
    await settle()
    expect([errors.length, streams.size]).toEqual([1, 0])
  })

  it("never starts a source whose request was cancelled before", async () => {
    const { streams, sent } = setUp()
    const source = new ManualSource()
    const job = jobOf(1, 5)
    job.abort.abort(new HawserError("timeout"))
    streams.start(job, source, spec)
    await settle()
    expect([sent, source.asked, streams.size]).toEqual([["1 end: timeout"], 0, 0])
  })
})

describe("bounds", () => {
  it("refuses a stream above the limit, and accepts one when another has ended", async () => {
    const { streams, sent, start } = setUp({ streamsPerSession: 2 })
    const first = new ManualSource()
    start(1, first, 1)
    expect(streams.refusal).toBeUndefined()
    start(2, new ManualSource(), 1)
    expect(streams.refusal?.code).toBe("rate_limited")
    const { abort } = start(3, new ManualSource(), 1)
    expect([sent, abort.signal.aborted, streams.size]).toEqual([["3 end: rate_limited"], true, 2])
    await first.finish()
    expect(streams.refusal).toBeUndefined()
  })

  it("keeps the slot of a source that ignores its abort", async () => {
    const { streams, sent, start } = setUp({ streamsPerSession: 1 })
    let goOn = (): void => {}
    async function* source(): AsyncGenerator<string> {
      await new Promise<void>((resolve) => (goOn = resolve))
      yield "never read"
    }
    start(1, source(), 1)
    streams.cancel(1)
    await settle()
    expect([sent, streams.size, streams.refusal?.code]).toEqual([["1 end: cancelled"], 1, "rate_limited"])
    goOn()
    await settle()
    expect([sent.length, streams.size]).toEqual([1, 0])
  })

  it("pulls no item while the send buffer is full, and continues when it has drained", async () => {
    const { streams, sent, channel, start } = setUp()
    channel.room = 2
    start(1, letters(4), 9)
    await settle()
    expect(sent).toEqual(["1: a", "1: b"])
    channel.room = 1
    streams.pump()
    await settle()
    expect(sent).toEqual(["1: a", "1: b", "1: c"])
    channel.room = 9
    streams.pump()
    await settle()
    expect(sent.slice(3)).toEqual(["1: d", "1 end"])
  })

  it("holds an item that does not fit into the send buffer, and no later item overtakes it", async () => {
    const { streams, sent, channel, start } = setUp({ itemBytes: 5 })
    channel.room = 7
    start(1, letters(3), 9)
    await settle()
    expect(sent).toEqual(["1: a"])
    streams.credit(1, 1)
    streams.pump()
    await settle()
    expect(sent).toEqual(["1: a"])
    channel.room = 99
    streams.pump()
    await settle()
    expect(sent).toEqual(["1: a", "1: b", "1: c", "1 end"])
  })
})

describe("the end of the session", () => {
  it("aborts and closes each source, and sends nothing", async () => {
    const { streams, sent, start } = setUp()
    const sources = [new ManualSource(), new ManualSource()]
    const jobs = sources.map((source, index) => start(index, source, 3))
    start(9, new ManualSource(), 0)
    streams.end(new HawserError("session_ended"))
    for (const source of sources) await source.make("too late")
    expect(sent).toEqual([])
    expect(jobs.map(({ abort }) => abort.signal.aborted)).toEqual([true, true])
    expect([sources.map(({ left }) => left), streams.size]).toEqual([[1, 1], 0])
  })
})

type Step =
  | { readonly kind: "credit"; readonly items: number }
  | { readonly kind: "room"; readonly items: number }
  | { readonly kind: "make" | "finish" | "fail" | "cancel" }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("credit" as const), items: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("room" as const), items: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("make" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("finish", "fail", "cancel") }) },
)

it("never sends more than was granted, skips and repeats no item, and ends exactly once", async () => {
  let ends = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const { streams, sent, channel, start } = setUp()
      channel.room = 0
      const source = new ManualSource()
      const model = { granted: 0, made: 0, ended: false }
      start(1, source)
      for (const one of steps) {
        const wasAsked = source.isAsked
        if (one.kind === "credit") {
          model.granted += one.items
          streams.credit(1, one.items)
        } else if (one.kind === "room") {
          channel.room += one.items
          streams.pump()
        } else if (one.kind === "cancel") {
          model.ended = true
          streams.cancel(1)
        } else if (one.kind === "make") {
          if (wasAsked && !model.ended) model.made += 1
          await source.make(String(model.made))
        } else {
          model.ended ||= wasAsked
          await (one.kind === "finish" ? source.finish() : source.fail(new HawserError("forbidden")))
        }
        await settle()
        const items = sent.filter((line) => !line.startsWith("1 end"))
        expect(items).toEqual(Array.from({ length: model.made }, (_, index) => `1: ${index + 1}`))
        expect(items.length).toBeLessThanOrEqual(model.granted)
        expect(sent.length - items.length).toBe(model.ended ? 1 : 0)
        expect(sent.at(-1)?.startsWith("1 end") === true).toBe(model.ended)
        expect(source.isAsked && !model.ended).toBe(
          !model.ended && channel.room > 0 && model.granted > model.made,
        )
      }
      if (model.ended) ends += 1
    }),
    { numRuns: 300 },
  )
  expect(ends).toBeGreaterThan(50)
})
