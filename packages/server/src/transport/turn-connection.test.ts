import { outbound } from "@hawser/protocol/core"
import type { OutboundMessage, ServerConnection } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { beforeEach, describe, expect, it } from "vitest"
import { Turn } from "./turn.ts"
import { TurnConnection, acceptInTurn } from "./turn-connection.ts"

/** A socket that records what reaches it. */
class Socket implements ServerConnection {
  isOpen = true
  bufferedBytes = 0
  readonly log: string[] = []

  send({ bytes }: OutboundMessage): boolean {
    this.log.push(`send ${bytes.join(" ")}`)
    return this.isOpen
  }
  close(code: number, reason: string): void {
    this.log.push(`close ${code} ${reason}`)
    this.isOpen = false
  }
  terminate(): void {
    this.log.push("terminate")
    this.isOpen = false
  }
  pause(): void {
    this.log.push("pause")
  }
  resume(): void {
    this.log.push("resume")
  }
  ping(): void {
    this.log.push("ping")
  }
}

const message = (...bytes: number[]): OutboundMessage => outbound(Uint8Array.from(bytes))

let clock: SimulatedClock
let socket: Socket
let errors: unknown[]
let openGate: (() => void) | undefined
let closeGate: ((error: unknown) => void) | undefined
let turn: Turn
let connection: TurnConnection

beforeEach(() => {
  clock = new SimulatedClock()
  socket = new Socket()
  errors = []
  turn = new Turn({ clock, onError: (error) => errors.push(error) })
  connection = new TurnConnection(socket, turn)
})

/** Replaces the turn by one whose gate waits for the test. */
function waitAtGate(): void {
  const gate = {
    kept: Number.POSITIVE_INFINITY,
    pass: () =>
      new Promise<void>((resolve, reject) => {
        openGate = resolve
        closeGate = reject
      }),
  }
  turn = new Turn({ clock, gate, onError: (error) => errors.push(error) })
  connection = new TurnConnection(socket, turn)
}

describe("the output of a connection of server.accept", () => {
  it("leaves at the end of the turn, in the order of acceptance", async () => {
    expect(connection.send(message(1))).toBe(true)
    connection.ping()
    expect(connection.send(message(2, 3))).toBe(true)
    connection.close(4000, "done")
    expect(socket.log).toEqual([])
    expect(connection.bufferedBytes).toBe(3)
    await clock.settle()
    expect(socket.log).toEqual(["send 1", "ping", "send 2 3", "close 4000 done"])
    expect(connection.bufferedBytes).toBe(0)
  })

  it("waits at the gate, and later output waits for the next turn", async () => {
    waitAtGate()
    connection.send(message(1))
    await clock.settle()
    connection.send(message(2))
    await clock.settle()
    expect(socket.log).toEqual([])
    expect(connection.bufferedBytes).toBe(2)
    openGate?.()
    await clock.settle()
    expect(socket.log).toEqual(["send 1"])
    openGate?.()
    await clock.settle()
    expect(socket.log).toEqual(["send 1", "send 2"])
  })

  it("leaves at once if it is a ping, or a message without state, also while a turn is at the gate", async () => {
    expect(connection.sendAhead(() => message(9))).toBe(false)
    waitAtGate()
    connection.send(message(1))
    connection.ping()
    await clock.settle()
    expect(connection.sendAhead(() => message(8))).toBe(true)
    expect(socket.log).toEqual(["ping", "send 8"])
    connection.close(4000, "")
    expect(connection.sendAhead(() => message(7))).toBe(false)
    connection.ping()
    expect(socket.log).toEqual(["ping", "send 8"])
  })

  it("is dropped with a terminated connection, sealed output too", async () => {
    waitAtGate()
    connection.send(message(1))
    await clock.settle()
    connection.send(message(2))
    connection.terminate()
    openGate?.()
    await clock.settle()
    openGate?.()
    await clock.settle()
    expect(socket.log).toEqual(["terminate"])
  })

  it("is never written if the gate rejects its turn; the connection is terminated", async () => {
    waitAtGate()
    connection.send(message(1))
    await clock.settle()
    closeGate?.(new Error("disk full"))
    await clock.settle()
    expect(socket.log).toEqual(["terminate"])
    expect(String(errors[0])).toContain("disk full")
  })

  it("is refused at once after close, and for a socket that is dead", () => {
    socket.isOpen = false
    expect(connection.send(message(1))).toBe(false)
    socket.isOpen = true
    connection.close(4000, "")
    expect(connection.isOpen).toBe(false)
    expect(connection.send(message(2))).toBe(false)
  })

  it("has an owner that pauses the socket at once", () => {
    connection.pause()
    connection.resume()
    expect(socket.log).toEqual(["pause", "resume"])
  })
})

it("acceptInTurn gives the session the connection behind the turn", async () => {
  let accepted: ServerConnection | undefined
  const accept = acceptInTurn(({ connection: own }) => {
    accepted = own
    return { message() {}, text() {}, drained() {}, pong() {}, closed() {} }
  }, turn)
  accept({ connection: socket, profile: "hawser.1", address: "here" })
  accepted?.send(message(7))
  expect(socket.log).toEqual([])
  await clock.settle()
  expect(socket.log).toEqual(["send 7"])
})
