// The world's process ends, and the next one continues its sessions from the journal.
import { existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { moveCooldownMs } from "../../apps/world/src/contract.ts"
import type { Direction } from "../../apps/world/src/contract.ts"
import { openDatabase } from "../../apps/world/src/server/store/database.ts"
import { createPlayerStore } from "../../apps/world/src/server/store/player-store.ts"
import { newAccount } from "../conformance-2.0/player.ts"
import { caseContext } from "./case-context.ts"
import { freePort } from "./free-port.ts"
import { ResumingPlayer } from "./resuming-player.ts"
import { WorldProcess } from "./start-world.ts"
import type { Environment } from "./start-world.ts"

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 10 })

async function openWorld(env: Environment = {}): Promise<WorldProcess> {
  const world = new WorldProcess({ port: await freePort(), program: "compiled", env })
  onTestFinished(() => world.remove())
  await world.start()
  return world
}

async function enter(world: WorldProcess): Promise<ResumingPlayer> {
  const player = new ResumingPlayer(world.webSocketUrl, await newAccount(caseContext(world)))
  await player.client.connect()
  await eventually(() => expect(player.welcomes).toBe(1))
  return player
}

/** Says a line without a connection. A world may start slowly on a loaded machine. */
const sayAtLast = ({ client }: ResumingPlayer, message: string): Promise<unknown> =>
  client.command("chatSend", { channel: "local", message }, { timeoutMs: 60_000 })

async function walk(player: ResumingPlayer, direction: Direction, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await player.move(direction)
    await pause(moveCooldownMs)
  }
}

