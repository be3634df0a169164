// A hostile network between real clients and a real server, on virtual time: every fault that a socket can suffer, at
// the byte, each drawn from a seed. Processes are apart: each has its clock and may be frozen.
// Knows nothing of what the bytes mean.
import type { Clock } from "../base/clock.ts"
import type { Accept, Connection, Dial, DialEvents } from "../transport.ts"
import { chooseProfile, subprotocol } from "../wire/version.ts"
import type { Line } from "./simulated-pipe.ts"
import type { SimulatedProcess } from "./simulated-process.ts"
import { SimulatedSocket } from "./simulated-socket.ts"
import type { EndTraits, NetworkWatch } from "./simulated-socket.ts"

/** What new sockets meet. Shares are from 0 to 1, times have an even spread from least to most. */
export interface Weather {
  latencyMs: { readonly least: number; readonly most: number }
  /** Time until a dial is through, beside the latency: a later dial may well arrive first. */
  dialMs: { readonly least: number; readonly most: number }
  /** Dials that are refused, and dials of which nothing is ever heard. */
  refusedShare: number
  lostShare: number
  /** Sockets that are dropped by their owner with a reset, which overtakes what the peer has not read yet. */
  resetShare: number
  /** Sockets on a slow line, and its speed. */
  slowShare: number
  slowBytesPerMs: number
  windowBytes: number
  /** Bytes that a sender's kernel takes before the line carries them: Linux lets it grow to megabytes. */
  sendBufferBytes: number
  /** Spread of each line's latency to either side, and the share of segments that it loses. */
  jitterMs: number
  segmentLossShare: number
}

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

  /** Sockets of which at least one end does not know that they are over, oldest first. */
  get sockets(): ReadonlySet<SimulatedSocket> {
    return this.#sockets
  }

  /** From now on dials reach this server. */
  serve(process: SimulatedProcess, accept: Accept): void {
    this.#server = { process, accept }
  }

  /** From now on dials are refused. */
  stopServing(): void {
    this.#server = undefined
  }

  /** How one process dials. */
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
      // Nobody answers a socket that was lost on its way.
      if (this.#server !== server || socket.server.state !== "connecting") {
        socket.client.lose()
        return
      }
      // A dial that was given up is accepted all the same, and its end follows.
      const isGivenUp = socket.client.state === "closed"
      this.#sockets.add(socket)
      socket.server.open()
      socket.server.bind(server.accept({ connection: socket.server, profile, address }))
      if (isGivenUp) this.#clock.schedule(this.#between(this.weather.latencyMs), () => socket.server.lose())
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
