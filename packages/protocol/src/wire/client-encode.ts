// Converts the frames that a client sends to the fields of their bodies, profile `hawser.1`. client-decode.ts is the inverse.
import { body, commonBody, limitsFields, wholeMs, withTrailing } from "./common-encode.ts"
import type { FrameBody } from "./common-encode.ts"
import { frameByte } from "./frame-byte.ts"
import type { ClientFrame, CommonFrame, HelloFrame, RequestFrame, ResumeClaim } from "./frame.ts"
import type { ReplicaHold } from "./replica-hold.ts"
import type { TypeTable } from "./type-table.ts"

/** @throws RangeError for a type that is not in the session's table. */
export function clientBody(frame: ClientFrame | CommonFrame, types: TypeTable): FrameBody {
  switch (frame.kind) {
    case "hello":
      return body(frameByte.hello, helloFields(frame))
    case "auth":
      return body(frameByte.auth, [frame.token])
    case "void":
      return body(frameByte.void, [frame.references])
    case "have":
      return body(frameByte.have, [frame.held.map(holdFields)])
    case "request":
      return body(frameByte.request, requestFields(frame, types))
    case "cancel":
      return body(frameByte.cancel, [frame.reference])
    case "credit":
      return body(frameByte.credit, [frame.reference, frame.items])
    case "ack":
    case "ping":
    case "pong":
    case "reset":
    case "sync":
    case "bye":
    case "unknownControl":
      return commonBody(frame)
  }
}

function helloFields(frame: HelloFrame): unknown[] {
  const { version, token, clientId, dial, resume, limits, contract } = frame
  const claim = resume === undefined ? null : claimFields(resume)
  const bounds = limits === undefined ? undefined : limitsFields(limits)
  return withTrailing([version, token, claim, clientId, dial], [bounds, contract])
}

function claimFields({ sessionId, token, handled, digest, sent }: ResumeClaim): unknown[] {
  return [sessionId, token, handled, digest, sent]
}

function requestFields({ type, payload, budgetMs, key }: RequestFrame, types: TypeTable): unknown[] {
  const fields = [types.numberOf(type), payload, wholeMs(budgetMs)]
  return key === undefined ? fields : [...fields, key]
}

/** Flattens the cells: x, y and version of each. */
function holdFields({ replica, cells, epoch, topic }: ReplicaHold): unknown[] {
  return withTrailing([replica, cells.flatMap(({ x, y, version }) => [x, y, version])], [epoch, topic])
}
