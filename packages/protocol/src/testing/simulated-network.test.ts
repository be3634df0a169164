import { beforeEach, describe, expect, it } from "vitest"
import type { Connection, ConnectionEvents, DialEvents } from "../transport.ts"
import { SimulatedClock } from "./simulated-clock.ts"
import { seededRandom } from "./seeded-random.ts"
import { SimulatedNetwork } from "./simulated-network.ts"
import type { Weather } from "./simulated-network.ts"
import { SimulatedProcess } from "./simulated-process.ts"
import type { SimulatedSocket } from "./simulated-socket.ts"

/** Events of one end, as text. */
class Told implements DialEvents {
  readonly lines: string[] = []
  connection: Connection | undefined

  open(protocol: string): void {
    this.lines.push(`open ${protocol}`)
  }
  message(bytes: Uint8Array): void {
    this.lines.push(String.fromCharCode(...bytes))
  }
  text(): void {}
  drained(): void {
    this.lines.push("drained")
  }
  pong(): void {
    this.lines.push("pong")
  }
  closed(code: number): void {
    this.lines.push(`closed ${code}`)
  }
}

let clock: SimulatedClock
let page: SimulatedProcess
let host: SimulatedProcess
let atServer: Told[]

beforeEach(() => {
  clock = new SimulatedClock()
  page = new SimulatedProcess(clock)
  host = new SimulatedProcess(clock)
  atServer = []
})

function networkIn(weather: Partial<Weather> = {}): SimulatedNetwork {
  const still = { latencyMs: { least: 10, most: 10 }, dialMs: { least: 0, most: 0 }, resetShare: 0 }
  const network = new SimulatedNetwork({ clock, random: seededRandom(1), weather: { ...still, ...weather } })
  network.serve(host, ({ connection }): ConnectionEvents => {
    const told = new Told()
    told.connection = connection
    atServer.push(told)
    return told
  })
  return network
}

function dial(network: SimulatedNetwork): { client: Told; socket: SimulatedSocket } {
  const client = new Told()
  client.connection = network.dialFrom(page, "page")("ws://simulated", ["hawser.1"], client)
  const socket = [...network.sockets].at(-1)
  if (socket === undefined) throw new Error("no socket")
  return { client, socket }
}

function pass(ms: number): void {
  const untilMs = clock.now() + ms
  clock.schedule(ms, () => {})
  while (clock.now() < untilMs) clock.step()
}

const send = (told: Told | undefined, text: string): boolean | undefined =>
  told?.connection?.send({ bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) })

