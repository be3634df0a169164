// @vitest-environment happy-dom
/** @jsxImportSource react */
// `useTopic` and `usePresence`: one membership for all components, its log, members, errors, and other log-ins.
import { HawserError } from "@hawser/client"
import { createHooks } from "@hawser/react"
import { useEffect } from "react"
import type { ReactNode } from "react"
import { expect, it } from "vitest"
import { contract } from "./contract.ts"
import { collectUnhandled, eventually, openPage, startWorld } from "./harness.ts"
import type { TestClient } from "./harness.ts"

const { Provider, useTopic, usePresence } = createHooks(contract)

interface LobbyProps {
  readonly name?: "lobby" | `lobby:${string}` | null
  readonly recent?: number
  readonly log?: number
}

function Lobby({ name = "lobby", ...options }: LobbyProps) {
  const { log, gap } = useTopic(name, options)
  const lines = log.flatMap((item) => (item.kind === "message" ? item.payload.text : []))
  return `[${lines.join(" ")}${gap === undefined ? "" : ` gap ${gap.from}`}]`
}

const codeOf = (error: unknown) => (HawserError.is(error) ? error.code : undefined)

function provided(client: TestClient, ...children: readonly ReactNode[]) {
  return <Provider client={client}>{children}</Provider>
}

it("joins once for two components, and leaves after the last one", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Lobby key="1" />, <Lobby key="2" />))
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby"]))
  world.server.topic("lobby").publish("said", { text: "ahoy" })
  await page.shows("[ahoy][ahoy]")
  page.render(provided(client, <Lobby key="2" />))
  world.server.topic("lobby").publish("said", { text: "again" })
  await page.shows("[ahoy again]")
  page.render(provided(client))
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby", "leave ann lobby"]))
  page.render(provided(client, <Lobby key="3" recent={1} />))
  await page.shows("[again]")
  expect(world.topicCalls).toEqual(["join ann lobby", "leave ann lobby", "join ann lobby"])
})

it("changes the topic with its name, and joins none for null", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Lobby key="1" name={null} />))
  await page.shows("[]")
  page.render(provided(client, <Lobby key="1" name="lobby:a" />))
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby:a"]))
  page.render(provided(client, <Lobby key="1" name="lobby:b" />))
  await eventually(() =>
    expect(world.topicCalls.toSorted()).toEqual([
      "join ann lobby:a",
      "join ann lobby:b",
      "leave ann lobby:a",
    ]),
  )
  page.render(provided(client, <Lobby key="1" name={null} />))
  await eventually(() => expect(world.topicCalls.at(-1)).toBe("leave ann lobby:b"))
})

it("begins the log with the recent publications, and keeps the last ones within its size", async () => {
  const world = await startWorld()
  const room = world.server.topic("lobby")
  for (const text of ["1", "2", "3"]) room.publish("said", { text })
  const page = openPage()
  page.render(provided(world.client(), <Lobby key="1" recent={2} log={3} />))
  await page.shows("[2 3]")
  for (const text of ["4", "5"]) room.publish("said", { text })
  await page.shows("[3 4 5]")
})

it("misses and repeats nothing when the connection is cut", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Lobby key="1" />))
  await eventually(() => expect(world.topicCalls).toHaveLength(1))
  const room = world.server.topic("lobby")
  room.publish("said", { text: "1" })
  client.cut()
  room.publish("said", { text: "2" })
  await page.shows("[1 2]")
  room.publish("said", { text: "3" })
  await page.shows("[1 2 3]")
  expect(world.topicCalls).toEqual(["join ann lobby"])
})

