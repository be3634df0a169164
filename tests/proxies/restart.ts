// Restarts a server behind a real proxy and measures how long its clients are disconnected.
import { createClient } from "@hawser/client"
import { setTimeout as pause } from "node:timers/promises"
import { freePort } from "../world/free-port.ts"
import { contract, startBackends } from "./backend.ts"
import { eventually } from "./eventually.ts"
import type { ProxyKind } from "./proxy-kind.ts"
import { pageSocket, startProxy } from "./start-proxy.ts"

export interface RestartOptions {
  readonly kind: ProxyKind
  readonly clients: number
  /** Milliseconds from the end of one server to the start of the next. */
  readonly restartMs: number
  /** False: the server sends no return time. */
  readonly isHinted: boolean
}

export interface RestartFigures {
  /** Delay before the first dial of each client, from its status. */
  readonly delaysMs: readonly number[]
  /** Duration of each client's disconnection, in ascending order. */
  readonly backMs: readonly number[]
  /** Dials of all clients after the end. */
  readonly dials: number
}

const loopback = "127.0.0.1"

export async function measureRestart({
  kind,
  clients: count,
  restartMs,
  isHinted,
}: RestartOptions): Promise<RestartFigures> {
  const port = await freePort()
  const first = await startBackends({ host: loopback, port })
  const proxy = await startProxy(kind, { backend: first.address })
  const { plain } = proxy.doors
  const clients = Array.from({ length: count }, (_, index) =>
    createClient(contract, {
      url: `${plain.webSocketUrl}/ws`,
      token: `client ${index}`,
      // Each client has a separate address, as players have.
      webSocket: pageSocket(plain, {
        localAddress: `127.1.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`,
      }),
      autoConnect: false,
    }),
  )
  try {
    for (const client of clients) await client.connect()
    const backMs: number[] = []
    const delaysMs: number[] = []
    for (const client of clients) {
      let lostAtMs: number | undefined
      client.onStatus((status) => {
        if (status.state === "open") backMs.push(performance.now() - (lostAtMs ?? NaN))
        else if (lostAtMs === undefined) {
          lostAtMs = performance.now()
          if (status.state === "reconnecting") delaysMs.push(status.delayMs)
        }
      })
    }
    const dials = (): number => clients.reduce((sum, client) => sum + client.stats().dials, 0)
    const dialsBefore = dials()
    await first.close(isHinted ? { backInMs: restartMs } : {})
    await pause(restartMs)
    const second = await startBackends({ host: loopback, port })
    try {
      await eventually(() => backMs.length === count)
      return { delaysMs, backMs: backMs.toSorted((one, other) => one - other), dials: dials() - dialsBefore }
    } finally {
      await second.close()
    }
  } finally {
    for (const client of clients) client.close()
    await proxy.stop()
  }
}

/** Quantile of sorted values. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
}
