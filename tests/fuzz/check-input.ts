// Checks that must hold for any bytes, at both ends of both profiles, from the payload codec to the frame codecs:
// another library decodes an accepted value to the same value. Must not know how inputs are made.
//
// Work is counted, not timed: the number of bytes that the payload codec reads (of a sample of the inputs:
// `countReads`), and the values that it builds: elements ≤ maxElements and ≤ the message's bytes, content ≤ the
// message's bytes.
//
// Heap is bounded by 64 × input + 4 KiB, and no smaller factor holds: an empty map is one byte of a message and 64 of
// heap, with its place in an array. `maxElements` bounds it too: the most expensive element is an empty binary, 112
// bytes of heap for two of input. So the 10,000 elements of a server's message take at most 1.1 MB, and 640 KB if they
// are the maps; its 64 KiB of content, if that is text, another 128 KiB.
//
// Work is counted, not timed: the number of bytes that the payload codec reads (of a sample of the inputs: `countReads`),
// and what it builds: elements ≤ maxElements and ≤ the message's bytes, content ≤ the message's bytes.
import { integer, oneOf, optional, real, text } from "@hawser/protocol"
import {
  ReplicaSchema,
  TypeTable,
  clientMessageLimits,
  createFrameCodec,
  createPayloadCodec,
  readReplicaFrame,
  serverMessageLimits,
} from "@hawser/protocol/core"
import type { MessageLimits } from "@hawser/protocol"
import type { BadFrame, Codec, Frame, FrameClass, PayloadCodec, WireError } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { decode } from "@msgpack/msgpack"
import { typeNames } from "./generate.ts"
import { difference, measure } from "./measure.ts"

/** Heap of an accepted message, by the estimate of `measure`. */
const heapFactor = 64
/** Members of the frame around the payload, and a default message. */
const heapConstantBytes = 4_096
/** Reads of the payload codec: a map key of one byte is read most often. */
const readFactor = 8
const readConstant = 32
/** A refusal shows at most 64 characters of the peer, escapes included, and is one line. */
const refusalMaxLength = 128
const manyLines = /[\p{C}\p{Zl}\p{Zp}]/u
const requestCount = 7

export interface Violation {
  readonly subject: string
  readonly text: string
}

/** Statistics over all inputs. An input counts once for each end that decoded it. */
export interface Statistics {
  acceptedCount: number
  refusedCount: number
  /** The greatest ratio of estimated heap to bytes of input, of inputs with 64 bytes or more. */
  maxHeapFactor: number
  /** The greatest ratio of reads to bytes of input, of inputs with 64 bytes or more. */
  maxReadFactor: number
  /**
   * Counts of frames by kind at each end, and of refusals by cause: `2.0 server: request`. `bad` is not the payload
   * codec's.
   */
  readonly seen: Map<string, number>
}

export function emptyStatistics(): Statistics {
  return { acceptedCount: 0, refusedCount: 0, maxHeapFactor: 0, maxReadFactor: 0, seen: new Map() }
}

interface Subject {
  readonly name: string
  readonly codec: Codec
  /** Payload codec that accepts any value of this subject, from either side. */
  readonly wide: Codec
  readonly payloads: PayloadCodec
  readonly limits: MessageLimits
  readonly start: number
}

const types = new TypeTable(typeNames)
const wallClockMs = (): number => 1_700_000_000_123
const wideFrames = createFrameCodec(types, clientMessageLimits)
const wideEnvelopes = createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs })

function frameSubject(name: string, limits: MessageLimits): Subject {
  const codec = createFrameCodec(types, limits)
  return { name, codec, wide: wideFrames, payloads: createPayloadCodec(limits), limits, start: 1 }
}

function envelopeSubject(name: string, limits: MessageLimits, side?: "server" | "client"): Subject {
  const codec = createEnvelopeCodec({ limits, wallClockMs, ...(side === undefined ? {} : { side }) })
  return { name, codec, wide: wideEnvelopes, payloads: createPayloadCodec(limits), limits, start: 0 }
}

const subjects: readonly Subject[] = [
  frameSubject("hawser.1 server", serverMessageLimits),
  frameSubject("hawser.1 client", clientMessageLimits),
  envelopeSubject("2.0 server", serverMessageLimits, "server"),
  envelopeSubject("2.0 client", clientMessageLimits, "client"),
]
const thoroughSubjects: readonly Subject[] = [
  ...subjects,
  envelopeSubject("2.0 recording", clientMessageLimits),
]

