// Metrics of the running world, read by a program on the same machine.
import { expect, it, onTestFinished } from "vitest"
import { startWorld } from "./start-world.ts"

it(
  "shows the world's metrics to a program on this machine; with a configured token, only to a request that carries it",
  { timeout: 60_000 },
  async () => {
    const metricsToken = "a-token-of-24-characters"
    const [open, guarded, production] = await Promise.all([
      startWorld(),
      startWorld({ env: { METRICS_TOKEN: metricsToken } }),
      startWorld({ env: { NODE_ENV: "production" } }),
    ])
    onTestFinished(() =>
      Promise.all([open, guarded, production].map((world) => world.remove())).then(() => {}),
    )
    const reply = await fetch(`${open.url}/metrics`)
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const text = await reply.text()
    expect(text).toContain("# TYPE hawser_request_duration_seconds histogram\n")
    expect(text).toContain('hawser_request_duration_seconds_count{call="move"} 0\n')
    expect(text).toMatch(/^hawser_connections \d+$/m)
    expect(text).toContain("world_saves_failing 0\n")

    const refused = await fetch(`${guarded.url}/metrics`)
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"])
    const headers = { Authorization: `Bearer ${metricsToken}` }
    expect((await fetch(`${guarded.url}/metrics`, { headers })).status).toBe(200)
    expect((await fetch(`${production.url}/metrics`)).status).toBe(403)
  },
)
