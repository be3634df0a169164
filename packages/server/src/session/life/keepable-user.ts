// Checks that the next process gets the users of this one back as they are: at each log-in, not at the first restart.
// Must not know records and tokens.
import { isMap, quoted } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import { decodeUser, encodeUser } from "./kept-session.ts"
import { plainUser } from "./session-record.ts"
import type { UserPacking } from "./session-record.ts"

/** Returns `authenticate` with a check of its users. @throws TypeError for a user that a journal cannot keep. */
export function keepableUsers<User extends AuthenticatedUser>(
  authenticate: Authenticate<User>,
  packing: UserPacking<User>,
): Authenticate<User> {
  return async (token, context) => {
    const user = await authenticate(token, context)
    assertKeepable(user, packing)
    return user
  }
}

function assertKeepable<User extends AuthenticatedUser>(user: User, packing: UserPacking<User>): void {
  let lost: string | undefined
  let cause: unknown
  try {
    const restored = packing.unpack(decodeUser(encodeUser(packing.pack(user))))
    // A packing of the application decides itself what it keeps.
    if (isPlain(packing)) lost = lossOf(user, restored, "user")
  } catch (error) {
    cause = error
    lost = error instanceof Error ? error.message : String(error)
  }
  if (lost === undefined) return
  throw new TypeError(
    `the journal cannot keep the user ${quoted(user.id)}: ${lost}; return plain data from authenticate, or give createServer the option userRecord: { pack, unpack }`,
    { cause },
  )
}

function isPlain(packing: unknown): boolean {
  return packing === plainUser
}

/** Returns the first part of a value that differs in its restored form. Members without a value do not count. */
function lossOf(value: unknown, restored: unknown, path: string): string | undefined {
  if (Object.is(value, restored)) return undefined
  if (value instanceof Uint8Array && restored instanceof Uint8Array)
    return Buffer.compare(value, restored) === 0 ? undefined : path
  if (Array.isArray(value) && Array.isArray(restored)) return memberLoss([...value.entries()], restored, path)
  if (isMap(value) && isMap(restored) && isPlainObject(value))
    return memberLoss(Object.entries(value), restored, path)
  return `${path} is ${described(value)}`
}

function memberLoss(
  members: readonly (readonly [name: string | number, value: unknown])[],
  restored: object,
  path: string,
): string | undefined {
  for (const [name, value] of members) {
    if (value === undefined) continue
    const loss = lossOf(value, Reflect.get(restored, name), `${path}.${name}`)
    if (loss !== undefined) return loss
  }
  return undefined
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function described(value: unknown): string {
  return typeof value === "object" && value !== null
    ? `an object of the class ${value.constructor.name}`
    : `a ${typeof value}`
}
