// A restart behind a load balancer, as far as one process can show it: the balancer points to a second listener, and
// the server drains the first. Sending clients see no gap.
import { createClient } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { once } from "node:events"
import { connect, createServer as createTcpServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { expect, it, vi } from "vitest"
import WebSocket from "ws"
import { z } from "zod"

const contract = defineContract({
  name: "drain",
  commands: { count: { input: z.object({ n: z.number() }), output: z.object({ n: z.number() }) } },
  queries: {},
  events: { tick: { payload: z.object({ n: z.number() }) } },
})

/** A load balancer with one target at a time. */
class Balancer {
  target = 0
  /** Connections by target. */
  readonly open = new Map<number, Set<Socket>>()
  readonly #server: Server = createTcpServer((client) => {
    const port = this.target
    const own = this.open.get(port) ?? new Set()
    this.open.set(port, own.add(client))
    const upstream = connect({ port, host: "127.0.0.1" })
    client.pipe(upstream).pipe(client)
    client.on("error", () => upstream.destroy())
    upstream.on("error", () => client.destroy())
    client.on("close", () => own.delete(client))
  })

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    const address: string | AddressInfo | null = this.#server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  }

  close(): void {
    this.#server.close()
    for (const sockets of this.open.values()) for (const socket of sockets) socket.destroy()
  }
}

it("moves sending clients to a second listener without a visible gap", async () => {
  await using server = createServer(contract, { authenticate: (id) => ({ id }) })
  const handled: number[] = []
  server.command("count", ({ input }) => {
    handled.push(input.n)
    return input
  })
  const first = await server.listen({ host: "127.0.0.1" })
  const second = await server.listen({ host: "127.0.0.1" })
  const balancer = new Balancer()
  balancer.target = first.port
  const port = await balancer.listen()
  const clients = Array.from({ length: 20 }, (_, index) =>
    createClient(contract, { url: `ws://127.0.0.1:${port}/ws`, token: `u${index}`, webSocket: WebSocket }),
  )
  await Promise.all(clients.map((client) => client.connect()))
  const received = clients.map((client) => {
    const ticks: number[] = []
    client.on("tick", ({ n }) => ticks.push(n))
    return ticks
  })
  const changes: string[] = []
  for (const client of clients) client.onStatus(({ state }) => changes.push(state))

  balancer.target = second.port
  const drain = { isOver: false }
  const drained = server.drain({ spreadMs: 300, graceMs: 5_000 }).then(() => {
    drain.isOver = true
  })
  let rounds = 0
  while (!drain.isOver) {
    rounds += 1
    server.broadcast("tick", { n: rounds })
    await Promise.all(clients.map((client) => client.command("count", { n: rounds })))
  }
  await drained

  expect(changes).toEqual([])
  // The server has closed its sockets; the balancer sees their ends in later turns of the event loop.
  await vi.waitFor(() => expect(balancer.open.get(first.port)?.size).toBe(0), { timeout: 10_000 })
  expect(balancer.open.get(second.port)?.size).toBe(20)
  await Promise.all(clients.map((client) => client.ping()))
  const expected = Array.from({ length: rounds }, (_, index) => index + 1)
  for (const ticks of received) expect(ticks).toEqual(expected)
  expect(handled).toHaveLength(20 * rounds)
  expect(server.stats()).toMatchObject({ sessions: 20, sessionsResumed: 20, sessionsDetached: 0 })
  for (const client of clients) client.close()
  balancer.close()
})
