// Decides which names and passwords are acceptable, and how a refusal reads: a list of `{ type, loc, msg, input, ctx }`.
// Must not repeat a password, nor text that may hold one, nor more than 100 bytes of a name.
import { z } from "zod"
import { isReservedName } from "../../rules/names.ts"
import { jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"
import type { RequestBody } from "./request-body.ts"

export interface Credentials {
  readonly username: string
  readonly password: string
  /** True if the log-in is to be renewable: the answer then sets a cookie. */
  readonly renewable?: boolean | undefined
}

/** What a new account must have. */
export const newCredentials = z.object({
  username: z
    .string()
    .min(3)
    .max(50)
    .regex(/^[A-Za-z0-9_-]*$/)
    .refine((username) => !isReservedName(username)),
  password: z.string().min(8).max(128),
})

/** What a login must have: bounds for the work, else any text. */
export const loginCredentials = z.object({
  username: z.string().min(1).max(128),
  password: z.string().min(1).max(128),
  // Another value is ignored, because unknown keys of clients of 2.0 are ignored too.
  renewable: z.boolean().optional().catch(undefined),
})

/** The credentials in a body, or the refusal to send: 413 or 422. */
export function readCredentials(
  schema: z.ZodType<Credentials>,
  body: RequestBody,
): { readonly credentials: Credentials } | { readonly reply: Reply } {
  if (body.kind === "tooLarge") {
    return { reply: refusal(413, "The request is larger than 16 KiB", { Connection: "close" }) }
  }
  if (body.kind === "malformed") return { reply: jsonReply(422, { detail: [malformedDetail] }) }
  const read = schema.safeParse(body.value)
  if (read.success) return { credentials: read.data }
  // One reason a field, the first: of something that is no text, its length says nothing.
  const reasons = read.error.issues.filter(
    ({ path }, index, all) => all.findIndex((other) => other.path[0] === path[0]) === index,
  )
  return { reply: jsonReply(422, { detail: reasons.map((issue) => detailOf(issue, body.value)) }) }
}

/** Bytes of JSON in which a refusal repeats a name. */
const echoMaxBytes = 100

const malformedDetail = {
  type: "json_invalid",
  loc: ["body"],
  msg: "The body is not valid JSON",
  input: null,
  ctx: { error: "not valid JSON" },
}

function detailOf(issue: z.core.$ZodIssue, body: unknown) {
  const [field] = issue.path
  const value = z.looseObject({ username: z.unknown() }).safeParse(body)
  const username = field === "username" && value.success ? value.data.username : undefined
  const input = typeof username === "string" ? echoOf(username) : null
  return { loc: ["body", ...issue.path.map(String)], input, ...reasonOf(issue, body) }
}

/** The beginning of a text, at most `echoMaxBytes` once it is encoded as JSON. */
function echoOf(text: string): string {
  let echo = ""
  let bytes = Buffer.byteLength(JSON.stringify(echo))
  for (const char of text.slice(0, echoMaxBytes)) {
    bytes += Buffer.byteLength(JSON.stringify(char)) - 2
    if (bytes > echoMaxBytes) break
    echo += char
  }
  return echo
}

function reasonOf(issue: z.core.$ZodIssue, body: unknown) {
  if (issue.code === "too_small") {
    const ctx = { min_length: Number(issue.minimum) }
    return { type: "string_too_short", msg: `Text should have at least ${ctx.min_length} characters`, ctx }
  }
  if (issue.code === "too_big") {
    const ctx = { max_length: Number(issue.maximum) }
    return { type: "string_too_long", msg: `Text should have at most ${ctx.max_length} characters`, ctx }
  }
  if (issue.code === "invalid_format") {
    const ctx = { pattern: "^[A-Za-z0-9_-]+$" }
    return { type: "string_pattern_mismatch", msg: "Only letters, digits, _ and - are allowed", ctx }
  }
  if (issue.code === "custom") {
    return { type: "value_error", msg: "This name is reserved; choose another", ctx: { error: "reserved" } }
  }
  const [field] = issue.path
  if (field === undefined) return { type: "dict_type", msg: "The body should be an object", ctx: {} }
  const isMissing = typeof body === "object" && body !== null && !(field in body)
  return isMissing
    ? { type: "missing", msg: "Field required", ctx: {} }
    : { type: "string_type", msg: "Value should be text", ctx: {} }
}
