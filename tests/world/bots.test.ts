// `npm run bots` as a process: in a temporary world, and in a running one with and without its keys.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { WorldProcess, jwtSecret } from "./start-world.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
const main = join(root, "apps/world/src/bots/main.ts")
const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

async function runBots(
  words: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const child = spawn(process.execPath, ["-C", "@hawser/source", "--import", loader, main, ...words], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text))
  await once(child, "close")
  return { code: child.exitCode, lines: output.trim().split("\n") }
}

const wellDone = (count: number): RegExp =>
  new RegExp(`^bots: ${count} of ${count} well, 0 failed · ${count} connected · \\d+ moves/s · replies p50 `)

it("walks in a temporary world, and prints a line every second", { timeout: 90_000 }, async () => {
  const { code, lines } = await runBots(["5", "--seconds", "3"], { cwd: world.folder })
  expect(lines[0]).toMatch(/^5 bots, 3 s, in a world of their own at http:\/\/127\.0\.0\.1:\d+$/)
  expect(
    lines.filter((line) => /^ +\d+ s {2}\d+ connected · .* tick p50 /.test(line)).length,
  ).toBeGreaterThan(1)
  expect(lines.at(-1)).toMatch(wellDone(5))
  expect(code).toBe(0)
})

it("enters a world without registering if it has the world's keys", { timeout: 90_000 }, async () => {
  const env = { JWT_SECRET: jwtSecret }
  const { code, lines } = await runBots(["3", "--seconds", "1", "--url", world.url], {
    cwd: world.folder,
    env,
  })
  expect(lines.join("\n")).not.toContain("registers")
  expect(lines.at(-1)).toMatch(wellDone(3))
  expect(code).toBe(0)
})

it(
  "registers like any player without the world's keys, and with other keys",
  { timeout: 90_000 },
  async () => {
    const elsewhere = join(world.folder, "elsewhere")
    mkdirSync(elsewhere)
    const { code, lines } = await runBots(["3", "--seconds", "1", "--url", world.url], { cwd: elsewhere })
    expect(lines[0]).toContain("registers")
    expect([lines.at(-1), code]).toEqual([expect.stringMatching(wellDone(3)), 0])
    const wrong = { JWT_SECRET: "another secret of the tests, of 32 bytes" }
    const other = await runBots(["2", "--seconds", "1", "--url", world.url], {
      cwd: world.folder,
      env: wrong,
    })
    expect(other.lines[0]).toContain("registers")
    expect([other.lines.at(-1), other.code]).toEqual([expect.stringMatching(wellDone(2)), 0])
  },
)

it("fails without a world, and names the wrong argument", { timeout: 60_000 }, async () => {
  const nowhere = await runBots(["1", "--url", "http://127.0.0.1:1"], { cwd: world.folder })
  expect(nowhere).toEqual({ code: 1, lines: ["no world answers at http://127.0.0.1:1"] })
  const { code: misused, lines } = await runBots(["lots"], { cwd: world.folder })
  expect([misused, lines[0]]).toEqual([2, 'COUNT is "lots"; it must be a whole number from 1 to 10000'])
})
