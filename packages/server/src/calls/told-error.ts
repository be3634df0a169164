// What a client is told of an error, and what is reported here instead. Knows no requests and no sessions.
import { HawserError } from "@hawser/protocol"
import { UnsendableError, quoted } from "@hawser/protocol/core"
import type { Codec, Frame, WireError } from "@hawser/protocol/core"

/** What of an error goes over the wire: never its stack or cause. */
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
 * True for an error that answers the client. An `UnsendableError` is the server's own fault, though it is a
 * `HawserError`: a handler or hook tried to send what clients cannot read.
 */
export function isAnswer(error: unknown): error is HawserError {
  return HawserError.is(error) && !(error instanceof UnsendableError)
}

/** The error of a result that cannot be sent: its size may be the caller's choice, everything else is the server's fault. */
export function resultError(name: string, cause: unknown): HawserError {
  if (!(cause instanceof UnsendableError) || cause.code !== "message_too_large")
    return new HawserError("sys_internal_error")
  const message = `the result of ${quoted(name)} is too large: ${cause.message}`
  return new HawserError("message_too_large", { message })
}

/** Encodes the frame of an error. Details that cannot be sent are reported and left out. */
export function encodeError(
  codec: Pick<Codec, "encode">,
  told: { readonly error: WireError; readonly frame: (error: WireError) => Frame; readonly what: string },
  onError: (error: unknown) => void,
): Uint8Array {
  const { error, frame, what } = told
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
