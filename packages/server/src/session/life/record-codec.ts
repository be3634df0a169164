// Encodes session records as MessagePack with a version, and decodes them. Validates every field: a damaged record throws a
// TypeError with the name of the field.
import { createPayloadCodec, isMap, quoted } from "@hawser/protocol/core"
import type { DeliveryRecord, ValueRecord } from "@hawser/protocol/core"
import type { ClaimsRecord } from "./session.machine.ts"
import type { MembershipRecord, PresenceStateRecord, SessionRecord } from "./session-record.ts"

const version = 1

/** No bounds: records come from servers, and the limits of sessions bound them. */
const unbounded = { maxBytes: 2 ** 31, maxDepth: 64, maxElements: 2 ** 31, maxKeyBytes: 2 ** 31 }

/** Encodes a session record. @throws UnsendableError for a user that is not plain data. */
export function encodeSessionRecord(record: SessionRecord): Uint8Array {
  return createPayloadCodec(unbounded).encode({ version, ...record })
}

/** Decodes a session record. @throws TypeError with the name of an invalid field. @throws RangeError for another version. */
export function decodeSessionRecord(bytes: Uint8Array): SessionRecord {
  const decoded = createPayloadCodec(unbounded).decode(bytes, 0)
  if (!decoded.ok || !isMap(decoded.value))
    throw new TypeError("the bytes are no session record: no MessagePack map")
  const fields = new Fields(decoded.value)
  const found = fields.number("version")
  if (found !== version)
    throw new RangeError(`session record of version ${found}; this server reads ${version}`)
  return {
    id: fields.text("id"),
    clientId: fields.text("clientId"),
    user: fields.value("user"),
    address: fields.text("address"),
    claims: readClaims(fields.map("claims")),
    delivery: readDelivery(fields.map("delivery")),
    streams: fields.numbers("streams"),
    memberships: fields.list("memberships").map(readMembership),
  }
}

function readClaims(fields: Fields): ClaimsRecord {
  return {
    generation: fields.number("generation"),
    isConfirmed: fields.flag("isConfirmed"),
    lastDial: fields.number("lastDial"),
    takeoversAgoMs: fields.numbers("takeoversAgoMs"),
    windowMs: fields.number("windowMs"),
    spentMs: fields.number("spentMs"),
  }
}

function readDelivery(fields: Fields): DeliveryRecord {
  const sent = fields.map("sent")
  const received = fields.map("received")
  return {
    sent: {
      base: sent.number("base"),
      baseDigest: sent.number("baseDigest"),
      messages: sent.list("messages").map((message) => bytesOf("messages", message)),
    },
    received: {
      handled: received.number("handled"),
      handledDigest: received.number("handledDigest"),
      settledAhead: received.numbers("settledAhead"),
    },
    values: fields.list("values").map(readValue),
  }
}

function readValue(value: unknown): ValueRecord {
  const fields = Fields.of("values", value)
  return { key: fields.text("key"), bytes: bytesOf("bytes", fields.value("bytes")) }
}

function readMembership(value: unknown): MembershipRecord {
  const fields = Fields.of("memberships", value)
  const state = fields.value("state")
  return {
    topic: fields.text("topic"),
    session: fields.text("session"),
    member: fields.number("member"),
    state: state === null ? null : readState(Fields.of("state", state)),
    away: fields.flag("away"),
    isBehind: fields.flag("isBehind"),
  }
}

function readState(fields: Fields): PresenceStateRecord {
  return {
    bytes: bytesOf("bytes", fields.value("bytes")),
    depth: fields.number("depth"),
    elements: fields.number("elements"),
    longestKeyBytes: fields.number("longestKeyBytes"),
  }
}

function bytesOf(name: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(name, value)
  // A view would keep the bytes of the whole record in memory.
  return value.slice()
}

function wrong(name: string, value: unknown): TypeError {
  return new TypeError(`a session record has an invalid "${name}": ${quoted(value)}`)
}

/** One map of a record. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields
  }

  static of(name: string, value: unknown): Fields {
    if (!isMap(value)) throw wrong(name, value)
    return new Fields(value)
  }

  value(name: string): unknown {
    if (!Object.hasOwn(this.#fields, name)) throw wrong(name, undefined)
    return this.#fields[name]
  }

  text(name: string): string {
    const value = this.value(name)
    if (typeof value !== "string") throw wrong(name, value)
    return value
  }

  number(name: string): number {
    return numberOf(name, this.value(name))
  }

  flag(name: string): boolean {
    const value = this.value(name)
    if (typeof value !== "boolean") throw wrong(name, value)
    return value
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name)
    if (!Array.isArray(value)) throw wrong(name, value)
    return value
  }

  numbers(name: string): readonly number[] {
    return this.list(name).map((value) => numberOf(name, value))
  }

  map(name: string): Fields {
    return Fields.of(name, this.value(name))
  }
}

function numberOf(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(name, value)
  return value
}
