// Fault 3: a misspelt event name fails only at run time. The tests in tests/types show that it does not compile.
import { defineContract } from "@hawser/protocol"
import type { Contract } from "@hawser/protocol"
import { topicRequests } from "@hawser/protocol/core"
import { createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { sendHello } from "../sessions/scripted-client.ts"
import { connect, contract, createWorld, profiles, rejection } from "./harness.ts"

const newer = defineContract({
  name: "faults",
  commands: {
    dance: { input: z.object({}), output: z.object({}) },
    toString: { input: z.object({}), output: z.object({}) },
  },
  events: {
    nota: { payload: z.object({}) },
    where: { payload: z.object({ who: z.string(), x: z.number() }), delivery: "volatile" },
  },
})

describe.each(profiles)("fault-03 in profile %s", (profile) => {
  it("answers an unknown type with a typed error and continues", async () => {
    const world = createWorld({ profile })
    const client = world.clientOf(newer)
    await connect(world, client)
    for (const name of ["dance", "toString"] as const) {
      const refused = rejection(client.command(name, {}))
      await world.clock.settle()
      expect((await refused).code).toBe(profile === "2.0" ? "sys_invalid_message" : "not_available")
    }
    expect(client.current.state).toBe("open")
    expect(world.server.stats().sessions).toBe(1)
  })

  it("counts an event that the client's contract lacks, and delivers the next events", async () => {
    const world = createWorld({ profile })
    const client = world.clientOf(newer)
    await connect(world, client)
    const received: number[] = []
    client.on("where", ({ x }) => received.push(x))
    world.server.broadcast("note", { text: "unknown to the client" })
    world.server.broadcast("where", { who: "ann", x: 3 })
    await world.clock.settle()
    expect([world.clientErrors, client.stats().eventsUnknown]).toEqual([[], 1])
    expect(received).toEqual([3])
    expect(client.current.state).toBe("open")
  })

  it("throws at once for names that are not in the own contract", async () => {
    // As in plain JavaScript.
    const untyped: Contract = contract
    const world = createWorld({ profile })
    const client = world.clientOf(untyped)
    const server = createServer(untyped, { authenticate: (id) => ({ id }) })
    expect(() => client.on("nota", () => {})).toThrow('no event "nota"')
    expect(() => server.broadcast("nota", {})).toThrow('no event "nota"')
    expect(() => server.command("ecko", () => ({}))).toThrow('no command "ecko"')
    await expect(client.command("ecko", {})).rejects.toThrow('no command "ecko"')
    await expect(client.query("echo", {})).rejects.toThrow('no query "echo"')
  })
})

it("fault-03 answers a request for a topic with not_available if it has no topics", async () => {
  const harness = createWorld({ profile: "hawser.1" })
  const { clock } = harness
  const { accept } = createServer({ ...contract, topics: {} }, { authenticate: (id) => ({ id }), clock })
  const world = { ...harness, network: createMemoryNetwork({ clock, latencyMs: 0, accept }) }
  const client = await sendHello(world)
  const topic = "room"
  const inputs: Record<string, unknown> = {
    $join: { topic },
    $leave: { topic },
    $publish: { topic, event: "note", payload: {}, echo: true },
    $presence: { topic, state: {} },
  }
  for (const type of Object.keys(topicRequests))
    client.send({
      ...{ kind: "request", call: undefined, type, payload: inputs[type] },
      ...{ budgetMs: 0, reference: null },
    })
  await world.clock.settle()
  const codes = client.received.flatMap((frame) =>
    frame.kind === "reply" && !frame.outcome.ok ? [frame.outcome.error.code] : [],
  )
  // Leaving a topic that one has not joined is no error.
  expect(codes).toEqual(["not_available", "not_available", "not_available"])
  expect(client.closes).toEqual([])
})
