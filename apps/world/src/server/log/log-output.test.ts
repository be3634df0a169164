import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Writable } from "node:stream"
import { describe, expect, onTestFinished, test } from "vitest"
import { createLogOutput } from "./log-output.ts"
import type { LogOutput, LogTarget } from "./log-output.ts"

function outputTo(target: LogTarget) {
  const told: (string | number)[] = []
  const output: LogOutput = createLogOutput({
    target,
    onLosing: (reason) => told.push(reason),
    onRecovered: (count) => told.push(count),
  })
  return { output, told }
}

function opened(path: string): number {
  const fd = openSync(path, "a")
  onTestFinished(() => {
    try {
      closeSync(fd)
    } catch {
      // The test has closed it.
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
    const { output, told } = outputTo({ kind: "file", fd: opened(path) })
    output.write("one\n")
    output.write("two\n")
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n")
    expect([output.lostCount, told]).toEqual([0, []])
  })

  test("door-4 costs lines and nothing else when its disk is full, and that is said once", async () => {
    const { output, told } = outputTo({ kind: "file", fd: opened("/dev/full") })
    for (let line = 0; line < 1_000; line += 1) output.write(`line ${line}\n`)
    expect([output.lostCount, told]).toEqual([1_000, ["ENOSPC"]])
    await output.flush(0)
  })

  test("costs lines when it was closed", () => {
    const fd = opened("/dev/null")
    const { output, told } = outputTo({ kind: "file", fd })
    closeSync(fd)
    output.write("lost\n")
    expect([output.lostCount, told]).toEqual([1, ["EBADF"]])
  })
})

describe("a pipe", () => {
  test("door-4 drops lines while its reader does not read, and takes them again afterwards", async () => {
    const stream = new PassThrough()
    const { output, told } = outputTo({ kind: "stream", stream })
    const line = `${"x".repeat(1_023)}\n`
    for (let count = 0; count < 3_000; count += 1) output.write(line)
    expect(told).toEqual(["its reader does not read"])
    expect(output.lostCount).toBeGreaterThan(1_900)
    expect(stream.writableLength).toBeLessThan(1_100_000)
    await output.flush(0)
    stream.resume()
    await once(stream, "drain")
    output.write("again\n")
    expect(told).toEqual(["its reader does not read", output.lostCount])
    await output.flush(60_000)
    expect(stream.writableLength).toBe(0)
  })

  test("door-4 costs lines and nothing else when its reader has gone", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("gone"), { code: "EPIPE" })),
    })
    const { output, told } = outputTo({ kind: "stream", stream })
    output.write("one\n")
    await new Promise((resolve) => stream.once("close", resolve))
    for (let line = 0; line < 100; line += 1) output.write("more\n")
    expect(told).toEqual(["EPIPE"])
    expect(output.lostCount).toBe(101)
    await output.flush(60_000)
  })
})