describe("a fair network", () => {
  it("opens, carries messages in order both ways, and closes with the code of the closing end", () => {
    const { client } = dial(networkIn())
    pass(20)
    for (const text of ["a", "b", "c"]) send(client, text)
    send(atServer[0], "x")
    pass(20)
    client.connection?.close(1000, "")
    pass(40)
    expect(client.lines).toEqual(["open hawser.1", "x", "closed 1000"])
    expect(atServer[0]?.lines).toEqual(["drained", "a", "b", "c", "closed 1000"])
  })

  it("answers pings without its owner", () => {
    dial(networkIn())
    pass(20)
    atServer[0]?.connection?.ping?.()
    pass(30)
    expect(atServer[0]?.lines).toContain("pong")
  })

  it("fills the sender's buffer on a slow line, and reports when it is empty", () => {
    const { client } = dial(networkIn({ slowShare: 1, slowBytesPerMs: 1 }))
    pass(40)
    send(atServer[0], "x".repeat(96))
    expect(atServer[0]?.connection?.bufferedBytes).toBe(100)
    pass(60)
    expect(atServer[0]?.connection?.bufferedBytes).toBeLessThan(60)
    expect(client.lines).toEqual(["open hawser.1"])
    pass(100)
    expect([atServer[0]?.lines.at(-1), client.lines.length]).toEqual(["drained", 2])
  })

  it("hides the bytes in the sender's kernel from the sender", () => {
    const { client } = dial(networkIn({ slowShare: 1, slowBytesPerMs: 1, sendBufferBytes: 60 }))
    pass(40)
    const server = atServer[0]
    send(server, "x".repeat(96))
    pass(1)
    expect([server?.connection?.bufferedBytes, server?.lines]).toEqual([35, []])
    pass(39)
    // The process's buffer is empty, and the message is still in flight.
    expect([server?.connection?.bufferedBytes, server?.lines]).toEqual([0, ["drained"]])
    expect(client.lines).toEqual(["open hawser.1"])
    pass(100)
    expect(client.lines).toEqual(["open hawser.1", "x".repeat(96)])
  })

  it("sends the kernel's buffer after its process has ended, and nothing after a reset", () => {
    const ends = [0, 1].map((resetShare) => {
      const { client } = dial(networkIn({ slowShare: 1, slowBytesPerMs: 1, sendBufferBytes: 60, resetShare }))
      pass(40)
      const server = atServer.at(-1)
      for (const text of ["a".repeat(26), "b".repeat(26)]) send(server, text)
      pass(5)
      server?.connection?.terminate()
      pass(200)
      return client.lines
    })
    expect(ends).toEqual([
      ["open hawser.1", "a".repeat(26), "b".repeat(26), "closed 1006"],
      ["open hawser.1", "closed 1006"],
    ])
  })

  it("buffers for a paused reader, and makes the sender wait when the window is full", () => {
    const { client } = dial(networkIn({ windowBytes: 20 }))
    pass(20)
    atServer[0]?.connection?.pause()
    for (const text of ["aaaaaa", "bbbbbb", "cccccc"]) send(client, text)
    pass(100)
    expect([client.connection?.bufferedBytes, atServer[0]?.lines]).toEqual([10, []])
    atServer[0]?.connection?.resume()
    pass(100)
    expect(atServer[0]?.lines).toEqual(["aaaaaa", "bbbbbb", "cccccc"])
  })
})

describe("a hostile network", () => {
  it("cuts at any byte, and never delivers a part", () => {
    for (let bytes = 0; bytes <= 30; bytes += 1) {
      const { client, socket } = dial(networkIn())
      pass(20)
      socket.cutAfter("client", bytes, { clientInMs: 0, serverInMs: 0 })
      for (const text of ["abcdef", "ghijkl", "mnopqr"]) send(client, text)
      pass(40)
      const whole = ["abcdef", "ghijkl", "mnopqr"].slice(0, Math.floor(bytes / 10))
      const ends = bytes <= 30 ? ["closed 1006"] : []
      expect(atServer.at(-1)?.lines, `cut after ${bytes}`).toEqual([...whole, ...ends])
      expect(client.lines.at(-1)).toBe("closed 1006")
    }
  })

  it("leaves one end open when it loses the other", () => {
    const { client, socket } = dial(networkIn())
    pass(20)
    socket.lose({ clientInMs: undefined, serverInMs: 5 })
    pass(10_000)
    expect([send(client, "a"), client.lines, atServer[0]?.lines]).toEqual([
      true,
      ["open hawser.1"],
      ["closed 1006"],
    ])
  })

  it("drops one direction and carries the other", () => {
    const { client, socket } = dial(networkIn())
    pass(20)
    socket.pipeFrom("client").swallow()
    send(client, "a")
    send(atServer[0], "b")
    pass(1_000)
    expect([client.lines.at(-1), atServer[0]?.lines]).toEqual(["b", ["drained"]])
  })

  it("delays blocked bytes and delivers them in order", () => {
    const { client, socket } = dial(networkIn())
    pass(20)
    socket.pipeFrom("client").block()
    for (const text of ["a", "b"]) send(client, text)
    pass(1_000)
    expect(atServer[0]?.lines).toEqual([])
    socket.pipeFrom("client").unblock()
    send(client, "c")
    pass(20)
    expect(atServer[0]?.lines).toEqual(["a", "b", "c"])
  })

  it("delivers the messages sent before a terminated socket's end, and then its end", () => {
    const { client } = dial(networkIn())
    pass(20)
    send(client, "a")
    client.connection?.terminate()
    expect(client.lines.at(-1)).toBe("closed 1006")
    pass(20)
    expect(atServer[0]?.lines).toEqual(["a", "closed 1006"])
  })

  it("refuses dials, loses them, and refuses them without a server", () => {
    const refused = dial(networkIn({ refusedShare: 1 })).client
    const lost = dial(networkIn({ lostShare: 1 })).client
    const network = networkIn()
    network.stopServing()
    const absent = dial(network).client
    pass(10_000)
    expect([refused.lines, lost.lines, absent.lines]).toEqual([["closed 1006"], [], ["closed 1006"]])
  })
})

