// Durable replicas whose server is killed: records, viewers, topics, changed fields.
import { defineContract, defineReplica, defineTopic, integer, oneOf, text } from "@hawser/protocol"
import type { Contract, Field } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import type { Migrations } from "../../packages/server/src/journal/restore-replicas.ts"
import { Lives } from "./lives.ts"

const fields = { points: integer(), name: text() }
const contract = defineContract({
  name: "durable",
  commands: { score: { input: z.object({ id: z.string(), points: z.int() }), output: z.int() } },
  replicas: {
    scores: defineReplica({ fields, durable: true }),
    fleeting: defineReplica({ fields }),
    bags: defineReplica({ fields, durable: true, visibleTo: "owner" }),
  },
  topics: {
    board: defineTopic({ events: [], replicas: { pieces: defineReplica({ fields, durable: true }) } }),
  },
})
type User = { readonly id: string }
type TestServer = Server<typeof contract, User>
type Options = Partial<ServerOptions<typeof contract, User>>

function newLives(options: Options = {}) {
  const errors: unknown[] = []
  const lives = new Lives<typeof contract, User>(contract, (life) => {
    const server = createServer(contract, {
      authenticate: (id: string) => ({ id }),
      allowLoopbackOrigins: true,
      onError: (error) => errors.push(error),
      ...life,
      ...options,
    })
    serve(server)
    return server
  })
  return { lives, errors }
}

function serve(server: TestServer): void {
  server.command("score", ({ input: { id, points } }) => {
    const scores = server.replica("scores")
    const before = scores.get(id)?.points ?? 0
    scores.set(id, { points: before + points, name: id })
    return before + points
  })
  server.onSession(({ session }) => void server.replica("scores").view(session))
  server.topicKind("board", { canJoin: () => true })
}

