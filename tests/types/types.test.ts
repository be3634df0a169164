// Fault 3, at compile time: names, inputs, replies, payloads and options that the contract does not know do not
// compile. The fixtures hold one mistake a line, announced by `@ts-expect-error` and the number of its diagnostic.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const copies = join(root, "tests/output/types")
const compilerMs = 60_000

interface Compiled {
  readonly status: number | null
  /** `client.fixture.ts:14 2345`, in order. */
  readonly diagnostics: readonly string[]
}

function compile(project: string): Compiled {
  const tsc = join(root, "node_modules/.bin/tsc")
  const { status, stdout } = spawnSync(tsc, ["-p", project, "--pretty", "false"], {
    cwd: root,
    encoding: "utf8",
  })
  const found = stdout.matchAll(/^(?:.*\/)?([^/(\n]+)\((\d+),\d+\): error TS(\d+):/gm)
  return { status, diagnostics: [...found].map(([, file, line, code]) => `${file}:${line} ${code}`) }
}

/** A project with the same settings, in a folder that git ignores. */
function writeProject(name: string, files: ReadonlyMap<string, string>): string {
  const folder = join(copies, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const settings = join(import.meta.dirname, "tsconfig.json")
  const tsconfig = { extends: relative(folder, settings), include: ["*.fixture.ts"] }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const [file, text] of files) writeFileSync(join(folder, file), text)
  return folder
}

const fixtures = new Map<string, string>()
beforeAll(() => {
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".fixture.ts"))) {
    fixtures.set(file, readFileSync(join(import.meta.dirname, file), "utf8"))
  }
})

describe("fault-03 for the compiler", () => {
  it(
    "accepts both ends of an application, and expects every mistake in the fixtures",
    { timeout: compilerMs },
    () => {
      expect(compile("tests/types")).toEqual({ status: 0, diagnostics: [] })
    },
  )

  it("finds in each line of a mistake exactly the announced diagnostic", { timeout: compilerMs }, () => {
    const announced = [...fixtures].flatMap(([file, text]) =>
      text.split("\n").flatMap((line, index) => {
        const code = /@ts-expect-error (\d+): /.exec(line)?.[1]
        return code === undefined ? [] : [`${file}:${index + 2} ${code}`]
      }),
    )
    const bare = [...fixtures].map(([file, text]) => [file, text.replaceAll("@ts-expect-error", "")] as const)
    const { status, diagnostics } = compile(writeProject("bare", new Map(bare)))
    expect([...diagnostics].sort()).toEqual([...announced].sort())
    expect(announced.length).toBeGreaterThan(80)
    expect(status).not.toBe(0)
  })

  it("notices an expectation whose mistake is gone", { timeout: compilerMs }, () => {
    const corrected = (fixtures.get("client.fixture.ts") ?? "").replace('"mvoe"', '"move"')
    const files = new Map([...fixtures, ["client.fixture.ts", corrected]])
    const { status, diagnostics } = compile(writeProject("corrected", files))
    expect(diagnostics).toEqual([expect.stringMatching(/^client\.fixture\.ts:\d+ 2578$/)])
    expect(status).not.toBe(0)
  })
})