/** All violations by the ends with these bytes. `isThorough`, which is slow, counts the reads too. */
export function checkInput(
  bytes: Uint8Array,
  statistics: Statistics,
  isThorough: boolean,
): readonly Violation[] {
  const violations: Violation[] = []
  for (const subject of isThorough ? thoroughSubjects : subjects) {
    const text =
      checkSubject(subject, bytes, statistics) ??
      (isThorough ? countReads(subject, bytes, statistics) : undefined)
    if (text !== undefined) violations.push({ subject: subject.name, text })
  }
  // A polluted prototype has an enumerable key here.
  for (const key in {}) violations.push({ subject: "Object.prototype", text: `has got the key ${key}` })
  return violations
}

/** The ends that accept these bytes as a message. */
export function takersOf(bytes: Uint8Array): readonly string[] {
  const takers = subjects.filter(({ codec }) => {
    const { kind } = codec.decode(bytes, requestCount)
    // Packed bits have no owner before a replica reads them.
    return kind !== "bad" && kind !== "replicaParts"
  })
  return takers.map(({ name }) => name)
}

function checkSubject(subject: Subject, bytes: Uint8Array, statistics: Statistics): string | undefined {
  try {
    const body = subject.payloads.decode(bytes, subject.start)
    const refusal = body.ok ? undefined : body.error
    const frame = subject.codec.decode(bytes, requestCount)
    note(frame.kind === "bad" ? (refusal?.message ?? "bad") : frame.kind, subject, statistics)
    if (frame.kind === "bad") statistics.refusedCount += 1
    else statistics.acceptedCount += 1
    if (frame.kind === "bad") return checkRefusal(frame, refusal, subject)
    if (frame.kind === "replicaParts") return checkParts(frame.bytes)
    if (!body.ok) return `accepted a ${frame.kind} whose body is refused: ${body.error.message}`
    return (
      checkClass(subject.codec.classify(bytes), frame) ??
      checkFields(subject, frame) ??
      checkValue(subject, bytes, body.value) ??
      checkSize(subject, bytes, { value: body.value, frame, statistics }) ??
      checkRoundTrip(subject, frame)
    )
  } catch (error) {
    return `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
  }
}

const partsSchema = ReplicaSchema.of({
  x: real({ min: 0, max: 1_000, step: 0.25 }),
  hp: integer(),
  name: text(),
  facing: oneOf(["up", "down", "left"]),
  title: optional(text()),
})
const knownRecord = [400, 7, "ann", 1, undefined]
const knownState = { record: knownRecord, before: [404, 7, "ann", 1, undefined] }

/** Any other frame must be refused with a RangeError, and a decoded value must not exceed the bounds of its bytes. */
function checkParts(bytes: Uint8Array): string | undefined {
  let records = 0
  try {
    readReplicaFrame(bytes, () => ({
      schema: partsSchema,
      recordAt: (_cell, slot) => (slot < 4 ? knownState : undefined),
      slotsOf: () => [0, 1, 2, 3],
      snapshot: (_cell, snapshot) => void (records += snapshot.records.length),
      delta: (_cell, changes) => void (records += changes.length),
      keep() {},
      drop() {},
    }))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return records > bytes.length * 8 ? `read ${records} records out of ${bytes.length} bytes` : undefined
}

function note(what: string, subject: Subject, { seen }: Statistics): void {
  const key = `${subject.name}: ${what}`
  seen.set(key, (seen.get(key) ?? 0) + 1)
}

function checkRefusal(frame: BadFrame, refusal: WireError | undefined, subject: Subject): string | undefined {
  const { code, message } = frame.error
  if (refusal !== undefined && (code !== refusal.code || message !== refusal.message))
    return `refused with ${code} for "${message.slice(0, 99)}", not as the payload codec did`
  if (refusal === undefined && code === "message_too_large")
    return "refused as too large a message within the limit"
  if (message.length > refusalMaxLength)
    return `wrote a refusal of ${message.length} characters: ${message.slice(0, 99)}…`
  if (manyLines.test(message)) return `wrote a refusal that is no plain line: ${JSON.stringify(message)}`
  const isOwnKind =
    subject.start === 1 ? typeof frame.reference !== "string" : typeof frame.reference !== "number"
  return isOwnKind ? undefined : `refers to ${frame.reference}`
}

const classOf: Readonly<Record<Frame["kind"], FrameClass>> = {
  hello: "control",
  welcome: "control",
  auth: "control",
  authRequest: "control",
  authOk: "control",
  ack: "control",
  void: "control",
  reset: "control",
  sync: "control",
  unknownControl: "control",
  ping: "control",
  pong: "control",
  goaway: "control",
  busy: "control",
  throttled: "control",
  bye: "control",
  have: "control",
  cancel: "reliable",
  credit: "reliable",
  item: "reliable",
  end: "reliable",
  event: "reliable",
  request: "reliable",
  reply: "reliable",
  topicEvent: "reliable",
  volatile: "volatile",
  replica: "volatile",
  replicaParts: "volatile",
}

/** Profile `2.0` has no counts, and its class carries no meaning. */
function checkClass(found: FrameClass, frame: Frame): string | undefined {
  return found === classOf[frame.kind] || found === "control"
    ? undefined
    : `classes a ${frame.kind} as ${found}`
}

function checkFields(subject: Subject, frame: Frame): string | undefined {
  if (frame.kind === "request" && subject.start === 1 && frame.reference !== requestCount)
    return `gave a request the number ${frame.reference}`
  const details = errorOf(frame)?.details
  if (details !== undefined && !isMap(details)) return "took details that are no map"
  if (subject.start === 1) return undefined
  const payload = payloadOf(frame)
  return payload === undefined || isMap(payload) ? undefined : `took a ${frame.kind} whose payload is no map`
}

function errorOf(frame: Frame): WireError | undefined {
  if (frame.kind === "reply") return frame.outcome.ok ? undefined : frame.outcome.error
  return frame.kind === "end" ? frame.error : undefined
}

function payloadOf(frame: Frame): unknown {
  if (frame.kind === "reply") return frame.outcome.ok ? frame.outcome.payload : undefined
  return frame.kind === "request" || frame.kind === "event" || frame.kind === "welcome"
    ? frame.payload
    : undefined
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/**
 * Compares with another library's result, except for byte-order marks at the beginning of long text, which it drops.
 */
function checkValue(subject: Subject, bytes: Uint8Array, value: unknown): string | undefined {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("\ufeff")) return undefined
  return difference(decode(bytes.subarray(subject.start)), value, "the library's value")
}

interface SizeOptions {
  readonly value: unknown
  readonly frame: Frame
  readonly statistics: Statistics
}

function checkSize(
  subject: Subject,
  bytes: Uint8Array,
  { value, frame, statistics }: SizeOptions,
): string | undefined {
  const { maxElements, maxDepth } = subject.limits
  const payload = measure(value)
  if (payload.fault !== undefined) return `decoded ${payload.fault}`
  if (payload.elements > Math.min(maxElements, bytes.length)) return `decoded ${payload.elements} elements`
  if (payload.depth > maxDepth) return `decoded containers ${payload.depth} deep`
  if (payload.contentBytes > bytes.length) return `decoded ${payload.contentBytes} bytes of content`
  const heapBytes = Math.max(payload.heapBytes, measure(frame).heapBytes)
  if (bytes.length >= 64)
    statistics.maxHeapFactor = Math.max(statistics.maxHeapFactor, heapBytes / bytes.length)
  return heapBytes > heapFactor * bytes.length + heapConstantBytes
    ? `takes ${heapBytes} bytes of heap`
    : undefined
}

function checkRoundTrip({ wide, start }: Subject, frame: Frame): string | undefined {
  // A frame of a later version is decoded and dropped; neither is it encoded again. The same holds for a number without
  // a type, which is reported by a name that no contract can have.
  if (frame.kind === "unknownControl") return undefined
  if (start === 1 && frame.kind !== "reply" && "type" in frame && frame.type.startsWith("#")) return undefined
  const again = wide.decode(wide.encode(frame), requestCount)
  // `2.0` carries whole seconds.
  const expected =
    start === 0 && frame.kind === "goaway"
      ? { ...frame, deadlineMs: Math.ceil(frame.deadlineMs / 1_000) * 1_000 }
      : frame
  return difference(expected, again, frame.kind)
}

function countReads(subject: Subject, bytes: Uint8Array, statistics: Statistics): string | undefined {
  let reads = 0
  const watched = new Proxy(bytes, {
    get(target, key) {
      if (key !== "length") reads += 1
      // The platform reads a part of the message, each byte once.
      if (key === "subarray") {
        return (from: number, end: number): Uint8Array => {
          reads += Math.max(0, end - from)
          return target.subarray(from, end)
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return value
    },
  })
  subject.payloads.decode(watched, subject.start)
  if (bytes.length >= 64) statistics.maxReadFactor = Math.max(statistics.maxReadFactor, reads / bytes.length)
  return reads > readFactor * bytes.length + readConstant ? `read ${reads} times` : undefined
}
