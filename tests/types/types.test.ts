// Fault 3, at compile time: names, inputs, replies, payloads and options that the contract lacks do not compile. The
// fixtures contain one mistake a line, announced by `@ts-expect-error` and the number of its diagnostic. The tables of
// frames are tested on changed copies of the protocol package.
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
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

  it("reports an expectation without its mistake", { timeout: compilerMs }, () => {
    const corrected = (fixtures.get("client.fixture.ts") ?? "").replace('"mvoe"', '"move"')
    const files = new Map([...fixtures, ["client.fixture.ts", corrected]])
    const { status, diagnostics } = compile(writeProject("corrected", files))
    expect(diagnostics).toEqual([expect.stringMatching(/^client\.fixture\.ts:\d+ 2578$/)])
    expect(status).not.toBe(0)
  })
})

type Edit = readonly [file: string, before: string, after: string]

/** Compiles a copy of the protocol package with these texts replaced. Returns the names of the files with errors. */
function faultyFiles(name: string, ...edits: readonly Edit[]): string[] {
  const source = join(root, "packages/protocol/src")
  const folder = writeProject(name, new Map())
  cpSync(source, join(folder, "src"), { recursive: true, filter: (path) => !path.endsWith(".test.ts") })
  const tsconfig = { extends: relative(folder, join(import.meta.dirname, "tsconfig.json")), include: ["src"] }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const [file, before, after] of edits) {
    const path = join(folder, "src/wire", file)
    const text = readFileSync(path, "utf8")
    expect(text.split(before)).toHaveLength(2)
    writeFileSync(path, text.replace(before, after))
  }
  const { diagnostics } = compile(relative(root, folder))
  return [...new Set(diagnostics.map((diagnostic) => diagnostic.replace(/:.*/, "")))].toSorted()
}

const addFrame = (union: string): Edit => [
  "frame.ts",
  `export type ${union} =\n`,
  `export type ${union} =\n  | { readonly kind: "added" }\n`,
]
const addByte: Edit = ["frame-byte.ts", "  hello: 0x01,", "  hello: 0x01,\n  added: 0x11,"]

describe("a frame of hawser.1 for the compiler", { timeout: compilerMs }, () => {
  it("needs a byte", () => {
    expect(faultyFiles("frame", addFrame("ClientFrame"))).toContain("frame-byte.ts")
  })

  it.each(["Client", "Server", "Common"])(
    "of %s needs a decoder and an encoder when it has a byte",
    (end) => {
      const name = end.toLowerCase()
      const faulty = faultyFiles(`${name}-frame`, addFrame(`${end}Frame`), addByte)
      expect(faulty).toEqual(
        expect.arrayContaining([`${name}-decode.ts`, `${name}-encode.ts`, "envelope-codec.ts"]),
      )
    },
  )

  it("needs a decoder that returns its own kind", () => {
    const [pong, ping] = ['{ kind: "pong", number, handled }', '{ kind: "ping", number, handled }']
    expect(faultyFiles("other-kind", ["common-decode.ts", pong, ping])).toEqual(["common-decode.ts"])
  })

  it("is one for each byte", () => {
    expect(faultyFiles("byte", addByte)).toContain("frame-byte.ts")
  })

  it("compiles unchanged", () => {
    expect(faultyFiles("unchanged")).toEqual([])
  })
})
