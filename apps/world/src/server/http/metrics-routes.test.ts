import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { describe, expect, test } from "vitest"
import { metricsRoutes } from "./metrics-routes.ts"
import type { MetricsOptions } from "./metrics-routes.ts"
import type { Reply } from "./reply.ts"

const metricsToken = "a-token-of-24-characters"
const metrics = () => Promise.resolve({ text: "up 1\n", contentType: "text/plain; version=0.0.4" })

interface Asked extends Partial<MetricsOptions> {
  readonly address: string
  readonly headers?: Readonly<Record<string, string>>
}

async function ask({ address, headers = {}, ...options }: Asked): Promise<Reply> {
  const socket = new Socket()
  Object.defineProperty(socket, "remoteAddress", { value: address })
  const request = new IncomingMessage(socket)
  Object.assign(request.headers, headers)
  const [route] = metricsRoutes({ metrics, metricsToken: undefined, trustProxy: false, ...options })
  if (route === undefined) throw new Error("no route")
  return route.answer({ request, params: {} })
}

const far = "203.0.113.7"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe("GET /metrics", () => {
  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])(
    "shows them to %s, this machine, and lets nobody keep them",
    async (address) => {
      expect(await ask({ address })).toEqual({
        status: 200,
        headers: { "Content-Type": "text/plain; version=0.0.4", "Cache-Control": "no-store" },
        body: "up 1\n",
      })
    },
  )

  test.each([far, "10.0.0.1", "::ffff:10.0.0.1", "1127.0.0.1", ""])(
    "refuses %j with 403 when no token is set, whatever it presents",
    async (address) => {
      for (const headers of [{}, bearer(""), bearer("undefined"), bearer(metricsToken)])
        expect(await ask({ address, headers })).toMatchObject({ status: 403 })
    },
  )

  test.each(["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host"])(
    "takes a request with %s for one from elsewhere: a proxy on this machine brought it",
    async (header) => {
      expect(await ask({ address: "127.0.0.1", headers: { [header]: "127.0.0.1" } })).toMatchObject({
        status: 403,
      })
    },
  )

  test("wants the token from everybody where a proxy stands in front", async () => {
    const asked = { address: "127.0.0.1", trustProxy: true, metricsToken }
    expect(await ask(asked)).toMatchObject({ status: 401 })
    expect(await ask({ ...asked, headers: bearer(metricsToken) })).toMatchObject({ status: 200 })
  })

  test("shows them to whoever has the token", async () => {
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
  ])("asks for the token where it is not the right one: %j", async (headers) => {
    const reply = await ask({ address: far, metricsToken, headers })
    expect(reply).toMatchObject({ status: 401, headers: { "WWW-Authenticate": "Bearer" } })
    expect(String(reply.body)).not.toContain(metricsToken)
  })
})