it("reports publications that never arrive as a gap in the log", async () => {
  const world = await startWorld()
  const page = openPage()
  const client = world.client("ann", { reconnect: () => 50 })
  page.render(provided(client, <Lobby key="1" log={101} />))
  await eventually(() => expect(world.topicCalls).toHaveLength(1))
  const room = world.server.topic("lobby")
  room.publish("said", { text: "1" })
  await page.shows("[1]")
  client.cut()
  await world.server.endSessions({ user: "ann", code: "session_expired" })
  for (let n = 2; n <= 110; n += 1) room.publish("said", { text: String(n) })
  // The history has 100 publications.
  await eventually(() => expect(page.text()).toMatch(/^\[11 12 .* 109 110 gap 2\]$/))
})

it("publishes with send, which is always the same function", async () => {
  const world = await startWorld()
  const bob = await world.peer("bob")
  const heard: string[] = []
  bob.topic("lobby").on("said", ({ text }) => heard.push(text))
  await bob.topic("lobby").join()
  const sends = new Set<unknown>()
  function Sender() {
    const { log, send } = useTopic("lobby")
    sends.add(send)
    return (
      <button type="button" onClick={() => void send("said", { text: `hi ${log.length}` })}>
        {log.length}
      </button>
    )
  }
  const page = openPage()
  page.render(provided(world.client(), <Sender key="1" />))
  await eventually(() => expect(world.topicCalls).toContain("join ann lobby"))
  page.container.querySelector("button")?.click()
  await page.shows("1")
  page.container.querySelector("button")?.click()
  await page.shows("2")
  expect([heard, sends.size]).toEqual([["hi 0", "hi 1"], 1])
})

it("rejects send and setState without a topic", async () => {
  const world = await startWorld()
  const outcomes: Promise<PromiseSettledResult<unknown>[]>[] = []
  function Nowhere() {
    const { send } = useTopic<"chat:a">(null, { state: { mood: "" } })
    const { setState } = usePresence<"chat:a">(null)
    useEffect(() => {
      outcomes.push(Promise.allSettled([send("said", { text: "" }), setState({ mood: "" })]))
    }, [send, setState])
    return null
  }
  openPage().render(provided(world.client(), <Nowhere key="1" />))
  const settled = (await outcomes[0]) ?? []
  const reasons = settled.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : outcome))
  const sentence =
    "TypeError: the topic's name is null: there is no topic to publish to; render the control only with a topic"
  expect(reasons).toEqual([sentence, sentence])
})

it("shows members and their states, and changes the own one", async () => {
  const world = await startWorld()
  const bob = await world.peer("bob")
  await bob.topic("chat:a").join({ state: { mood: "calm" } })
  function Room() {
    const { members } = useTopic("chat:a", { state: { mood: "fine" } })
    return members.map(({ user, state }) => `${user} ${state.mood}`).join(", ")
  }
  function Me() {
    const { self, count, stale, setState } = usePresence("chat:a")
    return (
      <button type="button" onClick={() => void setState({ mood: "glad" })}>
        {`; ${self?.state.mood} ${count} ${stale}`}
      </button>
    )
  }
  const page = openPage({ strict: true })
  page.render(provided(world.client(), <Room key="1" />, <Me key="2" />))
  await page.shows("bob calm, ann fine; fine 2 false")
  page.container.querySelector("button")?.click()
  await page.shows("bob calm, ann glad; glad 2 false")
  await bob.topic("chat:a").leave()
  await page.shows("ann glad; glad 1 false")
})

it("renders a component again only for the parts that it reads", async () => {
  const world = await startWorld()
  const renders = { log: 0, members: 0, none: 0 }
  const options = { state: { mood: "fine" } }
  function Log() {
    renders.log += 1
    return `log ${useTopic("chat:a", options).log.length}`
  }
  function Members() {
    renders.members += 1
    return ` members ${useTopic("chat:a", options).members.length}`
  }
  function None() {
    renders.none += 1
    useTopic("chat:a", options)
    return null
  }
  const page = openPage()
  page.render(provided(world.client(), <Log key="1" />, <Members key="2" />, <None key="3" />))
  await page.shows("log 0 members 1")
  await eventually(() => expect(world.topicCalls).toHaveLength(1))
  const before = { ...renders }
  const bob = await world.peer("bob")
  await bob.topic("chat:a").join({ state: { mood: "calm" } })
  await page.shows("log 0 members 2")
  expect(renders).toEqual({ ...before, members: before.members + 1 })
  await bob.topic("chat:a").publish("said", { text: "ahoy" })
  await page.shows("log 1 members 2")
  expect(renders).toEqual({ ...before, members: before.members + 1, log: before.log + 1 })
})

