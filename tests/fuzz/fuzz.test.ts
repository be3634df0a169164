import { beforeAll, describe, expect, it } from "vitest"
import { checkInput, emptyStatistics, takersOf } from "./check-input.ts"
import { generate, inputKinds } from "./generate.ts"
import { knownFaults } from "./known-faults.ts"
import { FuzzRun, corpusInputs } from "./run.ts"

/** Number of inputs of each kind; the nightly run takes minutes instead (`npm run fuzz`). */
const ciInputCount = 1_000_000
const timeoutMs = 600_000
const inherited = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  Uint8Array.prototype,
  Date.prototype,
]

function inheritedKeys(): readonly (readonly PropertyKey[])[] {
  return inherited.map((prototype) => Reflect.ownKeys(prototype))
}

describe("the corpus", () => {
  it.each(corpusInputs())(
    "passes the checks and is accepted by the right ends: $name",
    ({ name, bytes, takenBy }) => {
      const run = new FuzzRun(0)
      run.bytes(bytes, name)
      expect(run.failures).toEqual([])
      // The expected ends hold only for inputs without a known fault.
      if (run.knownCounts.every((count) => count === 0)) expect(takersOf(bytes)).toEqual(takenBy)
    },
  )

  it("still shows every known fault: delete the entries of fixed faults", () => {
    const run = new FuzzRun(0)
    run.corpus()
    expect(knownFaults.filter((_, index) => run.knownCounts[index] === 0).map(({ what }) => what)).toEqual([])
  })
})

describe("inputs of a seed", () => {
  it.each(inputKinds)("are the same every time, and differ from those of another seed: %s", (kind) => {
    const made = (from: number): string[] =>
      Array.from({ length: 500 }, (_, index) => Buffer.from(generate(kind, from + index)).toString("hex"))
    const first = made(1_000)
    expect(made(1_000)).toEqual(first)
    expect(new Set([...first, ...made(9_000)]).size).toBeGreaterThan(850)
  })
})

describe("checkInput", () => {
  it("reports a key that every object would inherit", () => {
    Object.defineProperty(Object.prototype, "polluted", { value: 1, enumerable: true, configurable: true })
    const violations = checkInput(Uint8Array.of(0x40), emptyStatistics(), false)
    Reflect.deleteProperty(Object.prototype, "polluted")
    expect(violations).toEqual([{ subject: "Object.prototype", text: "has got the key polluted" }])
  })
})

describe(`${ciInputCount} inputs of each kind`, () => {
  const run = new FuzzRun(1)
  const before = inheritedKeys()

  beforeAll(() => {
    for (const kind of inputKinds) run.run(kind, ciInputCount)
    console.log(run.summary())
  }, timeoutMs)

  it("break no rule", () => {
    expect(run.failures.join("\n\n")).toBe("")
  })

  it("abuse-A34 do not change Object.prototype", () => {
    expect(inheritedKeys()).toEqual(before)
  })

  it("are accepted as every kind of frame, and refused for every reason, many times each", () => {
    const refusals = [
      "the message has more bytes than maxBytes",
      "the message ends before its value does",
      "bytes follow the value",
      "containers are nested deeper than maxDepth",
      "the value has more elements than maxElements",
      "the byte 0xc1 is not MessagePack",
      "an integer is outside -(2^53 - 1) to 2^53 - 1",
      "a string is not well-formed UTF-8",
      "only the extension type -1 (timestamp) is allowed",
      "a timestamp is not one that a Date can hold",
      "a map key has a type that is not allowed",
      "a map key has more bytes than maxKeyBytes",
      "the map key __proto__ is not allowed",
    ]
    const control = ["hello", "welcome", "auth", "authRequest", "authOk", "ack", "reset", "sync", "ping"]
    const more = ["pong", "goaway", "busy", "throttled", "bye", "unknownControl"]
    const reliable = ["event", "request", "reply", "item", "end", "cancel", "credit", "topicEvent"]
    const frames = [...control, ...more, ...reliable, "volatile"]
    const expected = [
      ...[...frames, "bad", ...refusals].map((what) => `hawser.1 server: ${what}`),
      ...["hello", "request", "bad", ...refusals].map((what) => `2.0 server: ${what}`),
      ...["welcome", "event", "reply", "goaway", "bad"].map((what) => `2.0 client: ${what}`),
    ]
    const rare = expected.filter((what) => (run.statistics.seen.get(what) ?? 0) < 50)
    expect(rare).toEqual([])
  })
})
