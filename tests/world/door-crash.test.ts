// The world's process after an uncaught error.
import { expect, it, onTestFinished } from "vitest"
import { at } from "../conformance-2.0/expect.ts"
import { enter, enterWhole } from "../conformance-2.0/player.ts"
import { createWalker, takeFreeStep } from "../conformance-2.0/walking.ts"
import { caseContext } from "./case-context.ts"
import { startWorld } from "./start-world.ts"

/** A module that makes the process throw, or reject, at a signal. */
const bomb = `data:text/javascript,${encodeURIComponent(`
  process.on("SIGUSR2", () => setImmediate(() => { throw new Error("a bomb") }))
  process.on("SIGWINCH", () => void Promise.reject(new Error("a bomb")))
`)}`

it.each(["SIGUSR2", "SIGWINCH"] as const)(
  "door-7 saves, reports the error and ends with 1 after an uncaught error (%s)",
  { timeout: 60_000 },
  async (signal) => {
    const world = await startWorld({ program: "compiled", env: { NODE_OPTIONS: `--import "${bomb}"` } })
    onTestFinished(() => world.remove())
    const player = await enterWhole(caseContext(world))
    const walker = createWalker(player)
    await takeFreeStep(walker)
    world.signal(signal)
    const { code, stderr } = await world.exit()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The world ends, because nothing caught this: Error: a bomb\n/)
    expect(world.output).toMatch(/"level":60.*an error that nothing caught ends the world/)
    await world.start()
    const { welcome } = await enter(caseContext(world), player.account)
    expect(at(welcome.payload, "position")).toEqual(walker.position())
  },
)
