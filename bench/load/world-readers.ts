// A client's copy of the world after the messages that it received, to compare with the expected copy. Used for a few
// clients after the measurement, so it may be slow and use the peers' own decoders.
import { createClient } from "@hawser/client"
import type { ReplicaCopy } from "@hawser/client"
import type { Connection } from "@hawser/protocol/core"
import { decode } from "@msgpack/msgpack"
import { z } from "zod"
import { worldContract } from "../servers/world-contract.ts"
import { directions } from "../servers/world-model.ts"
import type { Direction } from "../servers/world-model.ts"

export interface SeenPlayer {
  readonly x: number
  readonly y: number
  readonly dir: Direction
}

export interface WorldReader {
  /** Applies the next message. A reader gets every message of its client, from the welcome on. */
  apply(message: Buffer): void
  /** Players by their ids. */
  readonly players: ReadonlyMap<number, SeenPlayer>
  /** True if players outside the nine cells may be visible. Their places must be correct, too. */
  readonly seesMore?: boolean
}

const update = z.object({
  tick: z.number(),
  players: z.array(z.object({ id: z.number(), x: z.number(), y: z.number(), dir: z.enum(directions) })),
})

/** For servers that send a client's whole view each time. */
class FullReader implements WorldReader {
  players: ReadonlyMap<number, SeenPlayer> = new Map()
  readonly #parse: (message: Buffer) => unknown

  /** @param parse returns undefined for messages of another kind. */
  constructor(parse: (message: Buffer) => unknown) {
    this.#parse = parse
  }

  apply(message: Buffer): void {
    const parsed = this.#parse(message)
    if (parsed === undefined) return
    this.players = new Map(update.parse(parsed).players.map(({ id, x, y, dir }) => [id, { x, y, dir }]))
  }
}

const socketIoTick = '42["tick",'

/** Texts with another beginning are no updates. `before` and `after` are the lengths of the text around the JSON. */
function parseText(beginning: string, { before, after }: { before: number; after: number }) {
  return (message: Buffer): unknown => {
    const text = message.toString("utf8")
    return text.startsWith(beginning) ? JSON.parse(text.slice(before, text.length - after)) : undefined
  }
}

const colyseusTick = Buffer.from("\u000d\u00a4tick", "latin1")

function parseColyseus(message: Buffer): unknown {
  return message.subarray(0, colyseusTick.length).equals(colyseusTick)
    ? decode(message.subarray(colyseusTick.length))
    : undefined
}

const viewReader = z.object({
  createViewReader: z.custom<() => WorldReader>((value) => typeof value === "function"),
})

/** Its module is in `peers`, because it needs a library that is installed there. */
async function createViewReader(): Promise<WorldReader> {
  const module: unknown = await import(new URL("../peers/view-reader.ts", import.meta.url).href)
  return viewReader.parse(module).createViewReader()
}

/** The product's own client, on a connection that is fed from the record. */
class HawserReader implements WorldReader {
  /**
   * A cell stays in view for longer than the distance at which it enters, so that players do not flicker at the edge.
   */
  readonly seesMore = true
  readonly #copy: ReplicaCopy<SeenPlayer>
  readonly #receive: (message: Uint8Array) => void

  constructor(copy: ReplicaCopy<SeenPlayer>, receive: (message: Uint8Array) => void) {
    this.#copy = copy
    this.#receive = receive
  }

  apply(message: Buffer): void {
    this.#receive(message)
  }

  get players(): ReadonlyMap<number, SeenPlayer> {
    return new Map([...this.#copy].map(([id, record]) => [Number(id), record]))
  }
}

/** Discards all frames of the client and answers none. */
const recordedConnection: Connection = {
  bufferedBytes: 0,
  send: () => true,
  close() {},
  terminate() {},
  pause() {},
  resume() {},
}

function createHawserReader(): Promise<WorldReader> {
  return new Promise((resolve, reject) => {
    const client = createClient(worldContract, {
      url: "ws://recorded",
      token: "recorded",
      onError: reject,
      dial(_url, _protocols, events) {
        setImmediate(() => {
          events.open("hawser.1")
          resolve(new HawserReader(client.replica("players"), (message) => events.message(message)))
        })
        return recordedConnection
      },
    })
  })
}

export type WorldReaderName = "json" | "socket-io" | "colyseus" | "colyseus-view" | "hawser"

export async function createWorldReader(name: WorldReaderName): Promise<WorldReader> {
  switch (name) {
    case "json":
      return new FullReader(parseText("{", { before: 0, after: 0 }))
    case "socket-io":
      return new FullReader(parseText(socketIoTick, { before: socketIoTick.length, after: 1 }))
    case "colyseus":
      return new FullReader(parseColyseus)
    case "colyseus-view":
      return await createViewReader()
    case "hawser":
      return await createHawserReader()
  }
}