it("gives a component that reads it the error of a refused join", async () => {
  const world = await startWorld()
  function Vault() {
    return codeOf(useTopic("vault").error) ?? "…"
  }
  const page = openPage({ strict: true })
  page.render(provided(world.client(), <Vault key="1" />))
  await page.shows("forbidden")
})

it("reports the error of a refused join as an unhandled rejection if no component reads it", async () => {
  const unhandled = collectUnhandled()
  const world = await startWorld()
  function Vault() {
    return useTopic("vault").log.length
  }
  openPage({ strict: true }).render(provided(world.client(), <Vault key="1" />))
  await eventually(() => expect(unhandled).toMatchObject([{ code: "forbidden" }]))
})

it("gives the reason when the server removes the member, and joins again with the next component", async () => {
  const world = await startWorld()
  function Room() {
    const { error } = useTopic("lobby")
    return codeOf(error) ?? "in"
  }
  const page = openPage()
  const client = world.client()
  page.render(provided(client, <Room key="1" />))
  await eventually(() => expect(world.topicCalls).toHaveLength(1))
  const [session] = world.server.local.sessions("ann")
  if (session !== undefined) world.server.topic("lobby").unsubscribe(session)
  await page.shows("forbidden")
  page.render(provided(client, <Room key="2" />))
  await page.shows("in")
  await eventually(() =>
    expect(world.topicCalls).toEqual(["join ann lobby", "leave ann lobby", "join ann lobby"]),
  )
})

it("passes the reason of a removal to onError of the client if no component reads it", async () => {
  const world = await startWorld()
  const errors: unknown[] = []
  openPage().render(
    provided(world.client("ann", { onError: (error) => errors.push(error) }), <Lobby key="1" />),
  )
  await eventually(() => expect(world.topicCalls).toHaveLength(1))
  const [session] = world.server.local.sessions("ann")
  if (session !== undefined) world.server.topic("lobby").unsubscribe(session)
  await eventually(() => expect(errors).toMatchObject([{ code: "forbidden" }]))
})

it("joins again after a log-in with another token, and after close and connect", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Lobby key="1" recent={9} />))
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby"]))
  await client.connect({ token: "bob" })
  await eventually(() =>
    expect(world.topicCalls.slice(1).toSorted()).toEqual(["join bob lobby", "leave ann lobby"]),
  )
  client.close()
  await eventually(() => expect(world.topicCalls.at(-1)).toBe("leave bob lobby"))
  world.server.topic("lobby").publish("said", { text: "ahoy" })
  await client.connect()
  await page.shows("[ahoy]")
  expect(world.topicCalls.filter((call) => call.startsWith("join"))).toHaveLength(3)
})

it("throws for a name that the contract lacks, and for an invalid size of the log", async () => {
  const world = await startWorld()
  const client = world.client()
  const faults: unknown[] = []
  const page = openPage()
  function Wrong({ name, log }: { readonly name: string; readonly log: number }) {
    try {
      // @ts-expect-error -- untyped code passes any text
      useTopic(name, { log })
    } catch (error) {
      faults.push(String(error))
    }
    return null
  }
  page.render(provided(client, <Wrong key="1" name="nowhere" log={1} />))
  page.render(provided(client, <Wrong key="2" name="lobby" log={0} />))
  expect(faults).toEqual(
    expect.arrayContaining([
      expect.stringContaining('"nowhere"'),
      "RangeError: the size of a log is 1 to 1024 items, not 0",
    ]),
  )
})