describe("a durable replica whose server is killed", () => {
  it("has every record that a reply has told, and no record of a replica that is not durable", async () => {
    const { lives, errors } = newLives()
    await lives.start()
    const client = lives.client("ann")
    await lives.connect(client)
    lives.server.replica("fleeting").set("x", { points: 1, name: "" })
    for (let life = 0; life < 4; life += 1) {
      for (let count = 0; count < 5; count += 1) {
        const reply = client.command("score", { id: `r${count % 3}`, points: 1 })
        await lives.clock.advance(30)
        expect(await reply).toBe(lives.server.replica("scores").get(`r${count % 3}`)?.points)
      }
      lives.server.replica("scores").remove("r2")
      await lives.clock.advance(1)
      const before = [...lives.server.replica("scores")]
      lives.kill()
      await lives.start()
      expect([...lives.server.replica("scores")]).toEqual(before)
      expect(lives.server.recovery).toMatchObject({ records: 2, sessions: 1, setAside: 0 })
      expect(lives.server.replica("fleeting").size).toBe(0)
      await lives.clock.advance(3_000)
      expect(client.current.state).toBe("open")
    }
    expect(lives.server.replica("scores").get("r0")?.points).toBe(8)
    expect(errors).toEqual([])
  })

  it("shows an owner its record after a kill, and no other record", async () => {
    const { lives, errors } = newLives()
    await lives.start()
    const client = lives.client("ann")
    await lives.connect(client)
    lives.server.replica("bags").set("ann", { points: 1, name: "axe" })
    lives.server.replica("bags").set("ben", { points: 2, name: "log" })
    await lives.clock.advance(1)
    lives.kill()
    await lives.start()
    await lives.clock.advance(3_000)
    const [session] = lives.server.local.sessions("ann")
    if (session !== undefined) lives.server.replica("bags").view(session, { only: "ann" })
    await lives.clock.advance(200)
    expect(lives.server.replica("bags").size).toBe(2)
    expect([...client.replica("bags")]).toEqual([["ann", { points: 1, name: "axe" }]])
    expect(errors).toEqual([])
  })

  it("is shown as it is, in a new epoch, to viewers that resume", async () => {
    const { lives } = newLives()
    await lives.start()
    const client = lives.client("ann")
    await lives.connect(client)
    const copy = client.replica("scores")
    lives.server.replica("scores").set("a", { points: 1, name: "A" })
    await lives.clock.advance(200)
    expect([...copy]).toEqual([["a", { points: 1, name: "A" }]])
    lives.server.replica("scores").set("b", { points: 2, name: "B" })
    await lives.clock.advance(1)
    lives.kill()
    await lives.start()
    const [session] = lives.server.local.sessions()
    if (session === undefined) throw new Error("the session was not restored")
    lives.server.replica("scores").view(session)
    lives.server.replica("scores").patch("a", { points: 3 })
    await lives.clock.advance(3_000)
    expect(Object.fromEntries(copy)).toEqual({ a: { points: 3, name: "A" }, b: { points: 2, name: "B" } })
  })

  it("of a topic continues with its members, and without them as an idle topic", async () => {
    const { lives } = newLives()
    await lives.start()
    const client = lives.client("ann")
    await lives.connect(client)
    const board = client.topic("board:1")
    const joined = board.join()
    await lives.clock.advance(100)
    await joined
    const copy = board.replica("pieces")
    lives.server.topic("board:1").replica("pieces").set("p", { points: 1, name: "pawn" })
    lives.server.topic("board:2").replica("pieces").set("q", { points: 2, name: "queen" })
    lives.server.topic("board:3").replica("pieces").set("k", { points: 3, name: "king" })
    lives.server.topic("board:3").replica("pieces").remove("k")
    await lives.clock.advance(200)
    lives.kill()
    await lives.start()
    expect(lives.server.recovery).toMatchObject({ records: 2 })
    await lives.clock.advance(3_000)
    lives.server.topic("board:1").replica("pieces").patch("p", { points: 5 })
    await lives.clock.advance(200)
    expect([...copy]).toEqual([["p", { points: 5, name: "pawn" }]])
    expect(lives.server.topic("board:2").replica("pieces").get("q")).toEqual({ points: 2, name: "queen" })
    expect(lives.server.topic("board:3").replica("pieces").size).toBe(0)
    // The records of a topic end with its last session, for the next process, too.
    client.close()
    await lives.clock.advance(100)
    lives.kill()
    await lives.start()
    expect(lives.server.topic("board:1").replica("pieces").size).toBe(0)
    expect(lives.server.topic("board:2").replica("pieces").size).toBe(1)
  })
})

/** A server whose contract changes from life to life. */
class ChangingServer {
  readonly lives: Lives<Contract, User>
  #replicas: Contract["replicas"] = {}
  #migrate: Migrations = {}

