// Makes inputs for the decoders from a seed: raw bytes, and frames of both profiles that are whole or damaged in ways
// that keep most of their structure. The same seed gives the same input. Must not know codecs.
import { seededRandom } from "@hawser/protocol/testing"
import { mutate } from "./mutate.ts"
import { keys, writeCount, writeMap, writeText, writeValue, writer } from "./values.ts"
import { below, pick } from "./writer.ts"
import type { Random } from "./writer.ts"

export const inputKinds = ["raw", "structured"] as const
export type InputKind = (typeof inputKinds)[number]

/** Type names of the contract that the fuzzed codecs know. */
export const typeNames = ["move", "chatMessage", "mapChunks", "x1", "leaveRoom"] as const

export function generate(kind: InputKind, seed: number): Uint8Array {
  const random = seededRandom(seed)
  return kind === "raw" ? rawBytes(random) : structured(random)
}

/** Lengths: mostly some tens of bytes, rarely up to 64 KiB, very rarely beyond a server's limit. */
function lengthOf(random: Random): number {
  const draw = random()
  if (draw < 0.001) return below(random, 66_000)
  return draw < 0.02 ? below(random, 1_500) : below(random, 48)
}

// First bytes of frames, and headers of values that lead deeper into a decoder than most bytes do.
const frameBytes = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x10, 0x11, 0x3f, 0x40, 0x41,
  0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x80, 0x81,
] as const
const heads = [
  0x00, 0x7f, 0x80, 0x81, 0x82, 0x85, 0x90, 0x91, 0x92, 0x93, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xbf, 0xc0, 0xc1,
  0xc2, 0xc4, 0xc5, 0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd6, 0xd7,
  0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
] as const

function rawBytes(random: Random): Uint8Array {
  const bytes = new Uint8Array(lengthOf(random))
  const style = below(random, 4)
  for (let at = 0; at < bytes.length; at += 1) {
    const isHead = style > 1 && random() < 0.7
    bytes[at] = isHead ? pick(random, heads) : below(random, style === 1 ? 128 : 256)
  }
  if (style === 3 && bytes.length > 1) {
    bytes[0] = pick(random, frameBytes)
    bytes[1] = 0x90 | below(random, 10)
  }
  return bytes
}

type Field = "count" | "digest" | "text" | "any" | "nil" | "map" | "counts" | "texts" | "claim" | "error"

const welcomeFields = [
  "text",
  "text",
  "count",
  "count",
  "count",
  "count",
  "counts",
  "count",
  "texts",
] as const

/** First byte, then the items of the array. */
const frames: readonly [readonly [number, readonly Field[]], ...(readonly [number, readonly Field[]])[]] = [
  [0x01, ["count", "text", "nil", "text", "count"]],
  [0x01, ["count", "text", "claim", "text", "count"]],
  [0x02, [...welcomeFields, "nil", "digest"]],
  [0x02, [...welcomeFields, "text", "digest"]],
  [0x03, ["text"]],
  [0x04, ["count"]],
  [0x05, ["count"]],
  [0x05, ["nil"]],
  [0x06, ["count"]],
  [0x07, ["count", "count"]],
  [0x08, ["count", "count"]],
  [0x09, ["text", "count", "count"]],
  [0x0a, ["text", "count"]],
  [0x0b, ["count", "digest"]],
  [0x0c, ["count"]],
  [0x0d, ["text", "text"]],
  [0x40, ["count", "any"]],
  [0x10, ["text", "count"]],
  [0x11, ["any"]],
  [0x41, ["count", "any", "count"]],
  [0x41, ["count", "any", "count", "text"]],
  [0x42, ["count", "count", "any"]],
  [0x42, ["count", "count", "error"]],
  [0x43, ["count", "any"]],
  [0x44, ["count", "count"]],
  [0x44, ["count", "count", "error"]],
  [0x45, ["count"]],
  [0x46, ["text", "count", "count", "any"]],
  [0x47, ["count", "count"]],
  [0x80, ["count", "any"]],
  [0x81, ["text", "count", "any"]],
]

