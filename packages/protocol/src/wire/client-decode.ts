// Decodes the bodies of the frames that clients send, profile `hawser.1`. Each field of the peer is checked before use.
// client-encode.ts is the inverse.
import { isCount, isDigest, isText, lifeOf, limitsOf } from "./common-decode.ts"
import type { Decoders, Fields } from "./common-decode.ts"
import { frameByte } from "./frame-byte.ts"
import type { ClientFrame, HaveFrame, HelloFrame, RequestFrame, ResumeClaim } from "./frame.ts"
import { clientMessageLimits } from "./message-limits.ts"
import type { ReplicaHold } from "./replica-hold.ts"
import type { TypeTable } from "./type-table.ts"

export const clientDecoders: Decoders<ClientFrame> = {
  [frameByte.hello]: decodeHello,
  [frameByte.auth]: ([token]) => (isText(token) ? { kind: "auth", token } : undefined),
  [frameByte.have]: ([held]) => decodeHave(held),
  [frameByte.void]: ([references]) =>
    Array.isArray(references) && references.every(isCount) ? { kind: "void", references } : undefined,
  [frameByte.request]: decodeRequest,
  [frameByte.cancel]: ([reference]) => (isCount(reference) ? { kind: "cancel", reference } : undefined),
  [frameByte.credit]: ([reference, items]) =>
    isCount(reference) && isCount(items) ? { kind: "credit", reference, items } : undefined,
}

/** A client holds some hundred cells at most; the limit on elements bounds the list. */
function decodeHave(held: unknown): HaveFrame | undefined {
  if (!Array.isArray(held)) return undefined
  const holds: ReplicaHold[] = []
  for (const entry of held) {
    if (!Array.isArray(entry)) return undefined
    const fields: readonly unknown[] = entry
    const [replica, numbers, epoch, topic] = fields
    if (!isText(replica) || !Array.isArray(numbers) || numbers.length % 3 !== 0) return undefined
    const list: readonly unknown[] = numbers
    const cells: ReplicaHold["cells"][number][] = []
    for (let at = 0; at < list.length; at += 3) {
      const [x, y, version] = list.slice(at, at + 3)
      if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y) || !isCount(version)) return undefined
      cells.push({ x: Number(x), y: Number(y), version })
    }
    holds.push({ replica, cells, ...lifeOf(epoch, topic) })
  }
  return { kind: "have", held: holds }
}

/** Longest `clientId` in UTF-16 code units. The server keeps it with each session. */
const clientIdMaxLength = 64

function decodeHello(fields: Fields): HelloFrame | undefined {
  const [version, token, claim, clientId, dial, bounds, contract] = fields
  if (!isCount(version) || !isText(token) || !isText(clientId) || !isCount(dial)) return undefined
  if (clientId.length > clientIdMaxLength) return undefined
  const limits = limitsOf(bounds, clientMessageLimits)
  const hello = {
    kind: "hello" as const,
    version,
    token,
    reference: null,
    clientId,
    dial,
    ...(limits === undefined ? {} : { limits }),
    ...(isText(contract) ? { contract } : {}),
  }
  if (claim === null) return hello
  const resume = decodeClaim(claim)
  return resume === undefined ? undefined : { ...hello, resume }
}

function decodeClaim(claim: unknown): ResumeClaim | undefined {
  if (!Array.isArray(claim)) return undefined
  const fields: readonly unknown[] = claim
  const [sessionId, token, handled, digest, sent] = fields
  return isText(sessionId) && isText(token) && isCount(handled) && isDigest(digest) && isCount(sent)
    ? { sessionId, token, handled, digest, sent }
    : undefined
}

/** Takes the reference from the message number; the frame does not contain it. */
function decodeRequest(fields: Fields, types: TypeTable, count: number): RequestFrame | undefined {
  // Not destructured: this is the most frequent frame, and the array's iterator would cost more than the rest.
  const type = fields[0]
  const budgetMs = fields[2]
  const key = fields[3]
  if (!isCount(type) || !isCount(budgetMs)) return undefined
  const request = {
    kind: "request" as const,
    call: undefined,
    type: types.nameOf(type),
    payload: fields[1],
    budgetMs,
    reference: count,
  }
  if (key === undefined) return request
  return isText(key) ? { ...request, key } : undefined
}
