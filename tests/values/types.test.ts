// The table of docs/values.md in three engines: the same values arrive, the same are refused, and the bytes are the
// same.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { build, defaultClientConditions } from "vite"
import { describe, expect, it } from "vitest"
import { chromium } from "../browsers/chromium.ts"
import { skipReason } from "../browsers/engine.ts"
import { findBun } from "../sockets/bun-transport.ts"
import { checkTable } from "./value-table.ts"

const folder = fileURLToPath(new URL(".", import.meta.url))
const own = checkTable()

/** The table as one script that stores its result in a variable. */
async function bundle(): Promise<string> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    resolve: { conditions: ["@hawser/source", ...defaultClientConditions] },
    build: {
      write: false,
      minify: false,
      target: "es2023",
      lib: { entry: `${folder}value-table.ts`, formats: ["iife"], name: "table" },
    },
  })
  const outputs = Array.isArray(result) ? result : [result]
  const files = outputs.flatMap((one) => ("output" in one ? one.output : []))
  return files.flatMap((file) => (file.type === "chunk" ? [file.code] : [])).join("\n")
}

describe("surprise-B3 the table of values", () => {
  it("holds in Node", () => {
    expect(own.failures).toEqual([])
    expect(own.checked).toBeGreaterThan(1_500)
  })

  it("encodes a Buffer as its bytes, at any offset of its memory", async () => {
    const { clientMessageLimits, createPayloadCodec } = await import("@hawser/protocol/core")
    const codec = createPayloadCodec(clientMessageLimits)
    const pooled = Buffer.from("bytes")
    const expected = Uint8Array.from(pooled)
    expect(codec.decode(codec.encode([pooled]), 0)).toEqual({ ok: true, value: [expected] })
  })

  const bun = findBun()
  it.skipIf(bun === undefined)("holds in Bun, byte for byte", { timeout: 60_000 }, () => {
    const args = ["--conditions", "@hawser/source", `${folder}main.ts`]
    const { stdout, stderr } = spawnSync(bun ?? "", args, { encoding: "utf8" })
    expect(stderr).toBe("")
    expect(JSON.parse(stdout)).toEqual(own)
  })

  it("holds in Chromium, byte for byte", { timeout: 120_000 }, async ({ skip }) => {
    const missing = skipReason(chromium)
    if (missing !== undefined) skip(missing)
    const browser = await chromium.launch()
    try {
      const tab = await browser.open("about:blank")
      expect(await tab.evaluate(`${await bundle()}\n;table.checkTable()`)).toEqual(own)
    } finally {
      await browser.quit()
    }
  })
})
