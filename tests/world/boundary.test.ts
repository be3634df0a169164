// Independence of the game from the profiles: its sources, its rules and its contract name no profile and no field of
// 2.0. Only apps/world/src/server/profile20 and the HTTP side may.
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const source = fileURLToPath(new URL("../../apps/world/src", import.meta.url))

const files = [
  join(source, "contract.ts"),
  ...["server/game", "rules"].flatMap((folder) =>
    readdirSync(join(source, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => join(source, folder, name)),
  ),
].map((path) => ({ name: path.slice(source.length + 1), text: readFileSync(path, "utf8") }))

/** Names with an underscore that are no fields of 2.0, with the reason. */
const allowed: ReadonlyMap<string, string> = new Map([
  ...reason("a code of an error, the same in every profile", [
    "auth_forbidden",
    "auth_player_not_found",
    "chat_message_empty",
    "chat_message_too_long",
    "chat_permission_denied",
    "chat_recipient_not_found",
    "gather_nothing_left",
    "gather_nothing_there",
    "gather_hands_full",
    "drop_nothing_carried",
    "drop_no_space",
    "map_invalid_coords",
    "move_collision_detected",
    "move_out_of_bounds",
    "server_shutdown",
    "session_ended",
    "sys_service_unavailable",
  ]),
  ...reason("a module of Node", ["perf_hooks"]),
  ...reason("a bonus of the game: a key in a record of them, and so content and not a field", [
    "_bonus",
    "magic_attack",
    "magic_damage",
    "magic_defence",
    "physical_defence",
    "ranged_attack",
    "ranged_strength",
  ]),
])

function reason(text: string, names: readonly string[]): [string, string][] {
  return names.map((name) => [name, text])
}

function found(pattern: RegExp): string[] {
  return files.flatMap(({ name, text }) =>
    text
      .split("\n")
      .flatMap((line, index) => [...line.matchAll(pattern)].map(([word]) => `${name}:${index + 1} ${word}`)),
  )
}

it("reads the contract, the rules and the whole game", () => {
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["contract.ts", "rules/movement.ts", "server/game/game.ts"]),
  )
})

it("finds no word for a profile in the game", () => {
  expect(found(/profile\w*|envelope\w*|\b2\.0\b|\b(?:cmd|query|event|resp)_\w*/gi)).toEqual([])
})

it("finds no field of 2.0 in the game: no name with an underscore but those that are listed", () => {
  const names = found(/\b(?:[a-z]\w*)?_[a-z]\w*/g)
  expect(names.filter((line) => !allowed.has(line.split(" ")[1] ?? ""))).toEqual([])
})

it("lists no name that the game does not use", () => {
  const used = new Set(found(/\b(?:[a-z]\w*)?_[a-z]\w*/g).map((line) => line.split(" ")[1]))
  expect([...allowed.keys()].filter((name) => !used.has(name))).toEqual([])
})