/** Returns the world's pieces by place. The ledger must agree with them. */
async function piecesOf(world: WorldProcess): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${world.url}/metrics`)).text()
  const found = [...text.matchAll(/^world_pieces\{place="(\w+)"\} (-?\d+)$/gm)]
  const pieces = Object.fromEntries(found.map(([, place = "", count]) => [place, Number(count)]))
  const { grown = 0, decayed = 0, stored = 0, standing = 0, ground = 0, carried = 0 } = pieces
  expect(grown - decayed - stored).toBe(standing + ground + carried)
  return pieces
}

const resumed = ({ sessions }: ResumingPlayer): number =>
  sessions.filter(({ kind }) => kind === "resumed").length

describe("a world that is killed", { timeout: 120_000 }, () => {
  it("continues its sessions: players stay in it, and each line arrives once", async () => {
    const world = await openWorld()
    const [ann, bob] = [await enter(world), await enter(world)]
    await ann.say("before")
    for (let life = 1; life <= 3; life += 1) {
      await world.kill()
      const said = sayAtLast(ann, `during ${life}`)
      await world.start()
      await said
      for (const player of [ann, bob]) await eventually(() => expect(resumed(player)).toBe(life))
      await bob.say(`after ${life}`)
    }
    const lines = [
      `${ann.username}: before`,
      ...[1, 2, 3].flatMap((life) => [`${ann.username}: during ${life}`, `${bob.username}: after ${life}`]),
    ]
    for (const player of [ann, bob]) {
      await eventually(() => expect(player.talk).toEqual(lines))
      expect(player.sessions.map(({ kind }) => kind)).toEqual(["opened", "resumed", "resumed", "resumed"])
      expect([player.welcomes, player.joined.length, player.left]).toEqual([1, player === ann ? 1 : 0, []])
    }
    const late = await enter(world)
    await eventually(() => expect([...late.seen.keys()]).toEqual(expect.arrayContaining([ann.username])))
    expect(late.seen.get(ann.username)).toMatchObject({ away: false })
    expect(world.output).toMatch(
      /^The journal continued 2 sessions, \d+ topics?, \d+ records: \d+\.\d [kM]B in \d+ ms\.$/m,
    )
  })

  it("stands where it stood: places, experience, goods, trees and the last lines, at once after each step", async () => {
    const world = await openWorld()
    const ann = await enter(world)
    await walk(ann, "UP", 17)
    await walk(ann, "RIGHT", 8)
    const { x = 0, y = 0 } = ann.at ?? {}
    const tree = { x: x + 1, y }
    await ann.say("before")
    await ann.gather(tree)
    const own = () => ann.client.replica("belongings").get(String(ann.id))
    const stock = (): unknown =>
      [...ann.client.replica("resources").values()].find((one) => one.x === tree.x && one.y === tree.y)?.stock
    for (let life = 1; life <= 3; life += 1) {
      await eventually(() => expect([own()?.log, stock()]).toEqual([1, 2]))
      await ann.move(life % 2 === 1 ? "LEFT" : "RIGHT")
      const at = ann.at
      await world.kill()
      await world.start()
      await eventually(() => expect(resumed(ann)).toBe(life))
      await eventually(() =>
        expect(ann.seen.get(ann.username)).toMatchObject({ x: at?.x, y: at?.y, away: false }),
      )
      expect(await piecesOf(world)).toMatchObject({ carried: 1 })
    }
    expect(own()).toMatchObject({ log: 1, woodcutting: 25, exploration: 17 + 8 + 3 })
    const late = await enter(world)
    await eventually(() => expect(late.history).toEqual([`${ann.username}: before`]))
    // A client sees the goods of its own player only.
    await eventually(() => expect([...late.client.replica("belongings").ids()]).toEqual([String(late.id)]))
  })

  it("keeps the place and the goods of players whose sessions have ended, until the database has them", async () => {
    const world = await openWorld({ RESUME_WINDOW_SECONDS: "1" })
    const ann = await enter(world)
    await walk(ann, "UP", 17)
    await walk(ann, "RIGHT", 8)
    await ann.gather({ x: (ann.at?.x ?? 0) + 1, y: ann.at?.y ?? 0 })
    const at = ann.at
    ann.client.close()
    await world.kill()
    await world.start()
    const store = createPlayerStore(await openDatabase(`file:${world.folder}/data/world.sqlite`))
    await vi.waitFor(
      async () =>
        expect(await store.findByName(ann.username)).toMatchObject({ x: at?.x, y: at?.y, goods: { log: 1 } }),
      { timeout: 20_000, interval: 100 },
    )
    await store.close()
    await ann.client.connect()
    await eventually(() => expect(ann.welcomes).toBe(2))
    expect(ann.at).toEqual(at)
    await eventually(() => expect(ann.client.replica("belongings").get(String(ann.id))?.log).toBe(1))
    await piecesOf(world)
  })

  it("begins from the database, and says so, if its journal was deleted", async () => {
    const world = await openWorld()
    const ann = await enter(world)
    await ann.move("LEFT")
    const { x, y } = ann.at ?? {}
    ann.client.close()
    world.signal("SIGTERM")
    await world.exit()
    rmSync(join(world.folder, "data/journal"), { recursive: true })
    await world.start()
    expect(world.output).toMatch(/^The journal is new: players begin where the database has them\.$/m)
    await ann.client.connect()
    await eventually(() => expect(ann.at).toMatchObject({ x, y }))
  })

  it("ends the session of a player who was banned or deleted in between", async () => {
    const world = await openWorld()
    const ann = await enter(world)
    await world.kill()
    const database = await openDatabase(`file:${world.folder}/data/world.sqlite`)
    await database.updateTable("players").set({ is_banned: 1 }).execute()
    await database.destroy()
    await world.start()
    await eventually(() => expect(ann.client.current.state).toBe("closed"))
    expect(ann.client.current).toMatchObject({ error: { code: "auth_forbidden" } })
  })

  it("keeps no password hash in its journal, and its files from other users", async () => {
    const world = await openWorld()
    await enter(world)
    const folder = join(world.folder, "data/journal")
    const names = readdirSync(folder)
    expect(names.filter((name) => name.endsWith(".journal"))).not.toEqual([])
    for (const name of names) {
      expect(readFileSync(join(folder, name), "latin1")).not.toContain("$argon2")
      expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
    }
  })

  it("begins new sessions without a journal", async () => {
    const world = await openWorld({ JOURNAL: "off" })
    const ann = await enter(world)
    await world.kill()
    await world.start()
    await eventually(() =>
      expect(ann.sessions).toMatchObject([{ kind: "opened" }, { kind: "reset" }, { kind: "opened" }]),
    )
    expect(existsSync(join(world.folder, "data/journal"))).toBe(false)
    expect(world.output).not.toContain("The journal")
  })
})

describe("a world that is stopped", { timeout: 60_000 }, () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "parks its sessions after %s and ends within 2 s with 0; the next one continues them",
    async (signal) => {
      const world = await openWorld({ RESTART_SECONDS: "1" })
      const [ann, bob] = [await enter(world), await enter(world)]
      await ann.move("LEFT")
      const startedMs = performance.now()
      world.signal(signal)
      expect(await world.exit()).toMatchObject({ code: 0, stderr: "" })
      expect(performance.now() - startedMs).toBeLessThan(2_000)
      const said = sayAtLast(ann, "in between")
      await world.start()
      await said
      await eventually(() => expect(bob.talk).toEqual([`${ann.username}: in between`]))
      await eventually(() => expect(bob.seen.get(ann.username)).toMatchObject({ x: ann.at?.x, y: ann.at?.y }))
      for (const { sessions, left } of [ann, bob])
        expect([sessions.map(({ kind }) => kind), left]).toEqual([["opened", "resumed"], []])
    },
  )
})

/** Bytes of a segment before the fields of its header. */
const headerStart = 12

describe("a world whose journal cannot be read", { timeout: 60_000 }, () => {
  async function refusal(spoil: (segment: string) => void): Promise<{ code: number | null; stderr: string }> {
    const world = await openWorld()
    const ann = await enter(world)
    await ann.say("a line")
    await world.kill()
    const folder = join(world.folder, "data/journal")
    const segment = readdirSync(folder).find((name) => name.endsWith(".journal")) ?? ""
    spoil(join(folder, segment))
    return await world.run()
  }

  it("refuses to start, and names the file and the place of the damage", async () => {
    const { code, stderr } = await refusal((segment) => {
      const bytes = readFileSync(segment)
      // In the first record, which follows the header.
      const at = headerStart + bytes.readUInt16LE(10) + 40
      bytes[at] = (bytes[at] ?? 0) ^ 0xff
      writeFileSync(segment, bytes)
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^JOURNAL is data\/journal, from which the world cannot continue \(\d+\.journal is damaged at byte \d+, .*\n$/,
    )
    expect(stderr.trim().split("\n")).toHaveLength(1)
  })

  it("continues after a torn end", async () => {
    const world = await openWorld()
    const ann = await enter(world)
    await world.kill()
    const folder = join(world.folder, "data/journal")
    const segment = join(folder, readdirSync(folder).findLast((name) => name.endsWith(".journal")) ?? "")
    truncateSync(segment, statSync(segment).size)
    writeFileSync(segment, Buffer.from([1, 2, 3]), { flag: "a" })
    await world.start()
    await eventually(() => expect(resumed(ann)).toBe(1))
  })
})
