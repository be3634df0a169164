// @vitest-environment happy-dom
/** @jsxImportSource react */
// The hooks of events, commands, streams and replicas.
import { HawserError } from "@hawser/client"
import { createHooks } from "@hawser/react"
import type { Hooks } from "@hawser/react"
import { createClient, topics } from "@hawser/client/core"
import { StrictMode, useEffect } from "react"
import type { ReactNode } from "react"
import { expect, it, onTestFinished } from "vitest"
import WebSocket from "ws"
import { contract } from "./contract.ts"
import { collectUnhandled, eventually, openPage, startWorld } from "./harness.ts"
import type { TestClient } from "./harness.ts"

const { Provider, useClient, useCommand, useEvent, useRecord, useReplica, useStatus, useStream } =
  createHooks(contract)

function provided(client: TestClient, ...children: readonly ReactNode[]) {
  return <Provider client={client}>{children}</Provider>
}

function Status() {
  return useStatus().state
}

/** Calls `run` once for each press. */
function Button({ run }: { readonly run: () => void }) {
  return <button type="button" onClick={run} />
}

const press = (page: { readonly container: HTMLElement }): void =>
  page.container.querySelector("button")?.click()

it("calls the listener of the last render for each event, once in StrictMode", async () => {
  const world = await startWorld()
  const heard: string[] = []
  function News({ mark }: { readonly mark: string }) {
    useEvent("news", ({ text }, { topic }) => heard.push(`${mark} ${text} ${topic}`))
    return useStatus().state
  }
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <News key="1" mark="a" />))
  await page.shows("open")
  await client.command("announce", { text: "1" })
  page.render(provided(client, <News key="1" mark="b" />))
  await client.command("announce", { text: "2" })
  page.render(provided(client))
  await client.command("announce", { text: "3" })
  await client.query("look", { at: "" })
  expect(heard).toEqual(["a 1 undefined", "b 2 undefined"])
})

it("gets an event that the server sends as soon as the session is open", async () => {
  const world = await startWorld()
  world.server.onSession(({ session }) => session.send("news", { text: "welcome" }))
  const heard: string[] = []
  function News() {
    useEvent("news", ({ text }) => heard.push(text))
    return null
  }
  openPage({ strict: true }).render(provided(world.client(), <News key="1" />))
  await eventually(() => expect(heard).toEqual(["welcome"]))
})

it("runs a command, and shows that it is pending and its error", async () => {
  const world = await startWorld()
  const runs = new Set<unknown>()
  const replies: string[] = []
  function Greet({ name }: { readonly name: string }) {
    const { run, pending, error } = useCommand("greet")
    runs.add(run)
    const greet = (): void => {
      run({ name }).then(
        ({ text }) => replies.push(text),
        () => {},
      )
    }
    return (
      <>
        <Button run={greet} />
        {pending ? "…" : HawserError.is(error) ? error.code : ""}
      </>
    )
  }
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Greet key="1" name="ann" />))
  press(page)
  await page.shows("…")
  await page.shows("")
  expect(replies).toEqual(["hello, ann"])
  page.render(provided(client, <Greet key="1" name="nobody" />))
  press(page)
  await page.shows("forbidden")
  page.render(provided(client, <Greet key="1" name="ann" />))
  press(page)
  await page.shows("")
  expect([replies.length, runs.size]).toEqual([2, 1])
})

it("shows the error of the latest run only", async () => {
  const world = await startWorld()
  const shown: unknown[] = []
  function Twice() {
    const { run, pending, error } = useCommand("greet")
    shown.push(error)
    const both = (): void =>
      void Promise.all([run({ name: "nobody" }), run({ name: "held" })]).catch(() => {})
    return (
      <>
        <Button run={both} />
        {pending ? "…" : "done"}
      </>
    )
  }
  const page = openPage()
  const client = world.client()
  page.render(provided(client, <Twice key="1" />))
  press(page)
  await eventually(() => expect([world.held.length, client.pending().length]).toEqual([1, 1]))
  await page.shows("…")
  for (const answer of world.held) answer()
  await page.shows("done")
  expect([...new Set(shown)]).toEqual([undefined])
})

it("reports a failed command whose error neither the component nor the caller handles", async () => {
  const unhandled = collectUnhandled()
  const world = await startWorld()
  function Careless() {
    const { run } = useCommand("greet")
    return <Button run={() => void run({ name: "nobody" })} />
  }
  function Careful() {
    const { run, error } = useCommand("greet")
    return (
      <>
        <Button run={() => void run({ name: "nobody" })} />
        {error === undefined ? "" : "failed"}
      </>
    )
  }
  const page = openPage()
  const client = world.client()
  page.render(provided(client, <Careful key="1" />))
  press(page)
  await page.shows("failed")
  expect(unhandled).toEqual([])
  page.render(provided(client, <Careless key="2" />))
  press(page)
  await eventually(() => expect(unhandled).toMatchObject([{ code: "forbidden" }]))
})

interface CountProps {
  readonly to: number | null
  readonly failAt?: number
  readonly size?: number
}

function Count({ to, failAt, size = 3 }: CountProps) {
  const { items, done, error, restart } = useStream(
    to === null ? null : "count",
    failAt === undefined ? { to: to ?? 0 } : { to: to ?? 0, failAt },
    { size },
  )
  const end = error === undefined ? done : "failed"
  return (
    <>
      <Button run={restart} />
      {`${items.join(" ")} ${end}`}
    </>
  )
}

