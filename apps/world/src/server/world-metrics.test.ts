import { readFileSync } from "node:fs"
import { Registry } from "prom-client"
import { expect, it } from "vitest"
import { registerWorldMetrics } from "./world-metrics.ts"

function registered() {
  const registry = new Registry()
  const saves = { failures: 3, isFailing: true, pending: 7, lost: 1 }
  const violations = new Map([["ECONNRESET", 5]])
  const metrics = registerWorldMetrics(registry, {
    saves: () => saves,
    lostLogLines: () => 2,
    violations: () => violations,
    hashes: () => 4,
    requestsUnderWay: () => 6,
    pieces: () => ({ standing: 8, ground: 1, carried: 2, grown: 14, decayed: 3, stored: 0 }),
  })
  return { registry, metrics, violations }
}

it("describes in docs/metrics.md exactly the metrics that the world adds", () => {
  const rows = readFileSync(new URL("../../../../docs/metrics.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `world_"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
  const documented = rows.map(([, name = "", type, labels = ""]) => ({
    name: name.replaceAll("`", ""),
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }))
  const metrics = registered()
    .registry.getMetricsAsArray()
    .map((metric) => {
      const { labelNames } = { labelNames: [], ...metric }
      expect(metric.help).toMatch(/^[A-Z1][^\n]*\.$/)
      return { name: metric.name, type: String(metric.type), labels: [...labelNames] }
    })
  expect(documented).toEqual(metrics)
})

it("door-5 reads values that are kept elsewhere at collection", async () => {
  const { registry, metrics, violations } = registered()
  await registry.metrics()
  violations.set("ECONNRESET", 6)
  metrics.renewed("renewed")
  const text = await registry.metrics()
  for (const line of [
    "world_saves_failing 1",
    "world_unsaved_players 7",
    "world_save_failures_total 3",
    "world_progress_lost_total 1",
    "world_log_lines_lost_total 2",
    "world_password_hashes 4",
    'world_pieces{place="carried"} 2',
    'world_peer_violations_total{kind="ECONNRESET"} 6',
    'world_login_renewals_total{outcome="renewed"} 1',
  ])
    expect(text.split("\n")).toContain(line)
})
