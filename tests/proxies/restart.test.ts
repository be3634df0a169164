// Clients reconnect together after a restart of the server behind their proxy.
import { beforeEach, expect, it } from "vitest"
import { nginx } from "./nginx.ts"
import { missingProgram, skipReason } from "./proxy-kind.ts"
import { measureRestart } from "./restart.ts"

beforeEach(({ skip }) => {
  const reason = skipReason(nginx.missing() ?? missingProgram("openssl", "version"))
  if (reason !== undefined) skip(reason)
})

it(
  "door-9 reconnects 60 clients behind nginx, spread, each by one dial or two",
  { timeout: 60_000 },
  async () => {
    const [clients, restartMs, returnMs] = [60, 1_000, 5]
    const { delaysMs, dials } = await measureRestart({ kind: nginx, clients, restartMs, isHinted: true })
    expect(delaysMs).toHaveLength(clients)
    expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(restartMs)
    expect(Math.max(...delaysMs)).toBeLessThanOrEqual((restartMs + clients * returnMs) * 1.1)
    expect(new Set(delaysMs).size).toBeGreaterThan(clients / 2)
    // Clients that dial before the second server listens get 502 and dial again.
    expect(dials).toBeLessThanOrEqual(2 * clients)
  },
)
