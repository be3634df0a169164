// Common checks of every reply, and the proof that a request got exactly one.
import { randomUUID } from "node:crypto"
import { expectEqual, textAt } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import type { RawClient } from "./raw-client.ts"
import { anyMap, either, expectShape, fields, nil, nonEmptyText, numeric, oneOf, text } from "./shape.ts"

/** The seven fields of section 10, all present, nil where unused. */
const errorShape = fields({
  error: nonEmptyText,
  error_code: nonEmptyText,
  code: nonEmptyText,
  category: oneOf("validation", "permission", "system", "rate_limit"),
  details: either(anyMap, nil),
  retry_after: either(numeric, nil),
  suggested_action: either(text, nil),
})

export interface WantedError {
  readonly id?: string | null
  readonly code?: string
  readonly category?: string
}

export function expectError(frame: Frame, wanted: WantedError = {}): void {
  expectEqual("type of the reply", frame.type, "resp_error")
  expectShape("resp_error", frame.payload, errorShape)
  expectEqual("code beside error_code", frame.payload["code"], frame.payload["error_code"])
  if (wanted.id !== undefined) expectEqual("id of the resp_error", frame.id, wanted.id)
  if (wanted.code !== undefined) expectEqual("error_code", frame.payload["error_code"], wanted.code)
  if (wanted.category !== undefined) expectEqual("category", frame.payload["category"], wanted.category)
}

export function expectSuccess(frame: Frame): void {
  expectEqual(`type of the reply${errorNote(frame)}`, frame.type, "resp_success")
}

export function expectReplyWithContent(frame: Frame): void {
  expectEqual(`type of the reply${errorNote(frame)}`, frame.type, "resp_data")
}

function errorNote(frame: Frame): string {
  return frame.type === "resp_error" ? ` (its error_code: ${String(frame.payload["error_code"])})` : ""
}

export function isErrorCode(frame: Frame, ...codes: readonly string[]): boolean {
  return frame.type === "resp_error" && codes.includes(textAt(frame.payload, "error_code"))
}

/**
 * Sends a harmless request and waits for the reply. Replies of one socket come in request order (section 8), so all
 * earlier requests have their replies when this returns. It also proves that the socket is served.
 */
export async function expectServed(client: RawClient): Promise<void> {
  await client.request("query_stats", {})
}

/** Sends a request and returns its reply, after a check that no second one follows. */
export async function requestOnce(client: RawClient, type: string, payload: unknown): Promise<Frame> {
  const id = randomUUID()
  const from = client.frames.length
  const reply = await client.request(type, payload, id)
  await expectServed(client)
  const count = client.frames.slice(from).filter((frame) => isReply(frame) && frame.id === id).length
  expectEqual(`number of replies to ${type}`, count, 1)
  return reply
}

/** Sends a frame without a readable id and waits for the error that answers it. */
export async function errorAfter(client: RawClient, send: () => void): Promise<Frame> {
  const from = client.frames.length
  send()
  return await client.waitFor("a resp_error with id nil", (frame) => isReply(frame) && frame.id === null, {
    from,
  })
}
