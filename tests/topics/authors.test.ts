// Authors of publications: the server writes them, and a client cannot.
import { describe, expect, it } from "vitest"
import type { Author } from "@hawser/client"
import { TypeTable, clientMessageLimits, contractTypes, createFrameCodec } from "@hawser/protocol/core"
import type { Dial } from "@hawser/protocol/core"
import { contract, createWorld, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const fine = { state: { mood: "fine" } }

/** Records the authors of all publications that a client receives. */
function authorsAt(client: TopicClient): (readonly [string, Author | undefined])[] {
  const received: (readonly [string, Author | undefined])[] = []
  client.on("chatMessage", ({ text }, { author }) => received.push([text, author]))
  client.on("typing", (_payload, { author }) => received.push(["typing", author]))
  client.on("cursor", (_payload, { author }) => received.push(["cursor", author]))
  client.on("weather", ({ kind }, { author }) => received.push([kind, author]))
  return received
}

const codec = createFrameCodec(new TypeTable(contractTypes(contract)), clientMessageLimits)

/** Dials with a client that adds members to the input of each of its publications. */
function forging({ network }: World, forged: object): Dial {
  return (...target) => {
    const connection = network.dial(...target)
    const send = connection.send.bind(connection)
    connection.send = (message) => {
      const frame = codec.decode(message.bytes, 0)
      if (frame.kind !== "request" || frame.type !== "$publish") return send(message)
      return send({ bytes: codec.encode({ ...frame, payload: Object.assign({}, frame.payload, forged) }) })
    }
    return connection
  }
}

async function openTwo(world: World): Promise<readonly [TopicClient, TopicClient]> {
  const ann = await world.open("ann")
  const ben = await world.open("ben")
  await settled(world, ann.topic("chat:a").join(fine))
  return [ann, ben]
}

describe("the author of a publication", () => {
  it("is the user and the member that published, for every kind of event", async () => {
    const world = createWorld()
    const [ann, ben] = await openTwo(world)
    const received = authorsAt(ann)
    await settled(world, ben.topic("chat:a").join(fine))
    const room = ben.topic("chat:a")
    await settled(world, room.publish("chatMessage", { text: "hello" }))
    await settled(world, room.publish("typing", { user: "zoe" }))
    await settled(world, room.publish("cursor", { user: "zoe", x: 1 }))
    const author = { user: "ben", member: room.presence.self?.id }
    expect(author.member).toBeGreaterThan(0)
    expect(received).toEqual([
      ["hello", author],
      ["typing", author],
      ["cursor", author],
    ])
  })

  it("has no member if the client had not joined", async () => {
    const world = createWorld()
    const [ann, ben] = await openTwo(world)
    const received = authorsAt(ann)
    await settled(world, ben.topic("chat:a").publish("chatMessage", { text: "from outside" }))
    expect(received).toStrictEqual([["from outside", { user: "ben" }]])
  })

  it("is absent if the server published, and outside of topics", async () => {
    const world = createWorld()
    const [ann] = await openTwo(world)
    const received = authorsAt(ann)
    world.server.topic("chat:a").publish("chatMessage", { text: "by the server" })
    world.server.topic("chat:a").publish("typing", { user: "ann" })
    world.server.broadcast("weather", { kind: "rain" })
    await world.clock.advance(100)
    expect(received).toEqual([
      ["by the server", undefined],
      ["typing", undefined],
      ["rain", undefined],
    ])
  })

  it("is kept in the history", async () => {
    const world = createWorld()
    const [ann, ben] = await openTwo(world)
    await settled(world, ann.topic("chat:a").publish("chatMessage", { text: "early" }))
    world.server.topic("chat:a").publish("chatMessage", { text: "notice" })
    const received = authorsAt(ben)
    await settled(world, ben.topic("chat:a").join({ ...fine, recent: 10 }))
    expect(received).toEqual([
      ["early", { user: "ann", member: ann.topic("chat:a").presence.self?.id }],
      ["notice", undefined],
    ])
  })

  it("cannot be forged by the input of a publication", async () => {
    const world = createWorld()
    const [ann] = await openTwo(world)
    const received = authorsAt(ann)
    const ben = await world.open("ben", { dial: forging(world, { author: ["ann", 1] }) })
    await settled(world, ben.topic("chat:a").publish("chatMessage", { text: "I am ann" }))
    expect(received).toStrictEqual([["I am ann", { user: "ben" }]])
  })
})
