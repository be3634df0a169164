// Traps of a journal that no other test of it covers: an older copy under clients that have seen more, and queued streams.
import { defineContract, defineTopic } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "traps",
  commands: {},
  events: { said: { payload: z.object({ text: z.string() }) } },
  streams: { ticks: { input: z.object({}), item: z.object({ n: z.number() }) } },
  topics: { chat: defineTopic({ events: ["said"] }) },
})

function lives(): Lives<typeof contract, { readonly id: string }> {
  return new Lives(contract, (options) => {
    const server = createServer(contract, { authenticate: (token) => ({ id: token }), ...options })
    server.topicKind("chat", { canJoin: () => true, history: { maxCount: 100 } })
    server.stream("ticks", async function* () {
      for (let n = 1; n <= 40; n += 1) {
        yield { n }
        await Promise.resolve()
      }
    })
    return server
  })
}

describe("trap-19 an older copy of the journal under a client that has seen more", () => {
  it("ends its session as diverged, and begins new epochs: no offset names two publications", async () => {
    const process = lives()
    await process.start()
    const client = process.client("ann")
    const causes: string[] = []
    client.onSession((event) => event.kind === "reset" && causes.push(event.cause))
    await process.connect(client)
    const topic = client.topic("chat:a")
    const texts: string[] = []
    topic.on("said", ({ text }) => texts.push(text))
    const joining = topic.join()
    await process.clock.advance(200)
    await joining
    process.server.topic("chat:a").publish("said", { text: "one" })
    await process.clock.advance(3_000)
    const copy = process.disk.copy()
    process.server.topic("chat:a").publish("said", { text: "lost" })
    await process.clock.advance(1_000)
    expect(texts).toEqual(["one", "lost"])
    const lost = topic.position
    process.kill()
    process.disk.restore(copy, true)
    await process.start()
    expect(process.server.recovery).toMatchObject({ isWhole: false, sessions: 1 })
    await process.clock.advance(5_000)
    expect(causes).toEqual(["session_diverged"])
    // Its offset is that of the lost one.
    process.server.topic("chat:a").publish("said", { text: "two" })
    await process.clock.advance(1_000)
    expect(texts.slice(2)).toContain("two")
    expect(topic.position?.offset).toBe(lost?.offset)
    expect(topic.position?.epoch).not.toBe(lost?.epoch)
  })
})

describe("trap-08 a topic whose server is killed", () => {
  it("keeps its epoch and its history: a member that missed publications gets them, without a gap", async () => {
    const process = lives()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    const topic = client.topic("chat:a")
    const said: unknown[] = []
    topic.on("said", ({ text }, { offset }) => said.push([text, offset]))
    const joining = topic.join()
    await process.clock.advance(200)
    await joining
    for (const text of ["one", "two"]) {
      process.server.topic("chat:a").publish("said", { text })
      await process.clock.advance(1)
      process.kill()
      await process.start()
    }
    process.server.topic("chat:a").publish("said", { text: "three" })
    await process.clock.advance(5_000)
    expect(said).toEqual([
      ["one", 1],
      ["two", 2],
      ["three", 3],
    ])
  })
})

describe("trap-12 a stream that waits for credit when its server is killed", () => {
  it("ends with server_restarted, and the next stream gets all its items: its credit counts again", async () => {
    const process = lives()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    const read = async (): Promise<string> => {
      let count = 0
      try {
        for await (const { n } of client.stream("ticks", {})) {
          count = n
          await new Promise<void>((resolve) => {
            process.clock.schedule(20, resolve)
          })
        }
        return `${count} items`
      } catch (error) {
        return error instanceof Error && "code" in error ? String(error.code) : String(error)
      }
    }
    const first = read()
    await process.clock.advance(100)
    process.kill()
    await process.start()
    const second = read()
    await process.clock.advance(20_000)
    expect([await first, await second]).toEqual(["server_restarted", "40 items"])
  })
})
