// Converts errors to frames for a client, and decides which errors are faults of the server. Must not know requests and sessions.
import { HawserError } from "@hawser/protocol"
import { UnsendableError, quoted } from "@hawser/protocol/core"
import type { Codec, Frame, WireError } from "@hawser/protocol/core"

/** Returns the part of an error that the wire carries: without its stack and cause. */
export function wireError(error: HawserError): WireError {
  const { code, message, category, retryAfterMs, details } = error
  return {
    code,
    message,
    category,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  }
}

/**
 * True for an error that the client gets as its reply. False for an `UnsendableError`, although it is a HawserError: a handler or
 * hook sent a value that clients cannot read, which is a fault of the server.
 */
export function isAnswer(error: unknown): error is HawserError {
  try {
    return HawserError.is(error) && !(error instanceof UnsendableError)
  } catch {
    // A Proxy may throw at every look, for example one that was revoked.
    return false
  }
}

/** Returns the error for the client. Reports a fault of the server to `onError`. */
export function answerOf(error: unknown, onError: (error: unknown) => void): HawserError {
  if (isAnswer(error)) return error
  onError(error)
  return new HawserError("sys_internal_error")
}

/** Returns the error of a result that cannot be encoded: `message_too_large`, otherwise `sys_internal_error`. */
export function resultError(name: string, cause: unknown): HawserError {
  if (!(cause instanceof UnsendableError) || cause.code !== "message_too_large")
    return new HawserError("sys_internal_error")
  const message = `the result of ${quoted(name)} is too large: ${cause.message}`
  return new HawserError("message_too_large", { message })
}

/** Encodes the frame of an error. Details that cannot be encoded are reported to `onError` and left out. */
export function encodeError(
  codec: Pick<Codec, "encode">,
  sent: { readonly error: WireError; readonly frame: (error: WireError) => Frame; readonly what: string },
  onError: (error: unknown) => void,
): Uint8Array {
  const { error, frame, what } = sent
  try {
    return codec.encode(frame(error))
  } catch (cause) {
    onError(new Error(`the error of ${what} cannot be sent`, { cause }))
  }
  const { code, category, message } = error
  try {
    return codec.encode(frame({ code, category, message }))
  } catch {
    return codec.encode(frame(wireError(new HawserError("sys_internal_error"))))
  }
}