describe("a frozen process", () => {
  it("receives delayed messages in order after the thaw, and its timers wait", () => {
    const { client } = dial(networkIn())
    pass(20)
    const fired: number[] = []
    page.schedule(10, () => fired.push(page.now()))
    page.freeze({ stopsClock: true, answersPings: true })
    atServer[0]?.connection?.ping?.()
    for (const text of ["a", "b"]) send(atServer[0], text)
    pass(500)
    expect([client.lines, fired, atServer[0]?.lines]).toEqual([["open hawser.1"], [], ["drained", "pong"]])
    page.thaw()
    pass(10)
    expect([client.lines, fired]).toEqual([["open hawser.1", "a", "b"], [20]])
  })
})

describe("a line that loses segments", () => {
  it("delivers everything in order, late: each loss of a segment doubles its delay, and later ones wait", () => {
    const { client } = dial(networkIn({ segmentLossShare: 0.5 }))
    const texts = Array.from({ length: 26 }, (_, index) => String.fromCharCode(97 + index))
    const arrivedAtMs: number[] = []
    pass(250_000)
    const openedAtMs = clock.now()
    for (const text of texts) {
      send(client, text)
      pass(10)
    }
    const told = atServer[0]
    while (arrivedAtMs.length < texts.length) {
      clock.step()
      while (arrivedAtMs.length < (told?.lines.length ?? 0)) arrivedAtMs.push(clock.now())
    }
    expect(told?.lines).toEqual(texts)
    const lateMs = arrivedAtMs.map((atMs, index) => atMs - openedAtMs - 10 * index - 10)
    // Of 26 segments about half are lost once, and all that were sent within the delay wait, too.
    expect(lateMs.filter((ms) => ms >= 200).length).toBeGreaterThan(5)
    expect(lateMs.every((ms) => ms >= 0)).toBe(true)
  })

  it("spreads the latency to either side, and keeps the order", () => {
    const { client } = dial(networkIn({ jitterMs: 9 }))
    pass(100)
    for (const text of ["a", "b", "c"]) send(client, text)
    pass(20)
    expect(atServer[0]?.lines).toEqual(["a", "b", "c"])
  })
})

describe("a throttled process", () => {
  it("runs its timers at whole minutes, those of messages at whole seconds, and all at once when it is over", () => {
    const { client } = dial(networkIn())
    pass(20)
    const fired: string[] = []
    const chain = (): void => {
      fired.push(`chained ${page.now()}`)
      page.schedule(100, chain)
    }
    for (let count = 0; count < 3; count += 1) page.schedule(100 + count, () => {})
    page.throttle({ chainedMs: 60_000, freshMs: 1_000 })
    page.schedule(100, chain)
    pass(100_000)
    // The first five of a chain have only a short delay.
    expect(fired).toEqual([1, 2, 3, 4, 5, 60].map((second) => `chained ${second * 1_000}`))
    page.schedule(500, () => fired.push(`fresh ${page.now()}`))
    send(atServer[0], "a")
    pass(15)
    expect(client.lines.at(-1)).toBe("a")
    pass(1_000)
    expect(fired.at(-1)).toBe("fresh 101000")
    page.throttle(undefined)
    pass(1)
    expect(fired.at(-1)).toBe(`chained ${101_035}`)
  })

  it("does not run a timer that is cancelled while it is throttled", () => {
    page.throttle({ chainedMs: 60_000, freshMs: 60_000 })
    const fired: number[] = []
    const cancel = page.schedule(10, () => fired.push(page.now()))
    pass(20)
    cancel()
    page.throttle(undefined)
    pass(100_000)
    expect(fired).toEqual([])
  })
})
