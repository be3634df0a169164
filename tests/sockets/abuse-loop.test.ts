// A hundred users who send the most expensive valid message as often as their sockets accept it.
import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { encode } from "@msgpack/msgpack"
import { expect, it, onTestFinished } from "vitest"
import { z } from "zod"
import { openTcpSession } from "./harness.ts"

const users = 100
const periodMs = 10
const rounds = 100

const report = z.object({ turns: z.array(z.int()), p50Ms: z.number(), p99Ms: z.number() })

/** A WebSocket frame with a request of almost 64 KiB: with the guard's limit of keys. */
function dearestFrame(): Buffer {
  const keys = Array.from({ length: 4_900 }, (_, index) => [`key ${index} `.padEnd(11, "x"), index % 100])
  const body = encode([4, { text: "x", ...Object.fromEntries(keys) }, 0])
  const message = Buffer.concat([Uint8Array.of(0x41), body])
  expect(message.length).toBeLessThan(65_536)
  const head = Buffer.from([0x82, 0xfe, 0, 0, 0, 0, 0, 0])
  head.writeUInt16BE(message.length, 2)
  return Buffer.concat([head, message])
}

const messageOf = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => child.once("message", resolve))

it(
  "abuse-A49 decodes a few messages in a turn of the event loop, though 100 users send 64 KiB 100 times a second",
  { timeout: 60_000 },
  async () => {
    const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
    const program = join(import.meta.dirname, "loop-program.ts")
    const child = fork(program, { execArgv: ["-C", "@hawser/source", "--import", loader] })
    onTestFinished(() => void child.kill("SIGKILL"))
    const port = await messageOf(child)
    const sockets = await Promise.all(
      Array.from({ length: users }, (_, index) =>
        openTcpSession(z.int().parse(port), "hawser.1", `user ${index}`),
      ),
    )
    for (const socket of sockets) socket.resume()
    const frame = dearestFrame()
    child.send("begin")
    let turns: number[] = []
    while (turns.reduce((sum, count) => sum + count, 0) <= 4 * users) {
      for (let round = 0; round < rounds; round += 1) {
        for (const socket of sockets) if (socket.writableLength < frame.length) socket.write(frame)
        await new Promise((resolve) => setTimeout(resolve, periodMs))
      }
      child.send("report")
      turns = report.parse(await messageOf(child)).turns
    }
    turns.sort((a, b) => a - b)
    // Before any user is paused, each socket may add a read of 64 KiB in one turn; afterwards only a few do.
    expect(turns.at(-1)).toBeLessThanOrEqual(2 * users)
    expect(turns[Math.floor(turns.length / 2)]).toBeLessThanOrEqual(12)
  },
)
