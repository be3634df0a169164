// The check of docstrings: each kind of function and member of a public interface needs a sentence, and each number a unit.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it, onTestFinished } from "vitest"

const script = join(import.meta.dirname, "../../scripts/docstrings.mjs")

const entries = (paths: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(paths).map(([path, file]) => [path, { "@hawser/source": file }]))
const manifests = {
  "packages/protocol/package.json": JSON.stringify({
    name: "@hawser/protocol",
    exports: entries({ ".": "./src/index.ts", "./core": "./src/core.ts" }),
  }),
  "packages/client/package.json": JSON.stringify({
    name: "@hawser/client",
    exports: entries({ ".": "./src/index.ts" }),
  }),
  "packages/protocol/src/index.ts": "",
  "packages/protocol/src/core.ts": "",
}

/** Lines that the check prints for packages with these sources, and its exit status. */
function check(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "hawser-docstrings-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ ...manifests, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const options = { cwd: folder, encoding: "utf8" } as const
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], options)
  return { status, lines: stdout.trimEnd().split("\n") }
}

/** Faults in one source of the client, all of whose names are exported. */
function faultsIn(text: string): string[] {
  const { lines } = check({ "packages/client/src/index.ts": text })
  return lines.slice(0, -1).map((line) => line.replace("packages/client/src/index.ts:", ""))
}

it("finds members of interfaces, type literals and classes without a docstring", () => {
  const faults = faultsIn(`
export interface Options {
  readonly name: string
  run(): void
  (): string
  new (): Options
  [index: string]: unknown
}
export type Status = { kind: "open" } | { inner: { text: string } }
export class Client {
  field = true
  constructor(name: string) {}
  get size(): string { return "" }
  static open(): void {}
  [Symbol.iterator](): void {}
  #own = 1
  private secret(): void {}
}
`)
  expect(faults).toEqual([
    "3: Options.name",
    "4: Options.run",
    "5: Options.()",
    "6: Options.new()",
    "7: Options.[index]",
    "9: Status.kind",
    "9: Status.inner",
    "9: Status.inner.text",
    "11: Client.field",
    "12: Client.constructor",
    "13: Client.size",
    "14: Client.open",
    "15: Client.[Symbol.iterator]",
  ])
})

it("finds exported functions without a docstring, declared in either way", () => {
  const faults = faultsIn(`
export function open(): void {}
export const close = (): void => {}
function inner(): void {}
export const constant = 1
/** Opens a session. */
export function reopen(): void { inner() }
`)
  expect(faults).toEqual(["2: open", "3: close"])
})

it("accepts a sentence, one for all overloads and for both accessors of a name", () => {
  const faults = faultsIn(`
/** Opens a session. */
export function open(name: string): void
export function open(name: { readonly own: string }): void
export function open(name: unknown): void {}
export class Client {
  /** Name of the client. */
  get name(): string { return "" }
  set name(name: string) {}
}
`)
  expect(faults).toEqual(["4: open.own"])
})

it("rejects comments that are no docstrings, and docstrings without a sentence", () => {
  const faults = faultsIn(`
export interface Options {
  // Name of the client.
  readonly line: string
  /* Name of the client. */
  readonly block: string
  /** name */
  readonly word: string
  /** @deprecated Use another one. */
  readonly tag: string
  /** Name of the client. */

  readonly good: string
  readonly other: string
}
`)
  expect(faults).toEqual([
    "4: Options.line",
    "6: Options.block",
    "8: Options.word",
    "10: Options.tag",
    "14: Options.other",
  ])
})

it("finds numbers without a unit in their name or docstring", () => {
  const faults = faultsIn(`
export interface Limits {
  /** The delay. */
  readonly delay: number
  /** The delay. */
  readonly delayMs: number
  /** Delay in milliseconds. */
  readonly pause?: number
  /** Open connections of this address. */
  readonly open: number
  /** The largest one. */
  readonly largest: number | undefined
  /** Returns the present. */
  now(): number
}
`)
  const missing = " (number without a unit)"
  expect(faults).toEqual([
    `4: Limits.delay${missing}`,
    `12: Limits.largest${missing}`,
    `14: Limits.now${missing}`,
  ])
})

it("follows re-exports, imports and the types that a signature names, into core as well", () => {
  const { status, lines } = check({
    "packages/protocol/src/core.ts": `export type { Frame, Unnamed } from "./frame.ts"`,
    "packages/protocol/src/frame.ts": `
export interface Frame { readonly kind: Kind }
export interface Unnamed { readonly kind: string }
interface Kind { readonly code: string }
`,
    "packages/client/src/index.ts": `
export { connect as open } from "./connect.ts"
export type { Base as Client } from "./base.ts"
`,
    "packages/client/src/connect.ts": `
import type { Frame as First } from "@hawser/protocol/core"
interface Hidden { readonly hidden: string }
/** Connects to the server. */
export function connect(): Promise<readonly First[]> {
  const inner: Hidden = { hidden: "" }
  return Promise.reject(inner)
}
`,
    "packages/client/src/base.ts": `
export interface Base extends Parent, Partial<Part> {}
interface Parent { readonly parent: string }
interface Part { readonly part: typeof constant }
declare const constant: Constant
interface Constant { readonly constant: string }
`,
  })
  expect(lines.toSorted()).toEqual([
    "docstrings: 5 faults in 6 functions and members",
    "packages/client/src/base.ts:3: Parent.parent",
    "packages/client/src/base.ts:4: Part.part",
    "packages/client/src/base.ts:6: Constant.constant",
    "packages/protocol/src/frame.ts:2: Frame.kind",
    "packages/protocol/src/frame.ts:4: Kind.code",
  ])
  expect(status).toBe(1)
})

it("prints the faults of each package with --count, and exits with 0 if there are none", () => {
  const fault = "export function open(): void {}\n"
  const files = { "packages/client/src/index.ts": fault, "packages/protocol/src/index.ts": fault }
  expect(check(files, "--count").lines.toSorted()).toEqual([
    "    1  client",
    "    1  protocol",
    "docstrings: 2 faults in 2 functions and members",
  ])
  expect(check({ "packages/client/src/index.ts": "" }).status).toBe(0)
})
