// trap-07 A process whose contract has other names than the one before it: the numbers of kept messages keep their meaning.
import { defineContract } from "@hawser/protocol"
import type { Contract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const payload = z.string()
const before: Contract = defineContract({
  name: "changing",
  commands: { ask: { input: payload, output: payload }, old: { input: payload, output: payload } },
  events: { alarm: { payload }, note: { payload } },
})
/** Without `alarm` and `old`, and with names that would take their numbers. */
const after: Contract = defineContract({
  name: "changing",
  commands: { added: { input: payload, output: payload }, ask: { input: payload, output: payload } },
  events: { aaa: { payload }, note: { payload } },
})

function scene() {
  const contracts = [before, after, before]
  const runs: string[] = []
  const process = new Lives<Contract, { readonly id: string }>(before, (options) => {
    const contract = contracts.shift() ?? before
    const server = createServer(contract, { authenticate: (id) => ({ id }), onError: () => {}, ...options })
    for (const name of Object.keys(contract.commands))
      server.command(name, ({ input }) => {
        runs.push(`${name} ${String(input)}`)
        return name === "old" ? new Promise(() => {}) : input
      })
    return server
  })
  return { process, runs }
}

it("trap-07 a retired event arrives under its name, a new one has no number of an old one, and a retired call is refused", async () => {
  const { process, runs } = scene()
  await process.start()
  const client = process.client("ann")
  const received: string[] = []
  for (const event of ["alarm", "note"]) client.on(event, (text) => received.push(`${event} ${String(text)}`))
  const resets: unknown[] = []
  client.onSession((event) => {
    if (event.kind === "reset") resets.push(event)
  })
  await process.connect(client)
  const retired = client.command("old", "1", { timeoutMs: 60_000 }).catch((error: unknown) => error)
  await process.clock.advance(100)
  const [session] = process.server.local.sessions()
  // They are kept, and the client has not received them.
  session?.send("alarm", "fire")
  session?.send("note", "one")
  await process.clock.settle()
  process.kill()
  await process.start()
  process.server.local.sessions()[0]?.send("aaa", "unknown to this client")
  process.server.local.sessions()[0]?.send("note", "two")
  await process.clock.advance(5_000)
  expect(received).toEqual(["alarm fire", "note one", "note two"])
  expect(resets).toEqual([])
  expect(await retired).toMatchObject({ code: "sys_invalid_message" })
  const reply = client.command("ask", "2")
  await process.clock.advance(100)
  expect(await reply).toBe("2")
  // The names of the first contract have their numbers again.
  process.server.local.sessions()[0]?.send("note", "three")
  await process.clock.settle()
  process.kill()
  await process.start()
  process.server.local.sessions()[0]?.send("alarm", "again")
  await process.clock.advance(5_000)
  expect(received.slice(3)).toEqual(["note three", "alarm again"])
  expect(runs).toEqual(["old 1", "ask 2"])
  expect(resets).toEqual([])
})
