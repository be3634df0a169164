// @vitest-environment happy-dom
/** @jsxImportSource react */
// One connection per client: in StrictMode, on a server, during hydration, and after a hot reload.
import { createHooks } from "@hawser/react"
import { hydrateRoot } from "react-dom/client"
import { renderToString } from "react-dom/server"
import { expect, it, onTestFinished } from "vitest"
import { contract } from "./contract.ts"
import { collectUnhandled, eventually, openPage, startWorld } from "./harness.ts"
import type { TestClient } from "./harness.ts"

const { Provider, useClient, useStatus, useTopic, usePresence, useReplica, useRecord, useStream } =
  createHooks(contract)

function Status() {
  return useStatus().state
}

const app = (client: TestClient) => (
  <Provider client={client}>
    <Status />
  </Provider>
)

it("connects a client while its provider is mounted, and closes it after that", async () => {
  const world = await startWorld()
  const client = world.client()
  const page = openPage()
  page.render(app(client))
  await page.shows("open")
  page.unmount()
  await eventually(() => expect(world.server.stats().connections).toBe(0))
  expect([client.current.state, world.dials()]).toEqual(["closed", 1])
})

it("opens one connection in StrictMode, which mounts every component twice", async () => {
  const world = await startWorld()
  const client = world.client()
  const page = openPage({ strict: true })
  page.render(app(client))
  await page.shows("open")
  expect([world.dials(), client.stats().sessionsReset]).toEqual([1, 0])
  page.unmount()
  await eventually(() => expect(world.server.stats().connections).toBe(0))
})

it("shares one connection among providers of one client, until the last one has unmounted", async () => {
  const world = await startWorld()
  const client = world.client()
  const [page, other] = [openPage(), openPage()]
  page.render(app(client))
  other.render(app(client))
  await other.shows("open")
  page.unmount()
  await Promise.resolve()
  expect(client.current.state).toBe("open")
  other.unmount()
  await Promise.resolve()
  expect([client.current.state, world.dials()]).toEqual(["closed", 1])
})

it("takes a client that connects by itself, and opens no second connection", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  page.render(app(world.client("ann", { autoConnect: true })))
  await page.shows("open")
  expect(world.dials()).toBe(1)
})

it("reports a client that closes by itself as an unhandled rejection", async () => {
  const unhandled = collectUnhandled()
  const world = await startWorld()
  const page = openPage()
  page.render(app(world.client("")))
  await page.shows("closed")
  await eventually(() => expect(unhandled).toMatchObject([{ code: "auth_token_invalid" }]))
})

function Everything() {
  const { log, members, error } = useTopic("chat:a", { state: { mood: "fine" } })
  const presence = usePresence("chat:a")
  const { records, stale } = useReplica("players")
  const x = useRecord("players", "ann", (player) => player.x)
  const { items } = useStream("count", { to: 3 })
  const parts = [log.length, members.length, error, presence.count, records.size, stale, x, items.length]
  return (
    <p>
      <Status />
      {JSON.stringify(parts.map((part) => part ?? "-"))}
    </p>
  )
}

const everything = (client: TestClient) => (
  <Provider client={client}>
    <Everything />
  </Provider>
)

it("renders on a server without a connection, and hydrates the same text with one connection", async () => {
  const world = await startWorld()
  const onServer = world.client()
  const html = renderToString(everything(onServer))
  expect(html).toContain("idle")
  await Promise.resolve()
  expect([onServer.current.state, world.dials()]).toEqual(["idle", 0])

  const container = document.createElement("div")
  container.innerHTML = html
  const faults: unknown[] = []
  // A client with records and members when the page hydrates shows the server's text first.
  const players = world.server.replica("players")
  players.set("ann", { name: "Ann", x: 7, y: 1 })
  world.server.onSession(({ session }) => players.view(session))
  const client = await world.peer("ann")
  await client.topic("chat:a").join({ state: { mood: "fine" } })
  await eventually(() =>
    expect([client.replica("players").size, client.topic("chat:a").presence.size]).toEqual([1, 1]),
  )
  const root = hydrateRoot(container, everything(client), {
    onRecoverableError: (error) => faults.push(error),
  })
  onTestFinished(() => root.unmount())
  await eventually(() => expect(container.textContent).toBe('open[0,1,"-",1,1,false,7,3]'))
  expect([faults, world.dials()]).toEqual([[], 1])
})

// After an edit a bundler evaluates the module again: it makes new hooks and a new client, or one of the two.
it("leaves no second connection when a hot reload makes another client", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  page.render(app(world.client()))
  await page.shows("open")
  page.render(app(world.client()))
  await eventually(() => expect([page.text(), world.server.stats().connections]).toEqual(["open", 1]))
})

it("keeps connection and membership when a hot reload makes other hooks", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  const evaluate = () => {
    const hooks = createHooks(contract)
    const Log = () => {
      const { log } = hooks.useTopic("lobby")
      return `${hooks.useStatus().state} ${log.length}`
    }
    return (
      <hooks.Provider client={client}>
        <Log />
      </hooks.Provider>
    )
  }
  page.render(evaluate())
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby"]))
  world.server.topic("lobby").publish("said", { text: "ahoy" })
  await page.shows("open 1")
  page.render(evaluate())
  await page.shows("open 1")
  await client.query("look", { at: "" })
  expect([world.topicCalls, world.dials()]).toEqual([["join ann lobby"], 1])
})

it("leaves one connection and membership when a hot reload makes other hooks and another client", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const evaluate = () => {
    const hooks = createHooks(contract)
    const Log = () =>
      `${hooks.useStatus().state} ${hooks.useTopic("chat:a", { state: { mood: "" } }).members.length}`
    return (
      <hooks.Provider client={world.client()}>
        <Log />
      </hooks.Provider>
    )
  }
  page.render(evaluate())
  await page.shows("open 1")
  page.render(evaluate())
  await eventually(() =>
    expect([page.text(), world.server.stats().connections, world.server.stats().topicMembers]).toEqual([
      "open 1",
      1,
      1,
    ]),
  )
  expect(world.dials()).toBe(2)
})

it("explains a hook without a provider", () => {
  function Orphan() {
    return useClient().current.state
  }
  expect(() => renderToString(<Orphan />)).toThrow(
    'a hook of the contract "hooks" has no client: render <Provider client={client}> of the same createHooks() above it',
  )
  expect(() => void Reflect.apply(Provider, undefined, [{}])).toThrow('the contract "hooks" has no client')
  expect(() => void Reflect.apply(createHooks, undefined, [])).toThrow("createHooks needs a contract")
})
