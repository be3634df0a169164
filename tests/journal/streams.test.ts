// Open streams of a server that is killed: each ends with `server_restarted`, once and in order, also if the next process is killed.
import { HawserError, defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "streams",
  events: { note: { payload: z.object({ text: z.string() }) } },
  streams: { ticks: { input: z.object({}), item: z.object({ n: z.number() }) } },
})

it("trap-09 a stream that was open ends with server_restarted, and later messages follow its end", async () => {
  const process = new Lives(contract, (options) => {
    const server = createServer(contract, { authenticate: (token) => ({ id: token }), ...options })
    server.stream("ticks", async function* ({ signal }) {
      for (let n = 0; !signal.aborted; n += 1) {
        yield { n }
        await new Promise<void>((resolve) => {
          options.clock.schedule(50, resolve)
        })
      }
    })
    return server
  })
  await process.start()
  const client = process.client("ann")
  const texts: string[] = []
  client.on("note", ({ text }) => texts.push(text))
  await process.connect(client)
  const items: number[] = []
  const ended = (async (): Promise<unknown> => {
    try {
      for await (const { n } of client.stream("ticks", {})) items.push(n)
      return undefined
    } catch (error) {
      return error
    }
  })()
  await process.clock.advance(400)
  expect(items.length).toBeGreaterThan(3)
  process.kill()
  // The next process is killed before its client is back, and before its first round has reached the session.
  await process.start()
  process.server.local.sessions()[0]?.send("note", { text: "after the end" })
  let writes = 0
  process.disk.faults.endsAfter = () => {
    writes += 1
    // The head of a segment, and one record.
    if (writes < 3) return undefined
    process.kill()
    return 0
  }
  await process.clock.advance(1)
  expect(writes).toBe(3)
  process.disk.faults.endsAfter = () => undefined
  await process.start()
  process.server.local.sessions()[0]?.send("note", { text: "later" })
  await process.clock.advance(5_000)
  const error = await ended
  expect(HawserError.is(error) && error.code).toBe("server_restarted")
  expect(texts).toEqual(["after the end", "later"])
  expect(items).toEqual(items.map((_, index) => index))
})
