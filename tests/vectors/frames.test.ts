// Encodes and decodes the vectors of docs/vectors.json with the codecs of both profiles. A vector that changes needs an entry in
// history.json; a new frame, kind of part, kind of field or code needs a vector.
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  ReplicaSchema,
  classifyFirstByte,
  errorTable,
  fieldKinds,
  frameByte,
  partKind,
  subprotocol,
  wireVersion,
} from "@hawser/protocol/core"
import type { Codec, Frame, Profile } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { described } from "./described.ts"
import { envelopeCodec, envelopeSamples } from "./envelope-samples.ts"
import { readVectors, vectorsSchema } from "./file.ts"
import { sampleCount } from "./frame-sample.ts"
import { frameSamples, sampleCodec } from "./frame-samples.ts"
import { ReplicaCopy } from "./replica-copy.ts"

const vectors = vectorsSchema.parse(JSON.parse(readVectors()))
const entry = z.object({ wireVersion: z.number().optional(), change: z.string(), sha256: z.string() })
const history = z
  .object({ "hawser.1": z.array(entry), "2.0": z.array(entry) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "history.json"), "utf8")))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytesOf = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, "hex"))

interface Side {
  readonly codec: Codec
  readonly samples: Readonly<Record<string, Frame>>
  readonly digits: Readonly<Record<string, string>>
  /** All recorded messages: the history covers them. */
  readonly recorded: Readonly<Record<string, string>>
}

const digitsOf = (
  named: readonly { readonly name: string; readonly hex: string }[],
): Record<string, string> => Object.fromEntries(named.map(({ name, hex: digits }) => [name, digits]))

const frameDigits = digitsOf(vectors.frames)
const cells = vectors.replicas.flatMap((replica, at) =>
  [replica.replica, ...replica.frames].map(
    ({ hex: digits }, index) => [`replica ${at}.${index}`, digits] as const,
  ),
)

const sides: Readonly<Record<Profile, Side>> = {
  "hawser.1": {
    codec: sampleCodec,
    samples: Object.fromEntries(frameSamples.map(({ name, frame }) => [name, frame])),
    digits: frameDigits,
    recorded: { ...frameDigits, ...Object.fromEntries(cells) },
  },
  "2.0": {
    codec: envelopeCodec,
    samples: Object.fromEntries(Object.entries(envelopeSamples).map(([name, { frame }]) => [name, frame])),
    digits: digitsOf(vectors.profile20),
    recorded: digitsOf(vectors.profile20),
  },
}

/** Advice for an author whose change alters the wire. */
function whatToDo(profile: Profile, sha256: string): string {
  const first =
    profile === "2.0"
      ? "1. Clients that are not ours speak 2.0: take the change back unless every one of them reads the new bytes."
      : `1. Raise wireVersion (${wireVersion}) in version.ts, unless a peer of that version reads and writes as well as before: it ignores fields at the end and control frames that it does not know.`
  return [
    `The bytes of ${profile} have changed, or its vectors. If that is meant:`,
    first,
    "2. Change docs/protocol.md and the samples, then run `npm run vectors`, which writes docs/vectors.json.",
    `3. Append to the history of ${profile} in tests/vectors/history.json what has changed, with "sha256": "${sha256}". Never alter an older entry.`,
  ].join("\n")
}

describe.each(["hawser.1", "2.0"] as const)("the vectors of %s", (profile) => {
  const { codec, samples, digits, recorded } = sides[profile]

  it.each(Object.entries(samples))("are what is sent: %s", (name, frame) => {
    expect(hex(codec.encode(frame))).toBe(digits[name])
  })

  it.each(Object.entries(digits))("are read: %s", (name, text) => {
    const bytes = bytesOf(text)
    const frame = codec.decode(bytes, sampleCount)
    // An envelope does not contain all members of the frame.
    if (profile === subprotocol) expect(frame).toEqual(samples[name])
    else expect(frame.kind).not.toBe("bad")
    expect(codec.classify(bytes)).toBe(profile === subprotocol ? classifyFirstByte(bytes[0]) : "control")
  })

  it("hash to the last entry of their history", () => {
    const entries = history[profile]
    const sha256 = createHash("sha256").update(JSON.stringify(recorded)).digest("hex")
    expect(entries.at(-1)?.sha256, whatToDo(profile, sha256)).toBe(sha256)
    expect(new Set(entries.map((one) => one.sha256)).size).toBe(entries.length)
    expect(entries.filter(({ change }) => change === "")).toEqual([])
  })
})

describe("the vectors of hawser.1", () => {
  it("are those of the wire version in force", () => {
    const versions = history["hawser.1"].map((one) => one.wireVersion ?? 0)
    expect(versions.at(-1)).toBe(wireVersion)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })

  it.each(vectors.frames.map(({ name, hex: digits, json }) => [name, digits, json] as const))(
    "mean what their JSON says, and are encoded again to the same bytes: %s",
    (_name, digits, json) => {
      const frame = sampleCodec.decode(bytesOf(digits), sampleCount)
      if (frame.kind === "bad" || frame.kind === "unknownControl" || frame.kind === "replicaParts")
        throw new Error(`the vector is read as ${frame.kind}`)
      expect(described(frame)).toEqual(json)
      expect(hex(sampleCodec.encode(frame))).toBe(digits)
    },
  )

  it.each(vectors.readings.map(({ what, hex: digits, json }) => [what, digits, json] as const))(
    "are taken, ignored or refused: %s",
    (_what, digits, json) => {
      const frame = sampleCodec.decode(bytesOf(digits), sampleCount)
      if (frame.kind === "bad") expect(json).toBe("bad")
      else if (frame.kind === "unknownControl") expect(json).toBe("ignored")
      else if (frame.kind !== "replicaParts") expect(described(frame)).toEqual(json)
    },
  )

  it.each(vectors.replicas.map((sequence) => [sequence.name, sequence] as const))(
    "of the replica %s lead to its cells",
    (_name, { replica, frames }) => {
      const description = sampleCodec.decode(bytesOf(replica.hex), 0)
      const schema = description.kind === "replica" ? ReplicaSchema.from(description.schema) : undefined
      if (schema === undefined) throw new Error("the first frame is no REPLICA that can be read")
      const copy = new ReplicaCopy(schema)
      for (const { what, hex: digits, json, cells: held } of frames) {
        expect(copy.apply(bytesOf(digits)), what).toEqual(json)
        expect(copy.cells, what).toEqual(held)
      }
    },
  )

  it("cover every first byte", () => {
    const covered = Object.values(sides["hawser.1"].recorded).map((text) => bytesOf(text)[0])
    expect(new Set(covered)).toEqual(new Set(Object.values(frameByte)))
  })

  it("cover every kind of replica field", () => {
    expect(new Set(vectors.fields.map(({ kind }) => kind))).toEqual(new Set(fieldKinds))
  })

  it("cover every kind of part of CELLS", () => {
    const parts = vectors.replicas.flatMap(({ frames }) => frames.flatMap(({ json }) => json.parts))
    expect(new Set(parts.map(({ kind }) => kind))).toEqual(new Set(Object.keys(partKind)))
  })

  it("contain every code of the table with its number", () => {
    const numbers = Object.entries(errorTable).map(([code, { wire }]) => [String(wire), code])
    expect(vectors.statuses).toEqual(Object.fromEntries(numbers))
  })
})
