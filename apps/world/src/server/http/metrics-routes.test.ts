import { IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import { describe, expect, test } from "vitest"
import { createApp } from "./handler.ts"
import { metricsRoutes } from "./metrics-routes.ts"
import type { MetricsOptions } from "./metrics-routes.ts"

const metricsToken = "a-token-of-24-characters"
const metrics = () => Promise.resolve({ text: "up 1\n", contentType: "text/plain; version=0.0.4" })

interface Asked extends Partial<MetricsOptions> {
  readonly address: string
  readonly headers?: Readonly<Record<string, string>>
  readonly httpVersion?: string
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

async function ask({ address, headers = {}, httpVersion = "1.1", ...options }: Asked): Promise<Answer> {
  const socket = new Socket()
  Object.defineProperty(socket, "remoteAddress", { value: address })
  const incoming = new IncomingMessage(socket)
  incoming.httpVersion = httpVersion
  incoming.url = "/metrics"
  Object.assign(incoming.headers, { host: "localhost:8080", ...headers })
  const routes = metricsRoutes({ metrics, metricsToken: undefined, metricsForThisMachine: true, ...options })
  const app = createApp(
    routes,
    () => Promise.resolve(undefined),
    (error) => expect.fail(String(error)),
  )
  const reply = await app.request("/metrics", {}, { incoming, outgoing: new ServerResponse(incoming) })
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() }
}

const far = "203.0.113.7"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe("GET /metrics", () => {
  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])(
    "shows them to %s, this machine, and forbids caching",
    async (address) => {
      expect(await ask({ address })).toEqual({
        status: 200,
        headers: {
          "content-type": "text/plain; version=0.0.4",
          "cache-control": "no-store",
          "content-length": "5",
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
        },
        body: "up 1\n",
      })
    },
  )

  test.each([far, "10.0.0.1", "::ffff:10.0.0.1", "1127.0.0.1", ""])(
    "refuses %j with 403 if no token is set, for any credentials",
    async (address) => {
      for (const headers of [{}, bearer(""), bearer("undefined"), bearer(metricsToken)])
        expect(await ask({ address, headers })).toMatchObject({ status: 403 })
    },
  )

  test.each(["x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip", "via", "x-forwarded-host"])(
    "treats a request with %s as one of another machine: a proxy on this machine forwarded it",
    async (header) => {
      expect(await ask({ address: "127.0.0.1", headers: { [header]: "127.0.0.1" } })).toMatchObject({
        status: 403,
      })
    },
  )

  test("door-7 treats a request for another host, or with HTTP 1.0, as forwarded by a proxy on this machine", async () => {
    const address = "127.0.0.1"
    for (const host of ["world.example", "10.0.0.1", "localhost.example", "127.0.0.1.example:80", ""])
      expect(await ask({ address, headers: { host } })).toMatchObject({ status: 403 })
    expect(await ask({ address, httpVersion: "1.0" })).toMatchObject({ status: 403 })
    for (const host of ["localhost", "127.0.0.1:9000", "[::1]:9000"])
      expect(await ask({ address, headers: { host } })).toMatchObject({ status: 200 })
  })

  test("door-7 requires the token from every address once it is set, and wherever a proxy is possible", async () => {
    const local = { address: "127.0.0.1" }
    expect(await ask({ ...local, metricsToken })).toMatchObject({ status: 401 })
    expect(await ask({ ...local, metricsToken, headers: bearer(metricsToken) })).toMatchObject({
      status: 200,
    })
    const proxied = { ...local, metricsForThisMachine: false }
    expect(await ask(proxied)).toMatchObject({ status: 403 })
    expect(await ask({ ...proxied, metricsToken })).toMatchObject({ status: 401 })
  })

  test("shows them to any reader with the token", async () => {
    expect(await ask({ address: far, metricsToken, headers: bearer(metricsToken) })).toMatchObject({
      status: 200,
      body: "up 1\n",
    })
  })

  test.each([
    {},
    bearer("another-token-of-24-char"),
    bearer(metricsToken.slice(0, -1)),
    bearer(`${metricsToken}x`),
    bearer(`${metricsToken} x`),
    { authorization: `Basic ${metricsToken}` },
    { authorization: metricsToken },
  ])("answers 401 to a wrong token: %j", async (headers) => {
    const reply = await ask({ address: far, metricsToken, headers })
    expect(reply).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } })
    expect(reply.body).not.toContain(metricsToken)
  })
})
