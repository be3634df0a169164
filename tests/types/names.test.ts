// The compiler's error for a misspelt name lists the valid names, and no type of the library with a contract in it.
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const folder = join(root, "tests/output/types/names")

const declarations = `
import { createClient, defineContract, defineReplica, defineTopic, integer } from "@hawser/client"
import { createHooks } from "@hawser/react"
import { createServer } from "@hawser/server"
import { z } from "zod"
const fields = { x: integer() }
const [stone, tree] = [defineReplica({ fields }), defineReplica({ fields })]
const payload = z.string()
const game = defineContract({
  name: "game",
  commands: { move: {}, jump: {} },
  queries: { look: {}, listen: {} },
  streams: { ticks: { item: payload }, tocks: { item: payload } },
  events: { said: { payload }, sung: { payload } },
  replicas: { stones: stone, trees: tree },
  topics: {
    chat: defineTopic({ events: ["said", "sung"], replicas: { stone, tree } }),
    map: defineTopic({ events: ["said"] }),
  },
})
declare const client: ReturnType<typeof createClient<typeof game>>
const server = createServer(game, { authenticate: (id: string) => ({ id }) })
const { useCommand, useEvent, useStream, useTopic } = createHooks(game)
`
const topics = '"chat" | "map" | `chat:${string}` | `map:${string}`'
const mistakes: readonly (readonly [code: string, names: string])[] = [
  ['client.command("x")', '"jump" | "move"'],
  ['client.query("x")', '"listen" | "look"'],
  ['client.stream("x")', '"ticks" | "tocks"'],
  ['client.on("x", () => {})', '"said" | "sung"'],
  ['client.replica("x")', '"stones" | "trees"'],
  ['client.topic("x")', topics],
  ['client.topic("chat:a").on("x", () => {})', '"said" | "sung"'],
  ['client.topic("chat:a").replica("x")', '"stone" | "tree"'],
  ['server.command("x", () => {})', '"jump" | "move"'],
  ['server.query("x", () => {})', '"listen" | "look"'],
  ['server.broadcast("x", "")', '"said" | "sung"'],
  ['server.replica("x")', '"stones" | "trees"'],
  ['server.topicKind("x", {})', '"chat" | "map"'],
  ['server.topic("x")', topics],
  ['server.topic("chat:a").publish("x", "")', '"said" | "sung"'],
  ['server.topic("chat:a").replica("x")', '"stone" | "tree"'],
  ['useCommand("x")', '"jump" | "move"'],
  ['useEvent("x", () => {})', '"said" | "sung"'],
  ['useStream("x")', 'null | "ticks" | "tocks"'],
  ['useTopic("x")', `null | ${topics}`],
]

it("lists the valid names for a misspelt one", { timeout: 60_000 }, () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const settings = join(import.meta.dirname, "tsconfig.json")
  const tsconfig = { extends: relative(folder, settings), include: ["*.ts"] }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  writeFileSync(join(folder, "names.ts"), `${declarations}${mistakes.map(([code]) => code).join("\n")}\n`)
  const args = ["-p", folder, "--pretty", "false"]
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), args, { cwd: root, encoding: "utf8" })
  const found = [...stdout.matchAll(/error TS\d+: .* type '(.*)'\./g)].map(([, type = ""]) =>
    type.split(" | ").toSorted(),
  )
  expect(found).toEqual(mistakes.map(([, names]) => names.split(" | ").toSorted()))
})
