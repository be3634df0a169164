// Validates values before they leave the server: results, items, payloads. The validated value is the one that is sent. Must not
// know calls and events.
import { quoted } from "../base/quoted.ts"
import type { EventSpec } from "../contract/contract.ts"
import { asynchronousSchema, validate } from "../contract/schema.ts"
import type { Schema, Validated } from "../contract/schema.ts"
import { Encoded } from "./encoded.ts"
import { unfitting, unsendable } from "./unsendable.ts"

/**
 * Returns the value that is sent, or a promise of it if the schema is asynchronous.
 * @param isTrusted true: the value is sent as it is.
 * @throws UnsendableError with the issues of a value that does not fit, TypeError for an `Encoded` that the schema has not validated.
 */
export function outgoing(schema: Schema, value: unknown, isTrusted: boolean | undefined): unknown {
  if (isTrusted === true) return value
  if (value instanceof Encoded) return validatedBy(schema, value)
  const result = validate(schema, value)
  return result instanceof Promise ? result.then(fitting) : fitting(result)
}

/**
 * Returns the payload of an event as it is sent.
 * @throws UnsendableError and TypeError like `outgoing`, and TypeError for an asynchronous schema.
 */
export function outgoingPayload(
  name: string,
  { payload: schema, trustOutput }: EventSpec,
  payload: unknown,
): unknown {
  try {
    const sent = outgoing(schema, payload, trustOutput)
    if (sent instanceof Promise && sent !== payload) throw asynchronousSchema(`event "${name}"`, sent)
    return sent
  } catch (error) {
    throw unsendable(`the event ${quoted(name)}`, error)
  }
}

function fitting(result: Validated<unknown>): unknown {
  if (result.ok) return result.value
  throw unfitting(result.issues)
}

/** An `Encoded` of another schema may hold members that this one would remove. */
function validatedBy(schema: Schema, encoded: Encoded<unknown>): Encoded<unknown> {
  if (encoded.schema === schema) return encoded
  const found =
    encoded.schema === undefined ? "a composition that no schema has validated" : "of another schema"
  throw new TypeError(
    `the encoded value is ${found}: use encodeOnce with the schema of the contract, or set trustOutput`,
  )
}
