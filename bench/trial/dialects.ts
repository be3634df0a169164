// Maps each server to its driver.
import { createColyseusDialect } from "../load/colyseus-dialect.ts"
import type { Dialect } from "../load/driver.ts"
import { createHawserDialect } from "../load/hawser-dialect.ts"
import { rawDialect } from "../load/raw-dialect.ts"
import { socketIoDialect } from "../load/socket-io-dialect.ts"
import { socketIoMsgpackDialect } from "../load/socket-io-msgpack-dialect.ts"
import type { DialectName } from "../servers.ts"

export function dialectOf(name: DialectName): Dialect {
  switch (name) {
    case "hawser":
      return createHawserDialect()
    case "raw":
      return rawDialect
    case "socket-io":
      return socketIoDialect
    case "socket-io-msgpack":
      return socketIoMsgpackDialect
    case "colyseus":
      return createColyseusDialect({ hasState: false })
    case "colyseus-state":
      return createColyseusDialect({ hasState: true })
  }
}
