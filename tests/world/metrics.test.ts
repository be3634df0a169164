// The world's metrics as a program on the same machine reads them, from the running process.
import { expect, it, onTestFinished } from "vitest"
import { startWorld } from "./start-world.ts"

it(
  "shows the world's metrics to this machine, and to others only with the token",
  { timeout: 60_000 },
  async () => {
    const metricsToken = "a-token-of-24-characters"
    const world = await startWorld({ env: { METRICS_TOKEN: metricsToken } })
    onTestFinished(() => world.remove())
    const reply = await fetch(`${world.url}/metrics`)
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const text = await reply.text()
    expect(text).toContain("# TYPE hawser_request_duration_seconds histogram\n")
    expect(text).toContain('hawser_request_duration_seconds_count{call="move"} 0\n')
    expect(text).toMatch(/^hawser_connections \d+$/m)
    const proxied = { "X-Forwarded-For": "203.0.113.7" }
    const refused = await fetch(`${world.url}/metrics`, { headers: proxied })
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"])
    const headers = { ...proxied, Authorization: `Bearer ${metricsToken}` }
    expect((await fetch(`${world.url}/metrics`, { headers })).status).toBe(200)
  },
)
