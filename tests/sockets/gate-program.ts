// One WebSocket connection whose output waits at a gate, in a separate process: over the library `ws` on Node, over
// Bun's native server under Bun. Its parent commands it and ends it.
import { defaultServerLimits } from "@hawser/protocol"
import { TimerQueue, outbound } from "@hawser/protocol/core"
import type { Accept, Connection, Profile } from "@hawser/protocol/core"
import { systemClock } from "@hawser/server"
import { createServer } from "node:http"
import { createHealth } from "../../packages/server/src/base/health.ts"
import type { BunRuntime } from "../../packages/server/src/transport/bun-api.ts"
import { createBunEntrance } from "../../packages/server/src/transport/bun-entrance.ts"
import { Turn } from "../../packages/server/src/transport/turn.ts"
import { serveUpgrades } from "../../packages/server/src/transport/upgrade.ts"

declare const Bun: BunRuntime | undefined

const report = (what: string | number): void => void process.send?.(what)
const onError = (error: unknown): void => report(`error ${String(error)}`)
const clock = systemClock
const limits = defaultServerLimits

let connection: Connection | undefined
/** Undefined once the gate is open. */
let held: (() => void)[] | undefined = []
const turn = new Turn({
  clock,
  onError,
  gate: {
    kept: Number.POSITIVE_INFINITY,
    pass() {
      if (held === undefined) return undefined
      report("held")
      return new Promise((resolve) => held?.push(resolve))
    },
  },
})

function send(text: string, isShared = false): void {
  connection?.send(outbound(new TextEncoder().encode(text), isShared))
}

const accept: Accept = (accepted) => {
  connection = accepted.connection
  return {
    message(bytes) {
      send(`echo ${new TextDecoder().decode(bytes)}`)
      report("message")
    },
    text() {},
    drained: () => report("drained"),
    pong() {},
    closed: (code) => report(`closed ${code}`),
  }
}

async function listenOnNode(): Promise<number> {
  const httpServer = createServer()
  serveUpgrades(httpServer, {
    accept,
    turn,
    path: "/ws",
    limits,
    clock,
    timers: new TimerQueue(clock, onError),
    origins: undefined,
    profiles: new Set<Profile>(["2.0"]),
    trustProxy: false,
    caps: { check: () => "allowed" },
    isClosing: () => false,
    allowLoopbackOrigins: false,
    health: createHealth([], clock),
    warnings: { refused() {}, proxied() {} },
    onError,
  })
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve))
  const address = httpServer.address()
  return typeof address === "object" ? (address?.port ?? 0) : 0
}

function listenOnBun(bun: BunRuntime): number {
  const { fetch, websocket } = createBunEntrance({
    accept,
    turn,
    path: "/ws",
    limits,
    clock,
    onError,
    judge: () => ({ kind: "accepted", profile: "2.0", address: "127.0.0.1", isCapped: false }),
    recover: () => Promise.resolve(),
    open() {},
  })
  const port = 0
  const error = (): Response => new Response(null, { status: 500 })
  const options = { hostname: "127.0.0.1", idleTimeout: 10, maxRequestBodySize: 0, development: false }
  return bun.serve({ ...options, port, fetch, websocket, error }).port ?? 0
}

process.on("message", (command) => {
  switch (command) {
    case "send":
      send("shared", true)
      send("own")
      connection?.ping?.()
      connection?.awaitDrain?.()
      break
    case "close":
      connection?.close(4000, "enough")
      break
    case "terminate":
      connection?.terminate()
      break
    case "open": {
      const waiting = held ?? []
      held = undefined
      for (const release of waiting) release()
    }
  }
})
process.on("disconnect", () => process.exit())
report(typeof Bun === "undefined" ? await listenOnNode() : listenOnBun(Bun))
