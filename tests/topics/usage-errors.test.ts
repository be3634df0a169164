// A topic without rules, and invalid options of rooms.
import { defineContract, defineTopic } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createWorld, settled } from "./harness.ts"

const warned = () => {
  const warnings: unknown[] = []
  return { warnings, world: createWorld({ server: { onWarning: (warning) => void warnings.push(warning) } }) }
}

describe("a topic without rules", () => {
  it("newcomer-6 causes one warning per kind, at the first join", async () => {
    const { warnings, world } = warned()
    const client = await world.open("ann")
    for (const name of ["vault:a", "vault:b", "vault:a"] as const)
      expect(await settled(world, client.topic(name).join())).toBe("forbidden")
    expect(warnings).toEqual([
      {
        kind: "topic_without_rules",
        message: `no rules for the topic kind "vault": clients may not join; call server.topicKind("vault", { canJoin, … }), or with {} if they must not`,
      },
    ])
  })

  it("newcomer-6 is named at listen, once", async () => {
    const warnings: string[] = []
    const contract = defineContract({
      name: "rooms",
      events: { said: { payload: z.object({}) } },
      topics: { vault: defineTopic({ events: ["said"] }), lobby: defineTopic({ events: ["said"] }) },
    })
    const server = createServer(contract, {
      authenticate: (id) => ({ id }),
      onWarning: ({ kind, message }) => warnings.push(`${kind}: ${message}`),
    })
    server.topicKind("lobby", {})
    await server.listen({ host: "127.0.0.1" })
    await server.listen({ host: "127.0.0.1" })
    await server.close()
    expect(warnings).toEqual([
      'topic_without_rules: no rules for the topic kind "vault": clients may not join; call server.topicKind("vault", { canJoin, … }), or with {} if they must not',
    ])
  })

  it("newcomer-6 causes no warning where there are rules, even if they refuse", async () => {
    const { warnings, world } = warned()
    const client = await world.open("ann")
    await settled(world, client.topic("lobby").join())
    expect(warnings).toEqual([])
  })
})

describe("a room", () => {
  it.each([-1, 1.5, NaN, "20"])(
    "newcomer-5 names an option `recent` that is no count: %j",
    async (recent) => {
      const { world } = warned()
      const client = await world.open("ann")
      const room = client.topic("chat:a")
      const shown = typeof recent === "string" ? `"${recent}"` : String(recent)
      const join: unknown = Reflect.apply(room.join.bind(room), room, [{ state: { mood: "m" }, recent }])
      await expect(join).rejects.toEqual(
        new RangeError(`recent of a join must be a whole number from 0, not ${shown}`),
      )
      expect(room.state).toBe("out")
    },
  )

  it("newcomer-2 refuses an invalid timeoutMs before a message is sent", async () => {
    const { world } = warned()
    const client = await world.open("ann")
    const room = client.topic("chat:a")
    const { sent } = client.stats()
    await expect(room.publish("chatMessage", { text: "a" }, { timeoutMs: 0 })).rejects.toBeInstanceOf(
      RangeError,
    )
    await expect(room.setState({ mood: "m" }, { timeoutMs: -1 })).rejects.toBeInstanceOf(RangeError)
    expect(client.stats().sent).toBe(sent)
  })
})
