// What fails without anybody's looking: a rejection that nobody handles is the runtime's to report, and the client's
// own book-keeping must not count as handling it.
import { defineContract } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { connect, createWorld, openClient, profiles, rejection } from "../faults/harness.ts"

/** What the client of another version might think. */
const misread = defineContract({
  name: "misread",
  queries: { look: { input: z.object({}), output: z.object({ seen: z.string() }) } },
})

/** Rejections that nobody has handled by the end of `work` and of the turn in which it ended. */
async function unhandled(work: () => void | Promise<void>): Promise<unknown[]> {
  const event = "unhandledRejection"
  const listeners = process.listeners(event)
  const seen: unknown[] = []
  process.removeAllListeners(event)
  process.on(event, (reason) => seen.push(reason))
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.removeAllListeners(event)
    for (const listener of listeners) process.on(event, listener)
  }
  return seen
}

describe.each(profiles)("a request that nobody awaits, in profile %s", (profile) => {
  it("fails as an unhandled rejection, once", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- that nobody looks at it is what is tested
      client.command("fail", {})
      await world.clock.settle()
    })
    expect(seen).toMatchObject([{ code: "sys_internal_error" }])
    expect(client.stats().calls["fail"]).toMatchObject({ count: 1, failedByCode: { sys_internal_error: 1 } })
  })

  it("fails so as well when it was never sent", async () => {
    const client = createWorld({ profile }).client()
    expect(await unhandled(() => void client.query("look", {}))).toMatchObject([{ code: "not_connected" }])
  })

  it("fails so as well when its reply does not fit the contract, and counts as failed", async () => {
    const world = createWorld({ profile })
    const client = world.clientOf(misread)
    await connect(world, client)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- that nobody looks at it is what is tested
      client.query("look", {})
      await world.clock.settle()
    })
    expect(seen).toMatchObject([{ code: "invalid_reply" }])
    expect(client.stats().calls["look"]).toMatchObject({ count: 1, failedByCode: { invalid_reply: 1 } })
  })

  it("says nothing when its caller chose `drop`", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- that nobody looks at it is what is tested
      client.command("fail", {}, { whenOffline: "drop" })
      await world.clock.settle()
      client.close()
      // oxlint-disable-next-line typescript/no-floating-promises -- that nobody looks at it is what is tested
      client.command("fail", {}, { whenOffline: "drop" })
    })
    expect(seen).toEqual([])
  })

  it("says nothing when somebody looks at it", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const seen = await unhandled(async () => {
      const failed = rejection(client.command("fail", {}))
      await world.clock.settle()
      await failed
    })
    expect(seen).toEqual([])
  })
})
