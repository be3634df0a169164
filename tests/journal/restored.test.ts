// The hook for sessions that the next process continues: the application puts back what the library does not know.
import { defineContract, defineReplica, defineTopic, integer } from "@hawser/protocol"
import type { Session } from "@hawser/server"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "restored",
  events: { said: { payload: z.string() } },
  topics: { room: defineTopic({ events: ["said"] }) },
  replicas: { dots: defineReplica({ fields: { x: integer({ min: 0, max: 100 }) } }) },
})

type Restored = Session<{ readonly id: string }, typeof contract>

function scene(onRestored: (session: Restored, life: number) => unknown) {
  const errors: unknown[] = []
  const opened: string[] = []
  let life = 0
  const process = new Lives(contract, (options) => {
    life += 1
    const current = life
    const onError = (error: unknown): number => errors.push(error)
    const server = createServer(contract, { authenticate: (id) => ({ id }), onError, ...options })
    server.topicKind("room", {})
    server.onSession(({ session }) => {
      opened.push(session.user.id)
      server.topic("room:a").subscribe(session)
    })
    server.onSessionRestored((session) => onRestored(session, current))
    return server
  })
  return { process, errors, opened }
}

describe("onSessionRestored", () => {
  it("runs once for each continued session, before recover() resolves, and onSession does not run again", async () => {
    const seen: unknown[] = []
    const { process, opened } = scene((session, life) =>
      seen.push([life, session.user.id, session.attached, session.active]),
    )
    await process.start()
    await process.connect(process.client("ann"))
    await process.connect(process.client("ben", 2))
    process.kill()
    await process.start()
    expect(seen).toEqual([
      [2, "ann", false, true],
      [2, "ben", false, true],
    ])
    await process.clock.advance(5_000)
    expect(opened).toEqual(["ann", "ben"])
  })

  it("keeps a topic whose subscribers it puts back: its offsets and its epoch continue", async () => {
    const { process } = scene((session) => process.server.topic("room:a").subscribe(session))
    await process.start()
    const client = process.client("ann")
    const said: (string | number | undefined)[] = []
    client.on("said", (text, { offset }) => said.push(text, offset))
    await process.connect(client)
    process.server.topic("room:a").publish("said", "one")
    await process.clock.advance(100)
    process.kill()
    await process.start()
    process.server.topic("room:a").publish("said", "two")
    await process.clock.advance(5_000)
    expect(said).toEqual(["one", 1, "two", 2])
  })

  it("shows replicas again", async () => {
    const { process } = scene((session) => {
      const dots = process.server.replica("dots")
      dots.set("d", { x: 7 })
      dots.view(session)
    })
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    process.kill()
    await process.start()
    await process.clock.advance(5_000)
    expect(client.replica("dots").get("d")).toEqual({ x: 7 })
  })

  it("is awaited; a fault of one session goes to onError and ends neither the session nor the recovery", async () => {
    let wait: Promise<void> = Promise.resolve()
    const done: string[] = []
    const { process, errors } = scene(async (session) => {
      if (session.user.id === "ann") throw new Error("no such player")
      await wait
      done.push(session.user.id)
    })
    await process.start()
    await process.connect(process.client("ann"))
    await process.connect(process.client("ben", 2))
    process.kill()
    wait = new Promise((resolve) => process.clock.schedule(500, resolve))
    let isStarted = false
    const started = process.start().then(() => (isStarted = true))
    await process.clock.advance(499)
    expect([isStarted, done]).toEqual([false, []])
    await process.clock.advance(1)
    await started
    expect(done).toEqual(["ben"])
    expect(errors.map(String)).toEqual(["Error: no such player"])
    expect(process.server.recovery).toMatchObject({ sessions: 2, setAside: 0 })
    expect(process.server.local.sessions().length).toBe(2)
  })

  it("is not awaited longer than 10 s", async () => {
    const { process, errors } = scene(() => new Promise(() => {}))
    await process.start()
    await process.connect(process.client("ann"))
    process.kill()
    const started = process.start()
    await process.clock.advance(10_000)
    await started
    expect(errors.map(String)).toEqual([expect.stringContaining("have not settled within 10000 ms")])
  })

  it("may end a session", async () => {
    const { process } = scene((session) => session.end("banned"))
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    process.kill()
    await process.start()
    expect(process.server.local.sessions()).toEqual([])
    await process.clock.advance(5_000)
    expect(client.current).toMatchObject({ state: "closed", error: { code: "banned" } })
  })
})
