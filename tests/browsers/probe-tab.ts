// A tab with the page of these tests, and the records of its probe. Results travel as JSON text, which every driver
// passes on unchanged.
import { expect, vi } from "vitest"
import { z } from "zod"
import type { Browser, Tab } from "./engine.ts"
import type { Door } from "./host.ts"
import type { ProbeMethod, StartOptions } from "./page/probe.ts"

/** Place where the client runs. */
export type Place = "page" | "worker"

const errorState = z.object({ code: z.string(), message: z.string() }).nullable()
const status = z.object({
  state: z.enum(["idle", "connecting", "open", "reconnecting", "closed"]),
  attempt: z.number().optional(),
  delayMs: z.number().optional(),
  waiting: z.boolean().optional(),
  error: errorState.optional(),
})
const probeState = z.object({
  status,
  sessionId: z.string().nullable(),
  statuses: z.array(z.object({ atMs: z.number(), status })),
  sessions: z.array(z.looseObject({ kind: z.string(), atMs: z.number() })),
  news: z.array(z.object({ n: z.number(), atMs: z.number() })),
  lines: z.array(z.string()),
  members: z.array(z.object({ user: z.string(), tab: z.string(), away: z.boolean() })),
  boats: z.record(z.string(), z.object({ name: z.string(), cargo: z.number() })),
  errors: z.array(z.string()),
  stats: z.looseObject({
    dials: z.number(),
    sessionsResumed: z.number(),
    sessionsReset: z.number(),
    connectionsLost: z.number(),
  }),
})
export type ProbeState = z.infer<typeof probeState>

const surroundings = z.object({
  violations: z.array(z.string()),
  restored: z.number(),
  longestPauseMs: z.number(),
  visibility: z.enum(["visible", "hidden"]),
  mayEval: z.boolean(),
})

/** Generous, because a loaded machine is slow. */
const waitMs = 20_000

export class ProbeTab {
  readonly tab: Tab
  readonly #place: Place

  constructor(tab: Tab, place: Place) {
    this.tab = tab
    this.#place = place
  }

  async call(method: ProbeMethod, ...args: readonly unknown[]): Promise<unknown> {
    return await this.#evaluate(`hawser.${this.#place}(${JSON.stringify(method)}, ${JSON.stringify(args)})`)
  }

  async state(): Promise<ProbeState> {
    return probeState.parse(await this.call("state"))
  }

  async surroundings(): Promise<z.infer<typeof surroundings>> {
    return surroundings.parse(await this.#evaluate("hawser.surroundings()"))
  }

  /** Waits until the page's script has run: not every driver does. */
  async expectLoaded(): Promise<void> {
    await this.eventually(async () => expect(await this.tab.evaluate("typeof hawser")).toBe("object"))
  }

  /** Repeats a check until it holds. A page that is being replaced rejects evaluations. */
  async eventually(check: () => Promise<void>, timeout = waitMs): Promise<void> {
    await vi.waitFor(check, { timeout, interval: 50 })
  }

  /** Starts a client that does not reconnect by itself after a reload, and waits until it is open and in the room. */
  async enter(options: StartOptions, tab = "tab"): Promise<void> {
    await this.expectLoaded()
    await this.call("start", options)
    await this.call("connect")
    await this.call("join", tab)
  }

  async #evaluate(expression: string): Promise<unknown> {
    const text = z
      .string()
      .parse(
        await this.tab.evaluate(
          `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`,
        ),
      )
    return JSON.parse(text)
  }
}

export async function openProbe(browser: Browser, door: Door, place: Place = "page"): Promise<ProbeTab> {
  const probe = new ProbeTab(await browser.open(door.origin), place)
  await probe.expectLoaded()
  return probe
}