  constructor() {
    this.lives = new Lives<Contract, User>(contract, (life) =>
      createServer<Contract, User>(defineContract({ name: "durable", replicas: this.#replicas }), {
        authenticate: (id: string) => ({ id }),
        migrate: this.#migrate,
        ...life,
      }),
    )
  }

  async start(replicas: Contract["replicas"], migrate: Migrations = {}): Promise<void> {
    this.#replicas = replicas
    this.#migrate = migrate
    await this.lives.start()
  }

  get scores() {
    return Object.fromEntries(this.lives.server.replica("scores"))
  }

  async kill(): Promise<void> {
    await this.lives.clock.advance(1)
    this.lives.kill()
  }
}

const durable = (changed: Readonly<Record<string, Field>>) =>
  defineReplica({ fields: changed, durable: true })

/** Two records of the old fields, in a journal whose process was killed. */
async function withScores(): Promise<ChangingServer> {
  const server = new ChangingServer()
  await server.start({ scores: durable(fields) })
  server.lives.server.replica("scores").set("a", { points: 1, name: "A" })
  server.lives.server.replica("scores").set("b", { points: 2, name: "B" })
  await server.kill()
  return server
}

const withTeam = { scores: durable({ name: text(), points: integer(), team: oneOf(["red", "blue"]) }) }

describe("a durable replica whose fields have changed", () => {
  it("refuses to start without a conversion, names it, and leaves the journal as it was", async () => {
    const server = await withScores()
    const size = (): number =>
      [...server.lives.disk.copy().values()].reduce((sum, { length }) => sum + length, 0)
    const before = size()
    await expect(server.start(withTeam)).rejects.toThrow(
      /the journal holds 2 records of the replica "scores" with the fields \[\["points".*option migrate: \{ "scores": /,
    )
    await expect(server.start({})).rejects.toThrow(
      'the journal holds 2 records of the replica "scores", which the contract does not declare durable: declare it, or drop them',
    )
    await expect(server.start({ scores: defineReplica({ fields }) })).rejects.toThrow(
      "does not declare durable",
    )
    await server.lives.clock.advance(500)
    expect(size()).toBe(before)
    await server.start({ scores: durable(fields) })
    expect(server.scores).toEqual({ a: { points: 1, name: "A" }, b: { points: 2, name: "B" } })
  })

  it("is converted once, record by record, and stays converted", async () => {
    const server = await withScores()
    const seen: unknown[] = []
    await server.start(withTeam, {
      scores: (oldFields, record, id) => {
        seen.push([oldFields, record, id])
        return id === "a" ? { ...record, team: "red" } : undefined
      },
    })
    expect(seen).toEqual([
      [["points", "name"], { points: 1, name: "A" }, "a"],
      [["points", "name"], { points: 2, name: "B" }, "b"],
    ])
    expect(server.scores).toEqual({ a: { points: 1, name: "A", team: "red" } })
    await server.kill()
    await server.start(withTeam)
    expect(server.scores).toEqual({ a: { points: 1, name: "A", team: "red" } })
  })

  it("keeps the old records if the process is killed before the conversion is kept, or if a conversion fails", async () => {
    const server = await withScores()
    const toTeam: Migrations = { scores: (_, record) => ({ ...record, team: "red" }) }
    await server.start(withTeam, toTeam)
    server.lives.kill()
    await expect(
      server.start(withTeam, { scores: (_, record) => ({ ...record, team: "pink" }) }),
    ).rejects.toThrow('"team" of the record "a" in the replica "scores"')
    await server.lives.clock.advance(500)
    await server.start(withTeam, toTeam)
    expect(Object.keys(server.scores)).toEqual(["a", "b"])
  })

  it("is dropped on request", async () => {
    const server = await withScores()
    await server.start({}, { scores: "drop" })
    await server.kill()
    await server.start({ scores: durable(fields) })
    expect(server.scores).toEqual({})
  })
})

describe("the bounds of a durable replica", () => {
  it.each([
    [
      "records",
      { durableReplicaMaxCount: 2 },
      "has 2 records, the most is 2 (limits.durableReplicaMaxCount)",
    ],
    ["bytes", { durableReplicaMaxBytes: 40 }, "has 51 bytes, the most is 40 (limits.durableReplicaMaxBytes)"],
  ])("of %s throw, and leave it as it was", async (_, limits, sentence) => {
    const { lives } = newLives({ limits })
    await lives.start()
    const scores = lives.server.replica("scores")
    scores.set("a", { points: 1, name: "" })
    scores.set("b", { points: 2, name: "" })
    expect(() => scores.set("c", { points: 3, name: "" })).toThrow(sentence)
    expect([...scores.ids()]).toEqual(["a", "b"])
    scores.remove("a")
    scores.set("c", { points: 3, name: "" })
    if (_ === "bytes") expect(() => scores.patch("c", { name: "too long" })).toThrow("durableReplicaMaxBytes")
    expect(scores.get("c")).toEqual({ points: 3, name: "" })
  })
})

describe("a record", () => {
  it("is the same frozen object until it changes", async () => {
    const { lives } = newLives()
    await lives.start()
    const scores = lives.server.replica("scores")
    scores.set("a", { points: 1, name: "" })
    const first = scores.get("a")
    scores.set("a", { points: 1, name: "" })
    expect(scores.get("a")).toBe(first)
    expect([...scores.values()][0]).toBe(first)
    expect(Object.isFrozen(first)).toBe(true)
    scores.patch("a", { points: 2 })
    expect(scores.get("a")).toEqual({ points: 2, name: "" })
    expect(first).toEqual({ points: 1, name: "" })
  })
})
