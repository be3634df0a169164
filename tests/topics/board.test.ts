// The samples of docs/topic-replicas.md, as printed: a board whose members see each other's cursors.
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createBoardServer, showBoard } from "./board.samples.ts"

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8")

/** Removes the common indentation and the exports. */
function plainText(block: string): string {
  const lines = block.replaceAll("export const", "const").split("\n")
  const indents = lines.filter((line) => line !== "").map((line) => line.search(/\S/))
  const least = Math.min(...indents)
  return lines.map((line) => line.slice(least)).join("\n")
}

describe("docs/topic-replicas.md", () => {
  it("prints the samples that the next test runs", () => {
    const printed = [...read("docs/topic-replicas.md").matchAll(/```ts\n([\s\S]*?)```/g)]
    const samples = [
      ...read("tests/topics/board.samples.ts").matchAll(/ *\/\/ --- \w+\n([\s\S]*?) *\/\/ --- end/g),
    ]
    expect(printed.length).toBe(3)
    expect(printed.map(([, block = ""]) => block)).toEqual(samples.map(([, block = ""]) => plainText(block)))
  })

  it("shows the cursors of a board to its members until they leave", async () => {
    const clock = new SimulatedClock()
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    const server = createBoardServer({ authenticate: (id) => ({ id }), clock, onError })
    const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
    const shown: Record<string, string[]> = {}
    const open = async (token: string) => {
      const client = showBoard({ url: "memory:", token, clock, dial: network.dial, onError }, (cursors) => {
        shown[token] = [...cursors.values()].map(({ name, x }) => `${name} ${x}`)
      })
      await clock.advance(500)
      return client
    }
    const [, ben] = [await open("ann"), await open("ben")]
    expect(shown).toEqual({ ann: ["ann 30", "ben 30"], ben: ["ann 30", "ben 30"] })
    ben.close()
    await clock.advance(500)
    expect(shown).toEqual({ ann: ["ann 30"], ben: [] })
    expect(errors).toEqual([])
  })
})
