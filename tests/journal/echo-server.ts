// A server with a journal, as a process of its own: node echo-server.ts FOLDER PORT. Prints "listening PORT SESSIONS". A socket that
// its parent passes as systemd does replaces the port.
import { defineContract, defineTopic } from "@hawser/protocol"
import { createServer, systemdSocket } from "@hawser/server"
import { fileJournal } from "@hawser/server/journal"
import { z } from "zod"

export const echoContract = defineContract({
  name: "echo",
  commands: { say: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) } },
  events: { said: { payload: z.object({ text: z.string() }) } },
  topics: { room: defineTopic({ events: ["said"] }) },
})

if (process.argv[1] === import.meta.filename) {
  const [folder = "", port = "0"] = process.argv.slice(2)
  const server = createServer(echoContract, {
    authenticate: (token) => ({ id: token }),
    journal: fileJournal(folder),
  })
  server.topicKind("room", { canJoin: () => true, history: { maxCount: 10_000 } })
  server.command("say", ({ input, session }) => {
    session.send("said", input)
    server.topic("room:a").publish("said", input)
    // The first life does not answer this one.
    return input.text === "hang" && server.recovery?.sessions === 0
      ? new Promise<typeof input>(() => {})
      : input
  })
  const listening = await server.listen(
    systemdSocket(process.env) ?? { port: Number(port), host: "127.0.0.1" },
  )
  console.log(`listening ${listening.port} ${server.recovery?.sessions}`)
  process.on("SIGTERM", () => {
    server.close().then(() => process.exit(0), console.error)
    console.log("closing")
  })
}
