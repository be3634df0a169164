// Simulates a hostile network between real clients and a real server on virtual time. Faults of sockets occur at any byte and
// are drawn from a seed. Each process has its own clock and can be frozen. It has no bound but the test's memory.
// Must not know the meaning of the bytes.
import type { Clock } from "../base/clock.ts"
import type { Accept, Connection, Dial, DialEvents } from "../transport.ts"
import { chooseProfile, subprotocol } from "../wire/version.ts"
import type { Line } from "./simulated-pipe.ts"
import type { SimulatedProcess } from "./simulated-process.ts"
import { SimulatedSocket } from "./simulated-socket.ts"
import type { EndTraits, NetworkWatch } from "./simulated-socket.ts"

/** Conditions of new sockets. Shares are from 0 to 1, times are distributed evenly from least to most. */
export interface Weather {
  /** Latency of one direction, in milliseconds. */
  latencyMs: { readonly least: number; readonly most: number }
  /** Time of a dial in addition to the latency, in milliseconds: a later dial may arrive first. */
  dialMs: { readonly least: number; readonly most: number }
  /** Share of dials that are refused. */
  refusedShare: number
  /** Share of dials without any event. */
  lostShare: number
  /** Share of terminated sockets that send a reset, which discards bytes that the peer has not read yet. */
  resetShare: number
  /** Share of sockets on a slow line. */
  slowShare: number
  /** Rate of a slow line, in bytes per millisecond. */
  slowBytesPerMs: number
  /** Bytes in flight or unread before the sender must wait. */
  windowBytes: number
  /** Bytes that a sender's kernel buffers before the line carries them; on Linux up to megabytes. */
  sendBufferBytes: number
  /** Variation of each line's latency to either side, in milliseconds. */
  jitterMs: number
  /** Share of segments that a line loses. */
  segmentLossShare: number
}

/** Defaults of `Weather`: short latency, no losses. */
export const fairWeather: Weather = {
  latencyMs: { least: 1, most: 5 },
  dialMs: { least: 1, most: 5 },
  refusedShare: 0,
  lostShare: 0,
  resetShare: 0.5,
  slowShare: 0,
  slowBytesPerMs: 1,
  windowBytes: 64 * 1024,
  sendBufferBytes: 0,
  jitterMs: 0,
  segmentLossShare: 0,
}

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly weather?: Partial<Weather>
  readonly watch?: NetworkWatch
  readonly traits?: EndTraits
}

interface Dialler {
  readonly process: SimulatedProcess
  readonly address: string
  readonly protocols: readonly string[]
  readonly events: DialEvents
}

export class SimulatedNetwork {
  readonly weather: Weather
  readonly #clock: Clock
  readonly #random: () => number
  readonly #watch: NetworkWatch
  readonly #traits: EndTraits
  readonly #sockets = new Set<SimulatedSocket>()
  #dials = 0
  #server: { readonly process: SimulatedProcess; readonly accept: Accept } | undefined

  constructor({ clock, random, weather, watch = {}, traits = {} }: SimulatedNetworkOptions) {
    this.#clock = clock
    this.#random = random
    this.#traits = traits
    this.#watch = {
      dialled: (socket) => watch.dialled?.(socket),
      sent: (socket, side, bytes) => watch.sent?.(socket, side, bytes),
      delivered: (socket, side, bytes) => watch.delivered?.(socket, side, bytes),
      closing: (socket, side, code) => watch.closing?.(socket, side, code),
      cut: (socket, side, bytes) => watch.cut?.(socket, side, bytes),
      closed: (socket, side, code) => {
        watch.closed?.(socket, side, code)
        const { state } = socket.peerOf(side)
        if (state === "closed" || state === "connecting") this.#sockets.delete(socket)
      },
    }
    this.weather = { ...fairWeather, ...weather }
  }

  /** Sockets with at least one end that is not closed, oldest first. */
  get sockets(): ReadonlySet<SimulatedSocket> {
    return this.#sockets
  }

  /** Connects later dials to this server. */
  serve(process: SimulatedProcess, accept: Accept): void {
    this.#server = { process, accept }
  }

  /** Refuses later dials. */
  stopServing(): void {
    this.#server = undefined
  }

  /** Returns the dial function of one process. */
  dialFrom(process: SimulatedProcess, address: string): Dial {
    return (_url, protocols, events) => this.#dial({ process, address, protocols, events })
  }

  #dial(from: Dialler): Connection {
    this.#dials += 1
    const socket = new SimulatedSocket({
      clock: this.#clock,
      number: this.#dials,
      client: from.process,
      watch: this.#watch,
      server: this.#server?.process ?? from.process,
      line: () => this.#line(),
      random: this.#random,
      traits: this.#traits,
      isAbrupt: () => this.#random() < this.weather.resetShare,
    })
    this.#sockets.add(socket)
    this.#watch.dialled?.(socket)
    socket.client.bind(from.events, () => {
      from.events.open(chooseProfile(from.protocols) === "hawser.1" ? subprotocol : "")
    })
    const chance = this.#random()
    const { refusedShare, lostShare, dialMs } = this.weather
    if (chance < lostShare) return socket.client
    const delayMs = this.#between(dialMs)
    this.#clock.schedule(delayMs, () => {
      if (chance < lostShare + refusedShare) socket.client.lose()
      else this.#arrive(socket, from)
    })
    return socket.client
  }

  #arrive(socket: SimulatedSocket, { address, protocols }: Dialler): void {
    const server = this.#server
    const profile = chooseProfile(protocols)
    if (server === undefined || profile === undefined) {
      socket.client.lose()
      return
    }
    server.process.run(() => {
      // A socket that was lost in transit is not accepted.
      if (this.#server !== server || socket.server.state !== "connecting") {
        socket.client.lose()
        return
      }
      // A dial that the client has closed is accepted, too; its end follows.
      const isAbandoned = socket.client.state === "closed"
      this.#sockets.add(socket)
      socket.server.open()
      socket.server.bind(server.accept({ connection: socket.server, profile, address }))
      if (isAbandoned) this.#clock.schedule(this.#between(this.weather.latencyMs), () => socket.server.lose())
      socket.pipeFrom("server").push({ kind: "open" })
    })
  }

  #line(): Line {
    const { latencyMs, slowShare, slowBytesPerMs, windowBytes, sendBufferBytes } = this.weather
    const { jitterMs, segmentLossShare: lossShare } = this.weather
    const bytesPerMs = this.#random() < slowShare ? slowBytesPerMs : 0
    return {
      latencyMs: this.#between(latencyMs),
      bytesPerMs,
      windowBytes,
      sendBufferBytes,
      jitterMs,
      lossShare,
    }
  }

  #between({ least, most }: { readonly least: number; readonly most: number }): number {
    return least + this.#random() * (most - least)
  }
}
