// The compared servers. A new one is one entry here.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { WorldReaderName } from "./load/world-readers.ts"

export type DialectName = "hawser" | "raw" | "socket-io" | "socket-io-msgpack" | "colyseus" | "colyseus-state"

export interface ServerEntry {
  readonly name: string
  readonly label: string
  readonly runtime: "node" | "bun"
  readonly dialect: DialectName
  /** Programs by their purpose; paths below this directory. `journal` keeps a journal and continues the one that it finds. */
  readonly messages?: string
  readonly world?: string
  readonly journal?: string
  /** Reader for its updates of the world. */
  readonly worldReader?: WorldReaderName
  /** True if the server holds a state instead of sending messages: ten changes in one turn are one. */
  readonly conflates?: boolean
  /** Packages whose versions are printed with the figures. */
  readonly packages: readonly string[]
  /** Directory of the checkout that contains the programs. Left out for this checkout. */
  readonly checkout?: string
}

const hawser: ServerEntry = {
  name: "hawser",
  label: "Hawser",
  runtime: "node",
  dialect: "hawser",
  messages: "servers/hawser.ts",
  world: "servers/hawser-world.ts",
  worldReader: "hawser",
  packages: ["@hawser/server", "ws", "jose"],
}

/** Purpose of a server's program. */
export type Purpose = "messages" | "world" | "journal"

export const otherHawserName = "hawser-old"
export const otherHawserLabel = "Hawser, other checkout"

/** Hawser of another checkout, run from the files there. */
export function hawserOf(checkout: string): ServerEntry {
  return { ...hawser, name: otherHawserName, label: otherHawserLabel, checkout }
}

export const servers: readonly ServerEntry[] = [
  hawser,
  {
    name: "hawser-journal",
    label: "Hawser, journal",
    runtime: "node",
    dialect: "hawser",
    messages: "servers/hawser-journal.ts",
    journal: "servers/hawser-journal.ts",
    packages: ["@hawser/server", "ws", "jose"],
  },
  {
    name: "hawser-trust",
    label: "Hawser, trustOutput",
    runtime: "node",
    dialect: "hawser",
    messages: "servers/hawser-trust.ts",
    packages: ["@hawser/server", "ws", "jose"],
  },
  {
    name: "hawser-bun",
    label: "Hawser on Bun",
    runtime: "bun",
    dialect: "hawser",
    messages: "servers/hawser-bun.ts",
    packages: ["@hawser/server", "bun"],
  },
  {
    name: "ws",
    label: "ws, naive",
    runtime: "node",
    dialect: "raw",
    messages: "peers/raw-naive.ts",
    world: "peers/raw-world.ts",
    worldReader: "json",
    packages: ["ws", "jose", "@msgpack/msgpack"],
  },
  {
    name: "ws-framed",
    label: "ws, pre-framed and corked",
    runtime: "node",
    dialect: "raw",
    messages: "peers/raw-framed.ts",
    packages: ["ws", "jose", "@msgpack/msgpack"],
  },
  {
    name: "socket.io",
    label: "Socket.IO",
    runtime: "node",
    dialect: "socket-io",
    messages: "peers/socket-io.ts",
    world: "peers/socket-io-world.ts",
    worldReader: "socket-io",
    packages: ["socket.io", "ws", "jose"],
  },
  {
    name: "socket.io-msgpack",
    label: "Socket.IO, msgpack parser",
    runtime: "node",
    dialect: "socket-io-msgpack",
    messages: "peers/socket-io-msgpack.ts",
    packages: ["socket.io", "socket.io-msgpack-parser", "ws", "jose"],
  },
  {
    name: "colyseus",
    label: "Colyseus, messages",
    runtime: "node",
    dialect: "colyseus",
    messages: "peers/colyseus.ts",
    world: "peers/colyseus-world.ts",
    worldReader: "colyseus",
    packages: ["@colyseus/core", "@colyseus/ws-transport", "ws", "jose"],
  },
  {
    name: "colyseus-state",
    label: "Colyseus, schema state",
    runtime: "node",
    dialect: "colyseus-state",
    messages: "peers/colyseus-state.ts",
    conflates: true,
    packages: ["@colyseus/core", "@colyseus/schema", "ws", "jose"],
  },
  {
    name: "colyseus-view",
    label: "Colyseus, StateView",
    runtime: "node",
    dialect: "colyseus-state",
    world: "peers/colyseus-view.ts",
    worldReader: "colyseus-view",
    conflates: true,
    packages: ["@colyseus/core", "@colyseus/schema", "ws", "jose"],
  },
]

export function programOf(entry: ServerEntry, purpose: Purpose): string | undefined {
  const program = entry[purpose]
  if (program === undefined) return undefined
  return entry.checkout === undefined
    ? fileURLToPath(new URL(program, import.meta.url))
    : join(entry.checkout, "bench", program)
}

/** Reason why a requested server cannot take part; undefined when it can. */
export function absence(entry: ServerEntry, purpose: Purpose): string | undefined {
  const program = programOf(entry, purpose)
  if (program === undefined || existsSync(program)) return undefined
  return `${entry.label}: ${entry[purpose] ?? ""} does not exist yet`
}
