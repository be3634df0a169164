// Requests whose handlers run again after a kill: their identity, the knowledge that they run again, and an end of the repetition.
import { HawserError, defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "reruns",
  commands: { pay: { input: z.string(), output: z.string() } },
  queries: { look: { input: z.string(), output: z.string() } },
  streams: { watch: { input: z.string(), item: z.string() } },
})

interface Run {
  readonly input: string
  readonly messageKey: string
  readonly isRerun: boolean
}

type Act = (run: Run) => string | Promise<string>

/** Lives whose handlers call `act` of the current moment, and note each run. */
function scene() {
  const runs: Run[] = []
  const errors: unknown[] = []
  const now: { act: Act } = { act: ({ input }) => input }
  const process = new Lives(contract, (options) => {
    const onError = (error: unknown): number => errors.push(error)
    const server = createServer(contract, { authenticate: (id) => ({ id }), onError, ...options })
    const run = ({ input, messageKey, isRerun }: Run): string | Promise<string> => {
      const noted = { input, messageKey, isRerun }
      runs.push(noted)
      return now.act(noted)
    }
    server.command("pay", run)
    server.query("look", run)
    server.stream("watch", async (context) => [await run(context)])
    return server
  })
  return { process, runs, errors, now }
}

const slow = { timeoutMs: 600_000 }

const never = (): Promise<string> => new Promise(() => {})

describe("a handler", () => {
  it("gets one identity in all runs of a request, and knows that an earlier process has begun it", async () => {
    const { process, runs, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    const settled = client.command("pay", "settled")
    await process.clock.advance(100)
    expect(await settled).toBe("settled")
    now.act = never
    const replies = [
      client.command("pay", "a"),
      client.query("look", "b"),
      client.command("pay", "c", { key: "k" }),
    ]
    await process.clock.advance(100)
    process.kill()
    await process.start()
    now.act = ({ input }) => input
    await process.clock.advance(5_000)
    expect(await Promise.all(replies)).toEqual(["a", "b", "c"])
    const fresh = client.command("pay", "d")
    await process.clock.advance(100)
    expect(await fresh).toBe("d")
    expect(runs).toEqual([
      { input: "settled", messageKey: "session-1-1/1", isRerun: false },
      { input: "a", messageKey: "session-1-1/2", isRerun: false },
      { input: "a", messageKey: "session-1-1/2", isRerun: true },
      // The query waits for the command before it, and may have begun in the process that ended.
      { input: "b", messageKey: "session-1-1/3", isRerun: true },
      { input: "c", messageKey: '["ann","pay","k"]', isRerun: true },
      { input: "d", messageKey: "session-1-1/5", isRerun: false },
    ])
  })

  it("knows it also after a second kill, in which the client was not back", async () => {
    const { process, runs, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    now.act = never
    const reply = client.command("pay", "a")
    await process.clock.advance(100)
    for (let life = 0; life < 3; life += 1) {
      process.kill()
      await process.start()
      await process.clock.settle()
    }
    now.act = ({ input }) => input
    await process.clock.advance(5_000)
    expect(await reply).toBe("a")
    expect(runs.map(({ isRerun }) => isRerun)).toEqual([false, true])
  })

  it("of a process that ended in the turn of its start runs again as one that may have begun", async () => {
    const { process, runs, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    now.act = () => {
      process.kill()
      return "lost"
    }
    const reply = client.command("pay", "a")
    await process.clock.advance(100)
    now.act = ({ input }) => input
    await process.start()
    await process.clock.advance(5_000)
    expect(await reply).toBe("a")
    expect(runs.map(({ isRerun }) => isRerun)).toEqual([false, true])
  })

  it("of a stream that starts again knows it", async () => {
    const { process, runs, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    now.act = never
    const items = (async () => {
      const read: string[] = []
      for await (const item of client.stream("watch", "s")) read.push(item)
      return read
    })()
    await process.clock.advance(100)
    process.kill()
    await process.start()
    now.act = ({ input }) => input
    await process.clock.advance(5_000)
    expect(await items).toEqual(["s"])
    expect(runs.map(({ isRerun }) => isRerun)).toEqual([false, true])
  })
})

describe("trap-23 a request that ends its process", () => {
  it.each([
    ["in the turn of its start", (kill: () => void): Promise<string> => (kill(), never())],
    [
      "later",
      async (kill: () => void): Promise<string> => {
        await Promise.resolve()
        queueMicrotask(kill)
        return never()
      },
    ],
  ])("%s is not run in a fourth process; the session and its other requests continue", async (_, end) => {
    const { process, runs, errors, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    now.act = ({ input }) => (input === "poison" ? end(() => process.kill()) : input)
    const poisoned = client.command("pay", "poison", slow).catch((error: unknown) => error)
    const other = client.command("pay", "fine", slow)
    await process.clock.advance(100)
    for (let life = 2; life <= 3; life += 1) {
      await process.start()
      expect(process.server.recovery).toMatchObject({ sessions: 1, requestsSetAside: 0 })
      await process.clock.advance(5_000)
      expect(runs.map(({ input }) => input)).toEqual(Array.from({ length: life }, () => "poison"))
    }
    expect(errors).toEqual([])
    await process.start()
    expect(process.server.recovery).toMatchObject({ sessions: 1, setAside: 0, requestsSetAside: 1 })
    await process.clock.advance(5_000)
    const error = await poisoned
    expect(HawserError.is(error) && error.code).toBe("sys_internal_error")
    expect(await other).toBe("fine")
    expect(runs.map(({ input }) => input)).toEqual(["poison", "poison", "poison", "fine"])
    expect(errors.map(String)).toEqual([
      expect.stringContaining("request 1 of session session-1-1 ran when each of 3"),
    ])
    // The outcome is kept as any other.
    process.kill()
    await process.start()
    expect(process.server.recovery).toMatchObject({ sessions: 1, requestsSetAside: 0 })
  })

  it("does not count processes that were closed: a slow handler survives any number of deployments", async () => {
    const { process, runs, now } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    now.act = never
    const reply = client.command("pay", "slow", slow)
    for (let life = 0; life < 5; life += 1) {
      await process.clock.advance(3_000)
      const closed = process.server.close()
      await process.clock.advance(2_000)
      await closed
      process.kill()
      await process.start()
    }
    now.act = ({ input }) => input
    await process.clock.advance(5_000)
    expect(await reply).toBe("slow")
    expect(runs.length).toBeGreaterThan(4)
  })
})
