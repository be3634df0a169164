import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { compileEmulator, lacking } from "./emulated-link.ts"
import type { Machine } from "./emulated-link.ts"

const able: Machine = { platform: "linux", isRoot: true, hasCommand: () => true, canOpen: () => true }

describe("the emulated link", () => {
  it.each([
    [{ platform: "darwin" }, "this is darwin"],
    [{ isRoot: false }, "needs root"],
    [{ hasCommand: (name: string) => name !== "ip" }, "apt-get install iproute2"],
    [{ hasCommand: (name: string) => name !== "cc" }, "apt-get install gcc"],
    [{ canOpen: () => false }, "/dev/net/tun"],
  ])("surprise-C3 is refused with a sentence where the machine lacks a part: %j", (lacks, said) => {
    expect(lacking({ ...able, ...lacks })).toContain(said)
  })

  it("surprise-C3 is possible where no part is missing", () => {
    expect(lacking(able)).toBeUndefined()
  })

  it("surprise-C3 has an emulator that compiles without a warning, and refuses to start without devices", (context) => {
    context.skip(process.platform !== "linux" || spawnSync("cc", ["--version"]).status !== 0, "no C compiler")
    const directory = mkdtempSync(join(tmpdir(), "hawser-emulator-"))
    try {
      const program = join(directory, "emulator")
      compileEmulator(program)
      expect(spawnSync(program, [], { encoding: "utf8" })).toMatchObject({
        status: 2,
        stderr: "usage: emulator SEED CLIENT_DEVICE SERVER_DEVICE\n",
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
