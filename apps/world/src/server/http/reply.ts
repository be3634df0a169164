// Builds the world's answers as `Response`s, with the header fields that every answer carries. Must not know the request.

/** Fields of an answer beside the common ones. */
type HeaderFields = Readonly<Record<string, string>>

const commonFields: HeaderFields = { "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" }

/** The page loads only from the origin of the world, may connect to any WebSocket, and cannot be framed. */
const pagePolicy = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "object-src 'none'",
].join("; ")

const html = "text/html; charset=utf-8"

/** Returns JSON that no cache keeps. */
export function jsonReply(status: number, value: unknown, fields: HeaderFields = {}): Response {
  const json = { "Content-Type": "application/json", "Cache-Control": "no-store", ...fields }
  return replyOf(status, JSON.stringify(value), json)
}

/** Returns `{ detail }`, the form of every refusal. */
export function refusal(status: number, detail: string, fields: HeaderFields = {}): Response {
  return jsonReply(status, { detail }, fields)
}

/** Returns a refusal with `Retry-After`, in whole seconds, at least 1. */
export function comeBackLater(status: 429 | 503, detail: string, afterMs: number): Response {
  return refusal(status, detail, { "Retry-After": String(Math.max(1, Math.ceil(afterMs / 1000))) })
}

export interface ContentOptions {
  readonly contentType: string
  /** `Cache-Control`: a year for content that never changes under its path; `no-cache` or `no-store` for other content. */
  readonly caching: "immutable" | "no-cache" | "no-store"
}

/** Returns 200 with these bytes. HTML gets the page's content security policy. */
export function contentReply(bytes: string | Uint8Array, { contentType, caching }: ContentOptions): Response {
  return replyOf(200, bytes, {
    "Content-Type": contentType,
    "Cache-Control": caching === "immutable" ? "public, max-age=31536000, immutable" : caching,
    ...(contentType === html ? { "Content-Security-Policy": pagePolicy } : {}),
  })
}

/** Returns 200 with HTML that is not a file. */
export function htmlReply(text: string): Response {
  return contentReply(text, { contentType: html, caching: "no-cache" })
}

/** Adds a field to an answer, and returns the answer. */
export function withField(reply: Response, name: string, value: string): Response {
  reply.headers.append(name, value)
  return reply
}

/** Size of one write of a larger body. `request-watch.ts` measures the progress of a slow peer in whole pieces. */
const pieceBytes = 64 * 1024

function replyOf(status: number, body: string | Uint8Array, fields: HeaderFields): Response {
  const byteCount = Buffer.byteLength(body)
  const headers = { ...commonFields, "Content-Length": String(byteCount), ...fields }
  if (typeof body === "string" && byteCount <= pieceBytes) return new Response(body, { status, headers })
  return new Response(inPieces(typeof body === "string" ? Buffer.from(body) : body), { status, headers })
}

/** Returns a stream of these bytes. It emits a piece when the listener has written the previous one. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream(
    {
      pull(controller) {
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + pieceBytes))
        at += pieceBytes
        if (at >= bytes.length) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
