// Users of kept sessions: checked at the log-in, packed by the application if they are no plain data, and sessions that cannot be
// restored.
import type { SessionEvent } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { UserPacking } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "users",
  commands: { name: { input: z.string(), output: z.string() } },
  events: { note: { payload: z.string() } },
})

class Player {
  readonly id: string
  readonly since: Date

  constructor(id: string, since: Date) {
    this.id = id
    this.since = since
  }

  get name(): string {
    return `${this.id} of ${this.since.getUTCFullYear()}`
  }
}

function listOf(packed: unknown): readonly unknown[] {
  return Array.isArray(packed) ? packed : []
}

type User = { readonly id: string; readonly name?: string }

function scene(userOf: (token: string) => User, packing?: () => UserPacking<User>) {
  const errors: unknown[] = []
  const process = new Lives<typeof contract, User>(contract, (options) => {
    const server = createServer(contract, {
      authenticate: userOf,
      onError: (error) => errors.push(error),
      onRefused: () => {},
      ...(packing === undefined ? {} : { userRecord: packing() }),
      ...options,
    })
    server.command("name", ({ session }) => session.user.name ?? "none")
    return server
  })
  return { process, errors }
}

describe("a user", () => {
  it.each<[string, (id: string) => User, string]>([
    ["with a method", (id) => Object.assign({ id }, { greet: () => id }), "greet"],
    ["of a class", (id) => new Player(id, new Date(0)), "an object of the class Player"],
    [
      "with a date",
      (id) => Object.assign({ id }, { since: new Date(0) }),
      "user.since is an object of the class Date",
    ],
    ["with a map in a list", (id) => Object.assign({ id }, { list: [new Map()] }), "Map"],
  ])(
    "%s is refused at the first log-in, with the part and the option in the error",
    async (_, userOf, part) => {
      const { process, errors } = scene(userOf)
      await process.start()
      const client = process.client("ann")
      const connected = client.connect().catch((error: unknown) => error)
      await process.clock.advance(1_000)
      client.close()
      await connected
      expect(process.server.local.sessions()).toEqual([])
      const causes = errors.map((error) =>
        error instanceof Error ? `${error.message} ${String(error.cause)}` : "",
      )
      expect(causes[0]).toContain('the journal cannot keep the user "ann"')
      expect(causes[0]).toContain(part)
      expect(causes[0]).toContain("userRecord")
    },
  )

  it("of plain data is accepted: lists, bytes, numbers, absent members", async () => {
    const plain = {
      list: [1, { a: null }],
      bytes: Uint8Array.of(1, 2),
      high: 2 ** 40,
      part: 0.5,
      none: undefined,
    }
    const { process, errors } = scene((id) => Object.assign({ id }, plain))
    await process.start()
    await process.connect(process.client("ann"))
    process.kill()
    await process.start()
    expect(process.server.local.sessions()[0]?.user).toEqual({ id: "ann", ...plain })
    expect(errors).toEqual([])
  })

  it("is kept as the application packs it", async () => {
    const { process, errors } = scene(
      (id) => new Player(id, new Date(Date.UTC(1999, 1))),
      () => ({
        pack: (user) => (user instanceof Player ? [user.id, user.since.getTime()] : []),
        unpack(packed) {
          const [id, since] = listOf(packed)
          return new Player(String(id), new Date(Number(since)))
        },
      }),
    )
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    process.kill()
    await process.start()
    expect(process.server.local.sessions()[0]?.user).toBeInstanceOf(Player)
    await process.clock.advance(5_000)
    const name = client.command("name", "")
    await process.clock.advance(100)
    expect(await name).toBe("ann of 1999")
    expect(errors).toEqual([])
  })
})

describe("a session whose user cannot be unpacked", () => {
  it("is set aside; its client hears that the restart has ended it, and begins anew", async () => {
    let isOlder = false
    const { process, errors } = scene(
      (id) => ({ id }),
      () => ({
        pack: (user) => [user.id],
        unpack(packed) {
          const [id] = listOf(packed)
          if (isOlder && id === "ann") throw new Error("an older form")
          return { id: String(id) }
        },
      }),
    )
    await process.start()
    const events: SessionEvent[] = []
    const ann = process.client("ann")
    ann.onSession((event) => events.push(event))
    await process.connect(ann)
    await process.connect(process.client("ben", 2))
    process.kill()
    isOlder = true
    await process.start()
    isOlder = false
    expect(process.server.recovery).toMatchObject({ sessions: 1, setAside: 1 })
    expect(errors.map(String)).toEqual([
      expect.stringContaining("session session-1-1 of the journal cannot be restored"),
    ])
    await process.clock.advance(5_000)
    expect(events[1]).toMatchObject({ kind: "reset", cause: "server_restarted" })
  })
})
