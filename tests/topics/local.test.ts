// Names of topics at both ends, members that a server is asked for, and the sessions and topics of one process.
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, settled } from "./harness.ts"
import type { World } from "./harness.ts"

const fine = { state: { mood: "fine" } }

/** Returns the server without the types of its topics, so that any name and event compiles. */
function untyped({ server }: World) {
  const topics: {
    topic(name: string): { publish(event: string, payload: unknown): void }
    readonly local: { topic(name: string): unknown }
  } = server
  return topics
}

describe("a topic that the application names", () => {
  it("is a TypeError for a kind that the contract lacks", () => {
    const world = createWorld()
    const fault = new TypeError(
      'the contract "topics" has no topic "char". Did you mean "chat"? Valid names: chat, lobby, vault, board',
    )
    expect(() => untyped(world).topic("char:a")).toThrow(fault)
    expect(() => untyped(world).local.topic("char:a")).toThrow(fault)
  })

  it("newcomer-7 is a TypeError that shows the character which no name may contain, at both ends", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const fault = 'the topic name "chat:hello world" is not allowed: it contains " "; use letters, digits, '
    expect(() => untyped(world).topic("chat:hello world")).toThrow(fault)
    expect(() => untyped(world).topic("chat:hello world")).toThrow(TypeError)
    expect(() => ann.topic("chat:hello world")).toThrow(fault)
    expect(() => ann.topic("chat:hello world")).toThrow(TypeError)
  })

  it("refuses an event that its kind lacks, also if the contract has it", () => {
    const world = createWorld()
    expect(() => untyped(world).topic("lobby:a").publish("weather", { kind: "rain" })).toThrow(
      new TypeError('the topic "lobby:a" has no event "weather". Valid names: chatMessage'),
    )
  })
})

describe("the members of a topic", () => {
  it("are those that joined, in this order, with their state, and not the subscribers", async () => {
    const world = createWorld()
    const [ann, ben] = [await world.open("ann"), await world.open("ben")]
    await world.open("cem")
    world.server.topic("chat:a").subscribe(sessionOf(world, "cem"))
    await settled(world, ben.topic("chat:a").join({ state: { mood: "good" } }))
    await settled(world, ann.topic("chat:a").join(fine))
    await settled(world, ann.topic("chat:a").setState({ mood: "better" }))
    world.network.links[1]?.cut()
    await world.clock.settle()
    const id = (client: typeof ann) => client.topic("chat:a").presence.self?.id
    expect(await world.server.topic("chat:a").members()).toEqual([
      { id: id(ben), user: "ben", state: { mood: "good" }, away: true },
      { id: id(ann), user: "ann", state: { mood: "better" }, away: false },
    ])
    expect(world.server.local.topic("chat:a").size).toBe(3)
    expect(await world.server.topic("chat:b").members()).toEqual([])
  })

  it("have no state in a kind without presence", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    await settled(world, ann.topic("lobby").join())
    expect(await world.server.topic("lobby").members()).toMatchObject([{ user: "ann", state: undefined }])
  })
})

describe("the local part of a server", () => {
  it("has all sessions, or those of a user, oldest first", async () => {
    const world = createWorld()
    const { server } = world
    for (const user of ["ann", "ben", "ann"]) await world.open(user)
    expect(server.local.sessions().map(({ user }) => user.id)).toEqual(["ann", "ben", "ann"])
    const own = server.local.sessions("ann")
    expect(own).toEqual([server.local.sessions()[0], server.local.sessions()[2]])
    expect(server.local.sessions("zoe")).toEqual([])
    await server.endSessions({ user: "ann", code: "session_expired", message: "everywhere" })
    expect(server.local.sessions().map(({ user }) => user.id)).toEqual(["ben"])
    expect(server.stats().sessionsEndedByCause).toEqual({ session_expired: 2 })
  })

  it.each<[string, object | undefined]>([
    ["no options", undefined],
    ["no user", {}],
    ["an empty user", { user: "" }],
    ["a misspelt user", { userId: "ann" }],
    ["a code that is no text", { user: "ann", code: 4403 }],
  ])("ends no session silently: endSessions refuses %s", async (_, options) => {
    const world = createWorld()
    await world.open("ann")
    // @ts-expect-error 2345: untyped code passes anything
    await expect(world.server.endSessions(options)).rejects.toThrow(TypeError)
    expect(world.server.local.sessions("ann")).toHaveLength(1)
  })

  it("shows the current size of a topic", async () => {
    const world = createWorld()
    const local = world.server.local.topic("lobby")
    const ann = await world.open("ann")
    expect(local.size).toBe(0)
    await settled(world, ann.topic("lobby").join())
    expect(local.size).toBe(1)
  })
})

it("a send reports a fault of the delivery to onError, and does not throw it", async () => {
  const world = createWorld()
  await world.open("ann")
  const session = sessionOf(world, "ann")
  world.server.topic("lobby").subscribe(session)
  const fault = new Error("fault of the test")
  Reflect.set(session, "publish", () => {
    throw fault
  })
  world.server.topic("lobby").publish("chatMessage", { text: "one" })
  world.server.broadcast("weather", { kind: "rain" })
  world.server.multicast([session], "weather", { kind: "rain" })
  expect(world.errors).toEqual([fault, fault, fault])
})
