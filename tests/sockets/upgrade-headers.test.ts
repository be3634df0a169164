// The header fields of the upgrade request, which `authenticate` may read: cookie sessions of the application.
import { createClient } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { AuthenticateContext } from "@hawser/server"
import { expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { helloBytes } from "./harness.ts"

const contract = defineContract({ name: "cookies" })

/** Returns the first message's type byte, or the close code. */
async function firstAnswer(url: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url, ["hawser.1"], { headers })
  onTestFinished(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.on("open", () => socket.send(helloBytes("hawser.1", "cookie")))
    socket.on("message", (content) => Buffer.isBuffer(content) && resolve(content[0] ?? -1))
    socket.on("close", resolve)
    socket.on("error", reject)
  })
}

it("reach authenticate, so that a cookie can log in, and are released after the call", async () => {
  const contexts: AuthenticateContext[] = []
  const sessions = new Map([["7f3a", "ann"]])
  const server = createServer(contract, {
    authenticate(_token, context) {
      contexts.push(context)
      const [, key = ""] = /(?:^|; )sid=([^;]*)/.exec(context.headers?.get("Cookie") ?? "") ?? []
      const id = sessions.get(key)
      if (id === undefined) throw new HawserError("auth_token_invalid")
      return { id }
    },
  })
  onTestFinished(() => server.close())
  const { url } = await server.listen({ host: "127.0.0.1" })
  const welcome = await firstAnswer(url, { cookie: "theme=dark; sid=7f3a" })
  expect(server.local.sessions().map(({ user }) => user.id)).toEqual(["ann"])
  const refused = await firstAnswer(url, { cookie: "sid=other" })
  expect(welcome).not.toBe(refused)
  expect(server.stats()).toMatchObject({ sessionsOpened: 1, handshakesRefused: 1 })
  expect(contexts.map(({ headers }) => headers)).toEqual([undefined, undefined])
})

it("are absent for a transport without them and for a renewed token, and there for a later connection", async () => {
  const clock = new SimulatedClock()
  const seen: (string | undefined)[] = []
  const fields: (string | undefined)[] = [undefined, "sid=1"]
  const server = createServer(contract, {
    clock,
    wallClockMs: () => clock.now(),
    async authenticate(_token, { headers }) {
      await Promise.resolve()
      seen.push(headers?.get("cookie"))
      return { id: "ann", expiresAtMs: clock.now() + 200_000 }
    },
  })
  const { dial, links } = createMemoryNetwork({
    clock,
    latencyMs: 5,
    accept(accepted) {
      const cookie = fields.shift()
      return server.accept(cookie === undefined ? accepted : { ...accepted, headers: { get: () => cookie } })
    },
  })
  let tokens = 0
  const client = createClient(contract, {
    url: "memory:",
    token: () => `token ${(tokens += 1)}`,
    clock,
    dial,
    autoConnect: false,
  })
  const connected = client.connect()
  await clock.advance(100)
  await connected
  links[0]?.cut()
  await clock.advance(5_000)
  expect(seen).toEqual([undefined, "sid=1"])
  await clock.advance(160_000)
  expect(seen).toEqual([undefined, "sid=1", undefined])
  client.close()
})
