// Side effects of a publication are reported after every recipient has the publication, not in the middle of its
// fan-out.
import { describe, expect, it } from "vitest"
import { createWorld, openClient } from "../faults/harness.ts"

describe("a publication that finds a dead connection", () => {
  it("reaches every recipient before the hook's own publication about it", async () => {
    const world = createWorld({ profile: "hawser.1" })
    await openClient(world, { token: "ann" })
    const ben = await openClient(world, { token: "ben" })
    const received: string[] = []
    ben.on("note", ({ text }, { offset }) => received.push(`${offset} ${text}`))
    const topic = world.server.topic("room")
    for (const session of world.server.local.sessions()) topic.subscribe(session)
    world.server.onAttachment(({ user, attached }) => {
      topic.publish("note", { text: `${user.id} is ${attached ? "back" : "away"}` })
    })
    world.network.links[0]?.server.refuseSends()
    topic.publish("note", { text: "first" })
    await world.clock.settle()
    expect(received.slice(0, 2)).toEqual(["1 first", "2 ann is away"])
  })

  it("reaches every recipient before the hook's publication about the end of a full session", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { sendBufferMaxCount: 4 } })
    await openClient(world, { token: "ann" })
    const ben = await openClient(world, { token: "ben" })
    const received: string[] = []
    ben.on("note", ({ text }) => received.push(text))
    const topic = world.server.topic("room")
    for (const session of world.server.local.sessions()) topic.subscribe(session)
    world.server.onSessionEnd(({ session }) =>
      world.server.broadcast("note", { text: `${session.user.id} has left` }),
    )
    world.network.links[0]?.server.stall(true)
    for (const text of ["1", "2", "3", "4", "5"]) {
      topic.publish("note", { text })
      await world.clock.advance(600)
    }
    expect(received).toEqual(["1", "2", "3", "4", "5", "ann has left"])
  })
})

describe("an asynchronous hook that fails", () => {
  it("is reported like one that throws, and so is a function that runs after a reply", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const failing = (what: string) => async (): Promise<void> => {
      await Promise.resolve()
      throw new Error(what)
    }
    world.server.onSession(failing("on session"))
    world.server.query("secret", ({ afterReply }) => {
      afterReply(failing("after reply"))
      return {}
    })
    const client = await openClient(world)
    const reply = client.query("secret", {}).catch(() => {})
    await world.clock.advance(10)
    await reply
    expect(world.serverErrors.map(String)).toEqual(["Error: on session", "Error: after reply"])
  })
})
