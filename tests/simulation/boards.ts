// Topics with replicas in a simulation. The book knows every record that a server wrote; each client's copies are followed by
// their events. Invariant F17: a copy shows only records of its own topic and replica, its events lead to its records, it is
// empty after the membership, and in the quiet phase it equals the server's records.
import type { Client, ReplicaCopy } from "@hawser/client"
import type { Replica, Server, Session } from "@hawser/server"
import type { SimulationContract, SimulationUser } from "./contract.ts"
import type { Draw } from "./plan.ts"
import { Violation } from "./trace.ts"

export const boardNames = ["board:a", "board:b"] as const
type BoardName = (typeof boardNames)[number]
const replicaNames = ["cursors", "pieces"] as const
type ReplicaName = (typeof replicaNames)[number]

/** Records of both replicas have the same fields. */
interface Thing {
  /** Differs in every record that was ever written. */
  readonly n: number
  readonly x: number
  readonly y: number
  readonly name: string | undefined
}

/** Edge of a cell of `pieces`. The view of a member is the cell at the origin. */
const pieceCellSize = 10
const origin = { x: 0, y: 0 }

const ids = ["r0", "r1", "r2", "r3", "r4", "r5"] as const

/** Records that servers wrote, by topic, replica and id. */
export class BoardBook {
  readonly #written = new Map<string, Set<string>>()
  #extra = 1_000_000