it("reads a stream: its last items, its end, and again for another input", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Count key="1" to={null} />))
  await page.shows(" false")
  page.render(provided(client, <Count key="1" to={5} />))
  await page.shows("3 4 5 true")
  page.render(provided(client, <Count key="1" to={5} />))
  page.render(provided(client, <Count key="1" to={2} />))
  await page.shows("1 2 true")
  press(page)
  await eventually(() => expect(world.streams).toEqual(["5", "2", "2"]))
  await page.shows("1 2 true")
  page.render(provided(client, <Count key="1" to={2} failAt={2} />))
  await page.shows("1 failed")
})

it("opens one stream for a component that StrictMode mounts twice", async () => {
  const world = await startWorld()
  function Rare() {
    const { items, error } = useStream("rare")
    return HawserError.is(error) ? error.code : items.join(" ")
  }
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Status key="1" />))
  await page.shows("open")
  page.render(provided(client, <Rare key="2" />))
  await page.shows("1")
})

it("cancels the stream of a component that unmounts", async () => {
  const world = await startWorld()
  const page = openPage({ strict: true })
  const client = world.client()
  page.render(provided(client, <Count key="1" to={100_000} />))
  await eventually(() => expect(world.streams).toHaveLength(1))
  page.render(provided(client))
  await eventually(() => expect(client.stats().streams).toBe(0))
})

it("opens a stream again after close and connect, and after another log-in", async () => {
  const world = await startWorld()
  const page = openPage()
  const client = world.client()
  page.render(provided(client, <Count key="1" to={100_000} />))
  await eventually(() => expect(world.streams).toHaveLength(1))
  await client.connect({ token: "bob" })
  await eventually(() => expect(world.streams).toHaveLength(2))
  client.close()
  await client.connect()
  await eventually(() => expect(world.streams).toHaveLength(3))
})

it("reports the error of a stream that no component reads", async () => {
  const unhandled = collectUnhandled()
  const world = await startWorld()
  function Careless() {
    return useStream("count", { to: 3, failAt: 1 }).items.length
  }
  openPage().render(provided(world.client(), <Careless key="1" />))
  await eventually(() => expect(unhandled).toMatchObject([{ code: "forbidden" }]))
})

it("refuses a size that is no number of items", async () => {
  const world = await startWorld()
  const faults: string[] = []
  function Wrong() {
    try {
      useStream("count", { to: 1 }, { size: 0 })
    } catch (error) {
      faults.push(String(error))
    }
    return null
  }
  openPage().render(provided(world.client(), <Wrong key="1" />))
  expect(faults[0]).toBe("RangeError: the size of useStream is a whole number of items above 0, not 0")
})

it("shows a replica, and renders a component of one record for changes of its selection only", async () => {
  const world = await startWorld()
  const players = world.server.replica("players")
  players.set("ann", { name: "Ann", x: 1, y: 1 })
  players.set("bob", { name: "Bob", x: 2, y: 2 })
  world.server.onSession(({ session }) => players.view(session))
  const renders = { x: 0, place: 0, all: 0 }
  function X({ id }: { readonly id: string | null }) {
    renders.x += 1
    return ` x ${useRecord("players", id, (player) => player.x)}`
  }
  function Place() {
    renders.place += 1
    const place = useRecord("players", "ann", ({ x, y }) => ({ x, y }))
    return ` place ${place?.x},${place?.y}`
  }
  function All() {
    renders.all += 1
    const { records, stale } = useReplica("players")
    return `${[...records.values()].map(({ name }) => name).join(" ")} ${stale}`
  }
  function Whole() {
    return ` whole ${useRecord("players", "bob")?.name}`
  }
  const page = openPage()
  const client = world.client()
  const show = (id: string | null) =>
    page.render(
      provided(client, <All key="1" />, <X key="2" id={id} />, <Place key="3" />, <Whole key="4" />),
    )
  show("ann")
  await page.shows("Ann Bob false x 1 place 1,1 whole Bob")
  const before = { ...renders }
  players.set("ann", { name: "Anna", x: 1, y: 1 })
  players.set("bob", { name: "Bob", x: 9, y: 2 })
  await page.shows("Anna Bob false x 1 place 1,1 whole Bob")
  expect(renders).toEqual({ ...before, all: before.all + 1 })
  players.set("ann", { name: "Anna", x: 1, y: 5 })
  await page.shows("Anna Bob false x 1 place 1,5 whole Bob")
  expect(renders).toEqual({ ...before, all: before.all + 2, place: before.place + 1 })
  show("bob")
  await page.shows("Anna Bob false x 9 place 1,5 whole Bob")
  show(null)
  await page.shows("Anna Bob false x undefined place 1,5 whole Bob")
  show("ann")
  players.remove("ann")
  await page.shows("Bob false x undefined place undefined,undefined whole Bob")
})

it("serves a client with a choice of features", async () => {
  const world = await startWorld()
  const hooks: Hooks<typeof contract, "topics"> = createHooks<typeof contract, "topics">(contract)
  const client = createClient(contract, {
    url: world.url,
    token: "ann",
    webSocket: WebSocket,
    autoConnect: false,
    use: [topics()],
  })
  onTestFinished(() => client.close())
  const known: unknown[] = []
  function Lobby() {
    const own = hooks.useClient()
    useEffect(() => void known.push(own), [own])
    return hooks.useTopic("lobby").members.length
  }
  openPage().render(
    <StrictMode>
      <hooks.Provider client={client}>
        <Lobby />
      </hooks.Provider>
    </StrictMode>,
  )
  await eventually(() => expect(world.topicCalls).toEqual(["join ann lobby"]))
  expect(known[0]).toBe(client)
})

it("gives components their client", async () => {
  const world = await startWorld()
  const client = world.client()
  const page = openPage()
  function Same() {
    return String(useClient() === client)
  }
  page.render(provided(client, <Same key="1" />))
  await page.shows("true")
})
