// The process ends within every write of a scripted run, after none, some or all of its bytes. Whatever any client has seen is
// continued: no reply and no event is lost, repeated or reordered, and no request runs twice that was settled.
import type { SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { faultLives } from "./lives.ts"

interface Run {
  /** Number of writes to the journal. */
  readonly writes: number
}

/** @param at number of the write within which the process ends. @param share share of its bytes that reach the disk. */
async function run(at: number, share: number): Promise<Run> {
  const { process } = faultLives()
  const { clock, disk } = process
  let writes = 0
  let mustStart = false
  disk.faults.endsAfter = (bytes) => {
    writes += 1
    if (writes !== at) return undefined
    process.kill()
    mustStart = true
    return Math.round(bytes * share)
  }
  await process.start()
  const revive = async (): Promise<void> => {
    if (!mustStart) return
    mustStart = false
    await process.start()
    expect(process.server.recovery).toMatchObject({ setAside: 0, isWhole: true })
  }
  const clients = ["ann", "bob"].map((token, index) => {
    const client = process.client(token, index + 1)
    const received: string[] = []
    const events: SessionEvent["kind"][] = []
    client.on("note", ({ text }) => received.push(text))
    client.onSession(({ kind }) => events.push(kind))
    client.connect().catch(() => {})
    return { client, received, events }
  })
  const replies: Promise<unknown>[] = []
  const texts: string[] = []
  const sent = new Map<string, string[]>()
  for (let round = 0; round < 6; round += 1) {
    await clock.advance(300)
    await revive()
    for (const session of process.server.local.sessions()) {
      const text = `${session.id} ${round}`
      sent.set(session.id, [...(sent.get(session.id) ?? []), text])
      session.send("note", { text })
    }
    for (const { client } of clients) {
      for (const kind of ["fast", "slow"] as const) {
        const text = `${kind} ${round} ${texts.length}`
        texts.push(text)
        replies.push(
          kind === "fast"
            ? client.command("echo", { text })
            : client.command("slow", { ms: 40 }).then(() => ({ text })),
        )
      }
    }
  }
  for (let wait = 0; wait < 30; wait += 1) {
    await clock.advance(500)
    await revive()
  }
  expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
  for (const { client, received, events } of clients) {
    expect(events[0]).toBe("opened")
    expect(events.filter((kind) => kind === "reset")).toEqual([])
    expect(new Set(received).size).toBe(received.length)
    client.close()
  }
  const received = clients.flatMap((one) => one.received)
  for (const all of sent.values()) {
    const own = all.filter((text) => received.includes(text))
    // A session whose WELCOME did not leave is known to no client. Of the others, the events of the turn within which the process
    // ended may be lost: no client has seen anything of that turn.
    if (own.length > 0) expect(all.length - own.length).toBeLessThanOrEqual(1)
    expect(received.filter((text) => own.includes(text))).toEqual(own)
  }
  return { writes }
}

describe("a process that ends within a write", () => {
  it.each([0, 0.5, 1])(
    "after %s of its bytes loses nothing that a client has seen",
    { timeout: 120_000 },
    async (share) => {
      const { writes } = await run(Number.POSITIVE_INFINITY, 0)
      expect(writes).toBeGreaterThan(20)
      for (let at = 1; at <= writes; at += 1) await run(at, share)
    },
  )
})