  /** Numbers of records that are written beside those of the plan. */
  readonly nextExtra = (): number => (this.#extra += 1)

  wrote(place: string, record: object): void {
    const written = this.#written.get(place) ?? new Set<string>()
    this.#written.set(place, written.add(textOf(record)))
  }

  add(other: BoardBook): void {
    for (const [place, records] of other.#written)
      this.#written.set(place, new Set([...(this.#written.get(place) ?? []), ...records]))
  }

  has(place: string, record: object): boolean {
    return this.#written.get(place)?.has(textOf(record)) === true
  }
}

function textOf(record: object): string {
  return JSON.stringify(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

type SimulationServer = Server<SimulationContract, SimulationUser>
type SimulationSession = Session<SimulationUser, SimulationContract>

interface Writing {
  readonly book: BoardBook
  readonly draw: Draw
  /** Draws of the changes beside the planned one: what a seed plans does not depend on them. */
  readonly extra: Draw
  readonly nextId: () => number
  /** Called when an atomic change was undone. */
  readonly onUndone: () => void
}

/** Thrown inside an atomic change. */
const undone = new Error("undone")

/**
 * Changes random records at the server, sometimes several in one atomic change, of which a part or everything is undone. The book
 * does not contain undone records: a copy that shows one violates F17.
 */
export function writeToBoard(server: SimulationServer, writing: Writing): void {
  const { book, extra } = writing
  if (extra.chance(0.5)) {
    writeOne(server, writing)
    return
  }
  const others = { ...writing, draw: extra, nextId: book.nextExtra }
  attempt(server, writing, (outer) => {
    writeSome(server, { ...others, book: outer })
    attempt(server, { ...others, book: outer }, (inner) => {
      writeSome(server, { ...others, book: inner })
      if (extra.chance(0.5)) throw undone
    })
    writeOne(server, { ...writing, book: outer })
    if (extra.chance(0.4)) throw undone
  })
}

/** Runs an atomic change with a book of its own, whose records are added to the other one if nothing is undone. */
function attempt(
  server: SimulationServer,
  { book, onUndone }: Writing,
  change: (own: BoardBook) => void,
): void {
  const own = new BoardBook()
  try {
    server.atomic(() => change(own))
    book.add(own)
  } catch (error) {
    if (error !== undone) throw error
    onUndone()
  }
}

function writeSome(server: SimulationServer, writing: Writing): void {
  for (let count = writing.draw.whole(0, 3); count > 0; count -= 1) writeOne(server, writing)
}

function writeOne(
  server: SimulationServer,
  { book, draw, nextId }: Pick<Writing, "book" | "draw" | "nextId">,
): void {
  const topic = draw.pick(boardNames) ?? "board:a"
  const name = draw.pick(replicaNames) ?? "cursors"
  const id = draw.pick(ids) ?? "r0"
  const replica: Replica<Thing, SimulationSession> = server.topic(topic).replica(name)
  if (draw.chance(0.15)) {
    replica.remove(id)
    return
  }
  const moved = { n: nextId(), x: draw.whole(0, 19), y: draw.whole(0, 9) }
  const named = draw.chance(0.3) ? { name: draw.chance(0.5) ? "x".repeat(draw.whole(0, 60)) : undefined } : {}
  if (replica.has(id)) replica.patch(id, { ...moved, ...named })
  else replica.set(id, { name: undefined, ...moved, ...named })
  const record = replica.get(id)
  if (record !== undefined) book.wrote(`${topic} ${name} ${id}`, record)
}

/** Opens the views of a member in replicas with an area. */
export function viewPieces(server: SimulationServer, topic: string, session: SimulationSession): void {
  const name = boardNames.find((board) => board === topic)
  if (name !== undefined) server.topic(name).replica("pieces").view(session, origin)
}

/** Checks the events of a client's copies. */
export function followBoards(
  client: Client<SimulationContract>,
  { book, guarded }: { readonly book: BoardBook; readonly guarded: (work: () => void) => void },
): void {
  for (const topic of boardNames) {
    const board = client.topic(topic)
    for (const name of replicaNames) {
      const copy: ReplicaCopy<Thing> = board.replica(name)
      const shown = new Map<string, Thing>()
      copy.subscribe(({ events }) =>
        guarded(() => {
          for (const event of events) {
            const before =
              event.kind === "change" ? event.before : event.kind === "leave" ? event.record : undefined
            if (shown.get(event.id) !== before)
              throw new Violation(
                "F17",
                `${topic} ${name}: ${event.kind} of ${event.id} does not fit the copy`,
              )
            if (event.kind === "leave") shown.delete(event.id)
            else shown.set(event.id, event.record)
            if (!book.has(`${topic} ${name} ${event.id}`, event.record))
              throw new Violation("F17", `${topic} ${name}: ${event.id} was never ${textOf(event.record)}`)
          }
          if (board.state === "out" && copy.size > 0)
            throw new Violation("F17", `${topic} ${name}: shows ${copy.size} records after the membership`)
        }),
      )
    }
  }
}

/** Returns the fault of a client's copies in a quiet state; "" for none. */
export function boardFault(client: Client<SimulationContract>, server: SimulationServer): string {
  for (const topic of boardNames) {
    const board = client.topic(topic)
    if (board.state !== "in" && board.state !== "out") return `${topic} is ${board.state}`
    for (const name of replicaNames) {
      const copy: ReplicaCopy<Thing> = board.replica(name)
      if (copy.stale !== (board.state === "out")) return `${topic} ${name}: stale is ${copy.stale}`
      const expected = board.state === "out" ? "" : expectedIn(server, topic, name)
      const seen = linesOf([...copy])
      if (seen !== expected) return `${topic} ${name}: shows\n${seen}\ninstead of\n${expected}`
    }
  }
  return ""
}

function expectedIn(server: SimulationServer, topic: BoardName, name: ReplicaName): string {
  const replica: Replica<Thing, SimulationSession> = server.topic(topic).replica(name)
  const records = [...replica.ids()].flatMap((id): [string, Thing][] => {
    const record = replica.get(id)
    return record === undefined ? [] : [[id, record]]
  })
  return linesOf(
    name === "cursors" ? records : records.filter(([, { x, y }]) => x < pieceCellSize && y < pieceCellSize),
  )
}

function linesOf(records: readonly [string, Thing][]): string {
  return records
    .map(([id, record]) => `${id} ${textOf(record)}`)
    .toSorted()
    .join("\n")
}
