// Decides the form of an answer and what every answer carries. Must not know which request it answers.
import type { ServerResponse } from "node:http"

/** An answer as a value; nothing is on the wire yet. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** The page may load from its own origin only, connect to any WebSocket, and be shown in no frame of another page. */
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

/** JSON that no cache keeps. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
    body: JSON.stringify(value),
  }
}

/** `{ detail }`, the form of every refusal. */
export function refusal(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { detail }, headers)
}

/** A refusal that says when to come back. */
export function comeBackLater(status: 429 | 503, detail: string, afterMs: number): Reply {
  return refusal(status, detail, { "Retry-After": String(Math.max(1, Math.ceil(afterMs / 1000))) })
}

export interface ContentOptions {
  readonly contentType: string
  /** Whether the same path always has the same bytes. */
  readonly isImmutable: boolean
}

/** A file's bytes; HTML gets the page's policy. */
export function contentReply(bytes: string | Uint8Array, options: ContentOptions): Reply {
  return {
    status: 200,
    headers: {
      "Content-Type": options.contentType,
      "Cache-Control": options.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
      ...(options.contentType === html ? { "Content-Security-Policy": pagePolicy } : {}),
    },
    body: bytes,
  }
}

/** HTML made here. */
export function htmlReply(text: string): Reply {
  return contentReply(text, { contentType: html, isImmutable: false })
}

/**
 * Bytes of a body that are written at once: how far a slow peer has come is known by whole pieces (see `request-watch.ts`).
 */
const pieceBytes = 64 * 1024

/** Puts an answer on the wire; `node:http` leaves the body out for HEAD. */
export function sendReply(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Length": Buffer.byteLength(body),
    ...headers,
  })
  if (Buffer.byteLength(body) <= pieceBytes) response.end(body)
  else writePieces(response, typeof body === "string" ? Buffer.from(body) : body)
}

function writePieces(response: ServerResponse, bytes: Uint8Array): void {
  let at = 0
  const next = (): void => {
    while (at < bytes.length && !response.destroyed) {
      const piece = bytes.subarray(at, at + pieceBytes)
      at += pieceBytes
      if (!response.write(piece)) {
        response.once("drain", next)
        return
      }
    }
    response.end()
  }
  next()
}
