// The names that the packages export: few for applications, and the whole vocabulary from each package for
// applications.
import * as client from "@hawser/client"
import * as vocabulary from "@hawser/protocol"
import * as core from "@hawser/protocol/core"
import * as server from "@hawser/server"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const packages = join(import.meta.dirname, "../../packages")

/** Source of an index. Types do not exist at run time. */
function indexOf(name: string): string {
  return readFileSync(join(packages, name, "src/index.ts"), "utf8")
}

it("exports the vocabulary of contracts and little else from @hawser/protocol", () => {
  expect(Object.keys(vocabulary).toSorted()).toEqual([
    "HawserError",
    "defaultClientLimits",
    "defaultServerLimits",
    "defineContract",
    "defineReplica",
    "defineTopic",
    "encodeOnce",
    "encodedArray",
    "encodedMap",
    "flag",
    "integer",
    "isErrorCode",
    "mergeContracts",
    "oneOf",
    "optional",
    "plain",
    "real",
    "text",
  ])
})

it("exports no name from @hawser/protocol/core that @hawser/protocol exports", () => {
  expect(Object.keys(core).filter((name) => name in vocabulary)).toEqual([])
})

it.each([
  { name: "client", exported: client },
  { name: "server", exported: server },
])("exports the whole vocabulary from @hawser/$name", ({ name, exported }) => {
  expect(exported).toMatchObject(vocabulary)
  expect(indexOf(name)).toContain('export * from "@hawser/protocol"')
})
