// Rejections without a handler: the runtime must report them, and the client's own handlers must not count as handling.
import { defineContract } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { connect, createWorld, openClient, profiles, rejection } from "../faults/harness.ts"

/** A contract of another version. */
const misread = defineContract({
  name: "faults",
  queries: { look: { input: z.object({}), output: z.object({ seen: z.string() }) } },
})

/** Unhandled rejections at the end of `work` and of the turn in which it ended. */
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

describe.each(profiles)("a request that is never awaited, in profile %s", (profile) => {
  it("fails as an unhandled rejection, once", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- the test is about a promise without a handler
      client.command("fail", {})
      await world.clock.settle()
    })
    expect(seen).toMatchObject([{ code: "sys_internal_error" }])
    expect(client.stats().calls["fail"]).toMatchObject({ count: 1, failedByCode: { sys_internal_error: 1 } })
  })

  it("fails in the same way when it was never sent", async () => {
    const client = createWorld({ profile }).client()
    expect(await unhandled(() => void client.query("look", {}))).toMatchObject([{ code: "not_connected" }])
  })

  it("fails in the same way when its reply does not fit the contract, and counts as failed", async () => {
    const world = createWorld({ profile })
    const client = world.clientOf(misread, { validateReplies: true })
    await connect(world, client)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- the test is about a promise without a handler
      client.query("look", {})
      await world.clock.settle()
    })
    expect(seen).toMatchObject([{ code: "invalid_reply" }])
    expect(client.stats().calls["look"]).toMatchObject({ count: 1, failedByCode: { invalid_reply: 1 } })
  })

  it("reports nothing when its caller chose `drop`", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const seen = await unhandled(async () => {
      // oxlint-disable-next-line typescript/no-floating-promises -- the test is about a promise without a handler
      client.command("fail", {}, { whenOffline: "drop" })
      await world.clock.settle()
      client.close()
      // oxlint-disable-next-line typescript/no-floating-promises -- the test is about a promise without a handler
      client.command("fail", {}, { whenOffline: "drop" })
    })
    expect(seen).toEqual([])
  })

  it("reports nothing when it has a handler", async () => {
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
