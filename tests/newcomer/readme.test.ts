// The samples of the README, as printed: in a project with the packed packages they compile, run and print what they say.
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { pack, root } from "../packages/packed.ts"
import type { Packed } from "../packages/packed.ts"
import { PackedProject } from "./packed-project.ts"

interface Sample {
  readonly file: string
  readonly text: string
}

/** The README of the repository, then those of three packages, which have one example together, then that of the hooks. */
const readmes = [
  "README.md",
  ...["protocol", "server", "client", "react"].map((name) => `packages/${name}/README.md`),
]
const samples = readmes.flatMap((name) => {
  const text = readFileSync(join(root, name), "utf8")
  return [...text.matchAll(/```tsx?\n\/\/ ([\w-]+\.tsx?).*\n([\s\S]*?)```/g)].map(
    ([, file = "", code = ""]): Sample => ({ file, text: code }),
  )
})
const secret = "a secret of at least thirty-two bytes"
let packed: Packed | undefined

/** Samples from the n-th `contract.ts` to the next one. */
function group(n: number): readonly Sample[] {
  const starts = samples.flatMap(({ file }, index) => (file === "contract.ts" ? [index] : []))
  return samples.slice(starts[n], starts[n + 1]).filter(({ file }) => file !== "token.ts")
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === "object" && address !== null ? address.port : 0
}

/** A project with a group of samples, and with `token.ts`. Only the port differs from the printed text. */
async function projectOf(n: number): Promise<PackedProject> {
  if (packed === undefined) throw new Error("the packages were not packed")
  const project = new PackedProject(packed)
  onTestFinished(() => project.remove())
  const port = String(await freePort())
  const token = samples.filter(({ file }) => file === "token.ts")
  for (const { file, text } of [...group(n), ...token]) project.write(file, text.replaceAll("9000", port))
  return project
}

async function tokenOf(project: PackedProject): Promise<string> {
  const program = project.run("token.ts", { JWT_SECRET: secret })
  expect(await program.ends()).toBe(0)
  return program.output.trim()
}

beforeAll(() => {
  packed = pack()
}, 120_000)
afterAll(() => packed?.remove())

describe("the READMEs", () => {
  it("have no code that is not tested here", () => {
    const blocks = readmes.flatMap((name) => [
      ...readFileSync(join(root, name), "utf8").matchAll(/^```(?:ts|js|tsx)$/gm),
    ])
    expect(samples).toHaveLength(blocks.length)
  })

  it("have three examples with a contract, a server and a client, a program for tokens, and a page with hooks", () => {
    expect(samples.map(({ file }) => file)).toEqual([
      ...["contract.ts", "server.ts", "client.ts"],
      ...["contract.ts", "server.ts", "client.ts"],
      "token.ts",
      ...["contract.ts", "server.ts", "client.ts"],
      ...["contract.ts", "server.ts", "main.tsx"],
    ])
  })

  it("have a first example that runs", { timeout: 120_000 }, async () => {
    const project = await projectOf(0)
    expect(project.compile()).toEqual({ status: 0, output: "" })
    const server = project.run("server.ts", { JWT_SECRET: secret })
    await server.prints("ws://localhost:")
    const client = project.run("client.ts", { TOKEN: await tokenOf(project) })
    await client.prints("open")
    await client.prints("1 [ 'ann' ]")
    expect(server.output).not.toContain("Error")
  })

  it("have a tsconfig.json that compiles each example, as printed", { timeout: 120_000 }, async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8")
    const [, tsconfig = ""] = /```json\n(\{\n {2}"compilerOptions"[\s\S]*?)```/.exec(readme) ?? []
    for (const example of [0, 1, 2]) {
      const project = await projectOf(example)
      project.write("tsconfig.json", tsconfig)
      expect(project.compile()).toEqual({ status: 0, output: "" })
      expect(await tokenOf(project)).toMatch(/^ey/)
    }
  })

  it("have an example with a replica and a topic that runs", { timeout: 120_000 }, async () => {
    const project = await projectOf(1)
    expect(project.compile()).toEqual({ status: 0, output: "" })
    const server = project.run("server.ts", { JWT_SECRET: secret })
    const client = project.run("client.ts", { TOKEN: await tokenOf(project) })
    await client.prints("ahoy")
    await client.prints("ann is near, at ")
    // The view may begin before or after the step.
    await client.prints(" at 4,4")
    expect(server.output).toBe("")
  })

  it("have an example of the three packages that runs", { timeout: 120_000 }, async () => {
    const project = await projectOf(2)
    expect(project.compile()).toEqual({ status: 0, output: "" })
    project.run("server.ts", { JWT_SECRET: secret })
    const client = project.run("client.ts", { TOKEN: await tokenOf(project) })
    await client.prints("ann was greeted")
    await client.prints("hello, ann")
  })

  it("have a page with hooks that runs", { timeout: 120_000 }, async () => {
    const project = await projectOf(3)
    expect(project.compile()).toEqual({ status: 0, output: "" })
    const server = project.run("server.ts", {})
    project.write("page.mjs", pageProgram)
    const page = project.run("page.mjs", {})
    await page.prints("open / smooth seas / [Wave (0)] / ann is calm / [Say ahoy]")
    await page.prints("open / smooth seas / [Wave (1)] / ann is glad / [Say ahoy] / ann: ahoy")
    expect(server.output).toBe("")
  })
})

/** Runs the page in a document, presses all that it has once it is open, and prints its text at each change. */
const pageProgram = `
import { Window } from "happy-dom"
import { WebSocket } from "ws"
const window = new Window({ url: "http://localhost/" })
const { document, navigator } = window
document.body.innerHTML = '<div id="root"></div>'
const addEventListener = window.addEventListener.bind(window)
for (const [name, value] of Object.entries({ window, document, navigator, addEventListener, WebSocket }))
  Object.defineProperty(globalThis, name, { value, configurable: true })
await import("./out/main.js")
let shown = ""
let isPressed = false
setInterval(() => {
  const lines = [...document.querySelectorAll("p, button")].map((element) =>
    element.localName === "button" ? "[" + element.textContent + "]" : element.textContent)
  const text = lines.join(" / ")
  if (text !== shown) console.log(text)
  shown = text
  if (isPressed || !text.includes("smooth seas") || !text.includes("ann is calm")) return
  isPressed = true
  for (const element of document.querySelectorAll("p, button")) element.click()
}, 20)
`
