// A server with a journal whose handlers end their process: node dying-server.ts FOLDER PORT. Prints "listening PORT REQUESTS-SET-ASIDE".
import { defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { fileJournal } from "@hawser/server/journal"
import { z } from "zod"

export const dyingContract = defineContract({
  name: "dying",
  commands: {
    kill: { input: z.object({ afterMs: z.number() }), output: z.string() },
    fail: { input: z.object({ exits: z.boolean() }), output: z.string() },
    say: { input: z.string(), output: z.string() },
  },
  events: { said: { payload: z.string() } },
})

if (process.argv[1] === import.meta.filename) {
  const [folder = "", port = "0"] = process.argv.slice(2)
  const server = createServer(dyingContract, {
    authenticate: (token) => ({ id: token }),
    journal: fileJournal(folder),
  })
  server.command("say", ({ input }) => input)
  server.command("kill", async ({ input: { afterMs } }) => {
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs))
    process.kill(process.pid, "SIGKILL")
    return new Promise(() => {})
  })
  server.command("fail", ({ input: { exits }, session, isRerun }) => {
    session.send("said", isRerun ? "again" : "lost")
    if (isRerun) return "done"
    if (exits) process.once("uncaughtException", () => process.exit(7))
    // Not within the handler, whose errors the server catches, and in the same turn of the event loop.
    queueMicrotask(() => {
      throw new Error("a fault of the application")
    })
    return "never"
  })
  const listening = await server.listen({ port: Number(port), host: "127.0.0.1" })
  console.log(`listening ${listening.port} ${server.recovery?.requestsSetAside}`)
}
