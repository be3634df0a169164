// The parts of a server that `@hawser/server/testing` uses, by the public object of the server. Not exported by the main entry.
import type { CallEntry } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { CallDialect } from "./call-dialect.ts"
import type { Calls } from "./create-calls.ts"

/** Parts of one server. */
export interface TestParts {
  readonly base: Base
  readonly calls: Pick<Calls<AuthenticatedUser>, "handlers" | "idempotency">
  /** All calls of the contract, by name. */
  readonly entries: ReadonlyMap<string, CallEntry>
  /** Dialect of `hawser.1`. */
  readonly dialect: CallDialect<AuthenticatedUser>
}

const partsByServer = new WeakMap<object, TestParts>()

/** Makes a server usable by `callHandler`. Returns the server. */
export function testable<S extends object>(server: S, parts: TestParts): S {
  partsByServer.set(server, parts)
  return server
}

/** Returns the parts of a server. @throws TypeError for any other object. */
export function testPartsOf(server: object): TestParts {
  const parts = partsByServer.get(server)
  if (parts === undefined) throw new TypeError("callHandler takes a server that createServer has returned")
  return parts
}
