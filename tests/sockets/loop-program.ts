// A server in a separate process that counts the decoded messages in each turn of its event loop, and the lag of the
// loop. Its parent ends it.
import { createServer } from "@hawser/server"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { contract } from "./server-program.ts"

const server = createServer(contract, { authenticate: (token) => ({ id: token }) })
server.command("echo", ({ input }) => input)
server.command("never", () => ({}))
server.command("gate", () => ({}))
server.query("look", () => ({ seen: 0 }))

/** Message counts of the turns that decoded any. */
let turns: number[] = []
let seen = 0
function lookEachTurn(): void {
  const { messagesReceived } = server.stats()
  if (messagesReceived > seen) turns.push(messagesReceived - seen)
  seen = messagesReceived
  setImmediate(lookEachTurn)
}

const delays = monitorEventLoopDelay({ resolution: 5 })
const { port } = await server.listen({ host: "127.0.0.1" })
process.on("message", (asked) => {
  if (asked === "begin") {
    turns = []
    delays.enable()
    delays.reset()
    return
  }
  process.send?.({ turns, p50Ms: delays.percentile(50) / 1e6, p99Ms: delays.percentile(99) / 1e6 })
})
process.on("disconnect", () => process.exit())
lookEachTurn()
process.send?.(port)
