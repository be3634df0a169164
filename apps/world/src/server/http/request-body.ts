// Decides how much of a request's body is read, and what it says. Must not know what is asked for.
import type { IncomingMessage } from "node:http"

/** `malformed`: neither JSON nor, where it may be one, a form. */
export type RequestBody =
  | { readonly kind: "body"; readonly value: unknown }
  | { readonly kind: "malformed" }
  | { readonly kind: "tooLarge" }

/** Far above any login; what is beyond is not kept. */
const maxBodyBytes = 16 * 1024
/** Read and thrown away so that the sender, who is still writing, gets to see the answer. */
const maxDrainBytes = 1024 * 1024

/** A request that ended before its body did: there is nobody to answer. */
export class RequestAborted extends Error {
  override readonly name = "RequestAborted"
}

/** Reads JSON, or a form where the content type says so. Rejects with `RequestAborted`. */
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

/** Listens rather than iterates: leaving an iteration early would cut the socket before the answer. */
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
