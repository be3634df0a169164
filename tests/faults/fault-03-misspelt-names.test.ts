// Fault 3: a misspelt event name fails only at run time. That it does not compile is shown in tests/types.
import { describe, expect, it } from "vitest"
import { defineContract } from "@hawser/protocol"
import { createClient } from "@hawser/client"
import { z } from "zod"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"

const newer = defineContract({
  name: "faults",
  commands: {
    dance: { input: z.object({}), output: z.object({}) },
    toString: { input: z.object({}), output: z.object({}) },
  },
  events: { nota: { payload: z.object({}) } },
})

describe.each(profiles)("fault-03 in profile %s", (profile) => {
  it("answers an unknown type with a typed error and goes on", async () => {
    const world = createWorld({ profile })
    const options = {
      url: "memory:",
      token: "ann",
      profile,
      clock: world.clock,
      dial: world.network.dial,
      autoConnect: false,
    }
    const client = createClient(newer, { ...options, onError: () => {} })
    const connected = client.connect()
    await world.clock.settle()
    await connected
    for (const name of ["dance", "toString"] as const) {
      const refused = rejection(client.command(name, {}))
      await world.clock.settle()
      expect((await refused).code).toBe(profile === "2.0" ? "sys_invalid_message" : "not_available")
    }
    expect(client.current.state).toBe("open")
    expect(world.server.stats().sessions).toBe(1)
  })

  it("reports an event that the client's contract lacks, and delivers what follows", async () => {
    const world = createWorld({ profile })
    const errors: unknown[] = []
    const options = {
      url: "memory:",
      token: "ann",
      profile,
      clock: world.clock,
      dial: world.network.dial,
      autoConnect: false,
    }
    const client = createClient(newer, { ...options, onError: (error) => errors.push(error) })
    const connected = client.connect()
    await world.clock.settle()
    await connected
    world.server.broadcast("note", { text: "unknown to the client" })
    await world.clock.settle()
    expect(errors).toMatchObject([{ code: "invalid_reply", message: 'unknown event "note"' }])
    expect(client.current.state).toBe("open")
  })

  it("throws at once for names that are not in the own contract", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const misspelt: string = "nota"
    expect(() => Reflect.apply(client.on, client, [misspelt, () => {}])).toThrow('no event "nota"')
    expect(() => Reflect.apply(world.server.broadcast, world.server, [misspelt, {}])).toThrow(
      'no event "nota"',
    )
    expect(() => Reflect.apply(world.server.command, world.server, ["ecko", () => ({})])).toThrow(
      'no command "ecko"',
    )
  })
})
