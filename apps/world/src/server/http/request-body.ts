// Reads a request's body, up to 16 KiB, and parses it. A larger body is drained up to 1 MiB, so that its sender receives the
// answer. Must not know the routes.
import type { IncomingMessage } from "node:http"

/** `malformed`: neither JSON nor, where it may be one, a form. */
export type RequestBody =
  | { readonly kind: "body"; readonly value: unknown }
  | { readonly kind: "malformed" }
  | { readonly kind: "tooLarge" }

/** Bound of a body, far above any log-in. The bytes of a larger body are dropped. */
const maxBodyBytes = 16 * 1024
/** Bound of the bytes that are read and dropped. A sender reads the answer only after it has written its body. */
const maxDrainBytes = 1024 * 1024

/** A request whose connection closed before the end of its body. It gets no answer. */
export class RequestAborted extends Error {
  override readonly name = "RequestAborted"
}

/** Reads a form if the content type names one, else JSON. Rejects with `RequestAborted`. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const bytes = await readBytes(request)
  if (bytes === undefined) return { kind: "tooLarge" }
  const text = bytes.toString("utf8")
  if (/^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "")) {
    return { kind: "body", value: Object.fromEntries(new URLSearchParams(text)) }
  }
  try {
    const value: unknown = JSON.parse(text)
    return { kind: "body", value }
  } catch {
    return { kind: "malformed" }
  }
}

/** Uses events, because an iteration that ends early destroys the socket before the answer. */
function readBytes(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > maxDrainBytes) {
      resolve(undefined)
      return
    }
    const chunks: Buffer[] = []
    let byteCount = 0
    request.on("data", (chunk: Buffer) => {
      byteCount += chunk.length
      if (byteCount <= maxBodyBytes) chunks.push(chunk)
      else chunks.length = 0
      if (byteCount > maxDrainBytes) resolve(undefined)
    })
    request.on("end", () => resolve(byteCount > maxBodyBytes ? undefined : Buffer.concat(chunks)))
    request.on("error", (cause) => reject(new RequestAborted("The request was cut off", { cause })))
    request.on("close", () => reject(new RequestAborted("The request was cut off")))
  })
}
