// Secrets in the log of the world, wherever strangers and players send them; and one address that claims to be many.
import { once } from "node:events"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { enter, newAccount } from "../conformance-2.0/player.ts"
import { caseContext } from "./case-context.ts"
import { WorldProcess } from "./start-world.ts"

const world = new WorldProcess({
  env: {
    TRUST_PROXY: "true",
    LOG_LEVEL: "trace",
    NODE_DEBUG: "hawser",
    METRICS_TOKEN: "a-token-for-metrics",
  },
})

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

/** Has the form of a JWT, but belongs to no player. */
const strange = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"

const json = { "Content-Type": "application/json" }

async function post(path: string, content: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const body = typeof content === "string" ? content : JSON.stringify(content)
  const response = await fetch(`${world.url}${path}`, {
    method: "POST",
    headers: { ...json, ...headers },
    body,
  })
  await response.arrayBuffer()
  return response
}

/**
 * Opens a socket with a token in every wrong place, and sends these bytes or none. Resolves when the socket has closed.
 */
async function dialWith(token: string, said: string | Uint8Array | undefined): Promise<void> {
  const headers = { cookie: `token=${token}`, authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${world.webSocketUrl}?token=${token}`, [token, "hawser.1"], { headers })
  onTestFinished(() => socket.terminate())
  socket.on("error", () => {})
  await once(socket, "open")
  const closed = once(socket, "close")
  if (said === undefined) socket.terminate()
  else socket.send(said)
  await closed
}

describe("the log of the world", { timeout: 60_000 }, () => {
  it("abuse-A5 has no token, password or cookie in it, wherever they were sent", async () => {
    const context = caseContext(world)
    const account = await newAccount(context)
    const { client } = await enter(context, account)
    const renewable = { username: account.username, password: account.password, renewable: true }
    const [cookie = ""] = (await post("/auth/login", renewable)).headers.get("set-cookie")?.split(";") ?? []
    expect(cookie).toMatch(/=.{20}/)
    const tokens = [account.token, strange, strange.slice(0, -1)]
    for (const token of tokens) {
      await dialWith(token, undefined)
      await dialWith(token, `text with ${token}`)
      await dialWith(token, Buffer.from(`\u0001${token}`))
      client.send({ id: token, type: `cmd_${token}`, payload: { token } })
      for (const path of ["/api/maps", "/healthz", "/metrics", `/${token}`, "/auth/login"]) {
        const headers = {
          authorization: `Bearer ${token}`,
          cookie: `token=${token}`,
          referer: `http://a/${token}`,
        }
        await (await fetch(`${world.url}${path}?token=${token}`, { headers })).arrayBuffer()
      }
      await post(`/auth/session/${account.username}/renew`, "", { cookie: `${cookie}${token}` })
    }
    await post("/auth/login", `{"password":"${account.password}","token":"${strange}`)
    await post("/auth/login", { username: account.username, password: `${account.password} wrong` })
    // The first repetition returns the successor; the next one counts as theft, which is logged with the player's name.
    for (let time = 0; time < 3; time += 1)
      await post(`/auth/session/${account.username}/renew`, "", { cookie })
    await client.close()
    await world.stop()
    expect(world.output).toMatch(/"level":/)
    expect(world.output).toContain("The world is open")
    const secrets = [
      account.token,
      account.password,
      cookie.split("=")[1] ?? "",
      "eyJ",
      "a-token-for-metrics",
    ]
    for (const secret of secrets) expect(world.output).not.toContain(secret)
    await world.start()
  })
})

describe("an address behind a proxy", { timeout: 60_000 }, () => {
  it("abuse-A40 has one share of log-ins, for any number of addresses that it claims in front of the real one", async () => {
    const statuses: number[] = []
    for (let forged = 0; forged < 1_000; forged += 1) {
      const claims = `10.${forged % 256}.0.${forged >> 8}, 127.0.0.1, 203.0.113.9:${1_024 + forged}`
      const content = { username: `nobody-${forged}`, password: "wrong horse" }
      statuses.push((await post("/auth/login", content, { "X-Forwarded-For": claims })).status)
    }
    const tried = statuses.filter((status) => status === 401).length
    expect(tried).toBeGreaterThanOrEqual(30)
    // 10 more a minute; a loaded machine may take one minute for all requests.
    expect(tried).toBeLessThanOrEqual(40)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
  })
})
