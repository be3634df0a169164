// Builds the content of docs/vectors.json from the real codecs. The same content is built each time.
import { ReplicaSchema, errorTable, wireVersion } from "@hawser/protocol/core"
import { fieldsSample } from "./cells-fields-sample.ts"
import { partsSample } from "./cells-parts-sample.ts"
import { codeSamples } from "./code-samples.ts"
import { conversation } from "./conversation.ts"
import { described, jsonOf } from "./described.ts"
import type { Json } from "./described.ts"
import { digestSamples } from "./digest-samples.ts"
import { envelopeCodec, envelopeSamples } from "./envelope-samples.ts"
import { fieldSamples } from "./field-samples.ts"
import { sampleCount, sampleTypes } from "./frame-sample.ts"
import { frameSamples, sampleCodec } from "./frame-samples.ts"
import { ReplicaCopy } from "./replica-copy.ts"
import { envelopeJson, readingSamples, valueSamples } from "./value-samples.ts"

const about = [
  "Test vectors of the protocol in protocol.md, section 23. `npm run vectors` writes this file from the real codecs.",
  "`hex` is a whole WebSocket message. `json` is the message by the names of section 4; elements that it lacks are left out.",
  "A type is written by its name in `types`. Values that JSON lacks are maps with one key: `$binary` (hex), `$timestampMs`, `$float`.",
  "`tests/vectors/decode.py` reads all of them.",
]

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

function frames(): Json {
  return frameSamples.map(({ name, what, frame }) => {
    const bytes = sampleCodec.encode(frame)
    return { name, what, hex: hexOf(bytes), json: jsonOfFrame(bytes) }
  })
}

/** Returns the frame as the codec reads it: its JSON, `ignored` or `bad`. */
function jsonOfFrame(bytes: Uint8Array): Json {
  const frame = sampleCodec.decode(bytes, sampleCount)
  if (frame.kind === "bad") return "bad"
  if (frame.kind === "unknownControl") return "ignored"
  if (frame.kind === "replicaParts") throw new TypeError("CELLS is read by its replica")
  return described(frame)
}

function readings(): Json {
  return readingSamples.map(([what, hex]) => ({ what, hex, json: jsonOfFrame(Buffer.from(hex, "hex")) }))
}

function replicas(): Json {
  return [partsSample, fieldsSample].map(({ name, what, number, schema, frames: cells }) => {
    const bytes = sampleCodec.encode({ kind: "replica", replica: number, name, schema: schema.shape })
    const copy = new ReplicaCopy(ReplicaSchema.from(jsonOf(schema.shape)) ?? schema)
    return {
      ...{ name, what, replica: { hex: hexOf(bytes), json: jsonOfFrame(bytes) } },
      frames: cells.map((sample) => {
        const json = copy.apply(sample.bytes)
        return { what: sample.what, hex: hexOf(sample.bytes), json, cells: copy.cells }
      }),
    }
  })
}

function envelopes(): Json {
  return Object.entries(envelopeSamples).map(([name, { what, frame }]) => {
    const bytes = envelopeCodec.encode(frame)
    return { name, what, hex: hexOf(bytes), json: envelopeJson(bytes) }
  })
}

/** Codes of RES and END by their numbers. */
function statuses(): Json {
  const entries = Object.entries(errorTable).map(([code, { wire }]) => [wire, code] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => a - b).map(([wire, code]) => [String(wire), code]))
}

/** Returns the content of docs/vectors.json. */
export async function buildVectors(): Promise<{ readonly [name: string]: Json }> {
  return {
    about,
    wireVersion,
    types: sampleTypes,
    statuses: statuses(),
    values: valueSamples,
    frames: frames(),
    readings: readings(),
    codes: codeSamples,
    fields: jsonOf(fieldSamples),
    replicas: replicas(),
    digests: digestSamples,
    conversation: await conversation(),
    profile20: envelopes(),
  }
}