function writeField(random: Random, field: Field): void {
  switch (field) {
    case "count":
      // Mostly numbers of known types.
      if (random() < 0.7) writer.integer(below(random, typeNames.length), below(random, 9))
      else writeCount(random)
      break
    case "digest":
      writer.integer(below(random, 2 ** 32), below(random, 9))
      break
    case "text":
      writeText(random)
      break
    case "any":
      writeValue(random, 1)
      break
    case "nil":
      writer.head(0xc0)
      break
    case "map":
      writeMap(random, 1)
      break
    case "counts":
      writer.array(1)
      writeCount(random)
      break
    case "texts":
      writer.array(2)
      writeText(random)
      writeText(random)
      break
    case "claim":
      writer.array(4)
      for (const part of ["text", "text", "count", "digest"] as const) writeField(random, part)
      break
    case "error":
      writer.array(5)
      for (const part of ["text", "text", "count", "count", "map"] as const) writeField(random, part)
      break
  }
}

function writeFrame(random: Random): void {
  const [firstByte, fields] = pick(random, frames)
  writer.byte(firstByte)
  const more = random() < 0.05 ? below(random, 3) : 0
  writer.array(fields.length + more, random() < 0.95 ? 0 : below(random, 3))
  for (const field of fields) writeField(random, random() < 0.02 ? "any" : field)
  for (let extra = 0; extra < more; extra += 1) writeValue(random, 1)
}

const envelopeTypes = [
  "cmd_authenticate",
  "cmd_move",
  "cmd_chat_message",
  "query_map_chunks",
  "query_",
  "event_welcome",
  "event_left",
  "event_server_shutdown",
  "resp_success",
  "resp_data",
  "resp_error",
  "cmd_mapChunks",
  "foo_bar",
  "cmd",
  "cmd__x",
  "cmd_\u2028\u001b[31m\r\n",
  `foo_${"\u0001".repeat(200)}`,
] as const

function writeEnvelope(random: Random): void {
  const members = ["id", "type", "payload", "timestamp", "version"].slice(0, random() < 0.5 ? 3 : 5)
  const isShuffled = random() < 0.2
  if (isShuffled) members.sort(() => random() - 0.5)
  const hasMore = random() < 0.05
  writer.map(members.length + (hasMore ? 1 : 0), random() < 0.95 ? 0 : below(random, 3))
  for (const member of members) {
    writer.text(member)
    if (random() < 0.02) writeValue(random, 1)
    else writeMember(random, member)
  }
  if (hasMore) {
    writer.text(pick(random, keys))
    writeValue(random, 1)
  }
}

function writeMember(random: Random, member: string): void {
  if (member === "id" && random() < 0.3) writer.head(0xc0)
  else if (member === "id") writeText(random)
  else if (member === "type") writer.text(pick(random, envelopeTypes))
  else if (member === "payload") writePayload(random)
  else if (member === "timestamp") writer.integer(1_700_000_000_123, below(random, 2))
  else writer.text("2.0")
}

function writePayload(random: Random): void {
  if (random() < 0.8) return writeMap(random, 1)
  writer.map(3)
  for (const [key, field] of [
    ["token", "text"],
    ["countdown_seconds", "count"],
    ["details", "map"],
  ] as const) {
    writer.text(key)
    writeField(random, field)
  }
}

function structured(random: Random): Uint8Array {
  writer.clear()
  const isEnvelope = random() < 0.5
  if (isEnvelope) writeEnvelope(random)
  else writeFrame(random)
  const whole = writer.take()
  const damages = random() < 0.35 ? 0 : 1 + below(random, random() < 0.7 ? 1 : 4)
  return mutate(whole, { heads: writer.heads, random, times: damages })
}
