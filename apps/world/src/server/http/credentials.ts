// Checks names and passwords, and describes a refusal as a list of `{ type, loc, msg, input, ctx }`. A refusal repeats
// at most 100 bytes of a name, no password, and no text that may contain one.
import { z } from "zod"
import { isReservedName } from "../../rules/names.ts"
import { jsonReply, refusal } from "./reply.ts"
import type { RequestBody } from "./request-body.ts"

export interface Credentials {
  readonly username: string
  readonly password: string
  /** True for a renewable log-in: the answer then sets a cookie. */
  readonly renewable?: boolean | undefined
}

/** Body of a registration. */
export const newCredentials = z
  .object({
    username: z
      .string()
      .min(3)
      .max(50)
      .regex(/^[A-Za-z0-9_-]*$/)
      .refine((username) => !isReservedName(username))
      .meta({ description: "Not a reserved name; compared without case", examples: ["anna"] }),
    password: z
      .string()
      .min(8)
      .max(128)
      .meta({ examples: ["correct horse"] }),
  })
  .meta({ title: "NewCredentials" })

/** Body of a log-in. The bounds limit the work; any other text is accepted. */
export const loginCredentials = z
  .object({
    username: z
      .string()
      .min(1)
      .max(128)
      .meta({ examples: ["anna"] }),
    password: z
      .string()
      .min(1)
      .max(128)
      .meta({ examples: ["correct horse"] }),
    // Another value is ignored, because unknown keys of clients of 2.0 are ignored too.
    renewable: z
      .boolean()
      .optional()
      .catch(undefined)
      .meta({ description: "True: the answer sets the cookie that renews the log-in", examples: [true] }),
  })
  .meta({ title: "LoginCredentials" })

const reasonTypes = [
  "dict_type",
  "json_invalid",
  "missing",
  "string_pattern_mismatch",
  "string_too_long",
  "string_too_short",
  "string_type",
  "value_error",
] as const

const reasonBody = z.object({
  type: z.enum(reasonTypes),
  loc: z.array(z.string()),
  msg: z.string(),
  input: z.string().nullable(),
  ctx: z.record(z.string(), z.union([z.string(), z.number()])),
})

type Reason = z.infer<typeof reasonBody>

/** Body of a refusal with 422: one reason for each wrong field. */
export const invalidBody = z.object({ detail: z.array(reasonBody) }).meta({ title: "InvalidBody" })

/** Returns the credentials in a body, or the refusal to send: 413 or 422. */
export function readCredentials(
  schema: z.ZodType<Credentials>,
  body: RequestBody,
): { readonly credentials: Credentials } | { readonly reply: Response } {
  if (body.kind === "tooLarge") {
    return { reply: refusal(413, "The request is larger than 16 KiB", { Connection: "close" }) }
  }
  if (body.kind === "malformed") return { reply: invalid([malformed]) }
  const read = schema.safeParse(body.value)
  if (read.success) return { credentials: read.data }
  // Keeps the first reason of each field: the length of a value that is no text has no meaning.
  const issues = read.error.issues.filter(
    ({ path }, index, all) => all.findIndex((other) => other.path[0] === path[0]) === index,
  )
  return { reply: invalid(issues.map((issue) => reasonOf(issue, body.value))) }
}

function invalid(reasons: readonly Reason[]): Response {
  return jsonReply(422, { detail: reasons })
}

/** Bound of a name that a refusal repeats, in bytes of JSON. */
const echoMaxBytes = 100

const malformed: Reason = {
  type: "json_invalid",
  loc: ["body"],
  msg: "The body is not valid JSON",
  input: null,
  ctx: { error: "not valid JSON" },
}

function reasonOf(issue: z.core.$ZodIssue, body: unknown): Reason {
  const [field] = issue.path
  const value = z.looseObject({ username: z.unknown() }).safeParse(body)
  const username = field === "username" && value.success ? value.data.username : undefined
  const input = typeof username === "string" ? echoOf(username) : null
  return { loc: ["body", ...issue.path.map(String)], input, ...violationOf(issue, body) }
}

/** Returns the beginning of a text, at most `echoMaxBytes` of JSON. */
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

function violationOf(issue: z.core.$ZodIssue, body: unknown): Pick<Reason, "type" | "msg" | "ctx"> {
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
