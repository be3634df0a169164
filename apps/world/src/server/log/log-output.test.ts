import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Writable } from "node:stream"
import { describe, expect, onTestFinished, test } from "vitest"
import { createLogOutput } from "./log-output.ts"
import type { LogOutput, LogTarget } from "./log-output.ts"

function outputTo(target: LogTarget) {
  const reports: (string | number)[] = []
  const output: LogOutput = createLogOutput({
    target,
    onLosing: (reason) => reports.push(reason),
    onRecovered: (count) => reports.push(count),
  })
  return { output, reports }
}

function opened(path: string): number {
  const fd = openSync(path, "a")
  onTestFinished(() => {
    try {
      closeSync(fd)
    } catch {
      // Already closed by the test.
    }
  })
  return fd
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "hawser-log-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

describe("a file", () => {
  test("gets every line", () => {
    const path = join(folder(), "log")
    const { output, reports } = outputTo({ kind: "file", fd: opened(path) })
    output.write("one\n")
    output.write("two\n")
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n")
    expect([output.lostCount, reports]).toEqual([0, []])
  })

  test("door-4 loses only lines if its disk is full, and reports it once", async () => {
    const { output, reports } = outputTo({ kind: "file", fd: opened("/dev/full") })
    for (let line = 0; line < 1_000; line += 1) output.write(`line ${line}\n`)
    expect([output.lostCount, reports]).toEqual([1_000, ["ENOSPC"]])
    await output.flush(0)
  })

  test("loses lines after it was closed", () => {
    const fd = opened("/dev/null")
    const { output, reports } = outputTo({ kind: "file", fd })
    closeSync(fd)
    output.write("lost\n")
    expect([output.lostCount, reports]).toEqual([1, ["EBADF"]])
  })
})

describe("a pipe", () => {
  test("door-4 drops lines while its reader does not read, and writes again afterwards", async () => {
    const stream = new PassThrough()
    const { output, reports } = outputTo({ kind: "stream", stream })
    const line = `${"x".repeat(1_023)}\n`
    for (let count = 0; count < 3_000; count += 1) output.write(line)
    expect(reports).toEqual(["its reader does not read"])
    expect(output.lostCount).toBeGreaterThan(1_900)
    expect(stream.writableLength).toBeLessThan(1_100_000)
    await output.flush(0)
    stream.resume()
    await once(stream, "drain")
    output.write("again\n")
    expect(reports).toEqual(["its reader does not read", output.lostCount])
    await output.flush(60_000)
    expect(stream.writableLength).toBe(0)
  })

  test("door-4 loses only lines after its reader has ended", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("gone"), { code: "EPIPE" })),
    })
    const { output, reports } = outputTo({ kind: "stream", stream })
    output.write("one\n")
    await new Promise((resolve) => stream.once("close", resolve))
    for (let line = 0; line < 100; line += 1) output.write("more\n")
    expect(reports).toEqual(["EPIPE"])
    expect(output.lostCount).toBe(101)
    await output.flush(60_000)
  })
})
