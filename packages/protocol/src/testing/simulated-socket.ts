// Simulates one socket: two ends and the two streams between them. Ends behave like WebSockets of a browser or of a Node
// server. The owner of the socket causes faults of the streams. Must not know the meaning of the bytes.
import type { Clock } from "../base/clock.ts"
import type { ConnectionEvents, OutboundMessage, ServerConnection } from "../transport.ts"
import { SimulatedPipe } from "./simulated-pipe.ts"
import type { Line, PipeItem } from "./simulated-pipe.ts"
import type { SimulatedProcess } from "./simulated-process.ts"

export type Side = "client" | "server"

/** Observer of a network. It must not change anything. */
export interface NetworkWatch {
  /** A client dials; the socket is not open yet. */
  dialled?(socket: SimulatedSocket): void
  /** The sending end has accepted a message. */
  sent?(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void
  /** A message is about to be delivered to the owner of the receiving end. */
  delivered?(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void
  /** The owner of this end closes the socket; code 1006: it terminates it. */
  closing?(socket: SimulatedSocket, side: Side, code: number): void
  /** The owner of this end is about to receive `closed`. */
  closed?(socket: SimulatedSocket, side: Side, code: number): void
  /** The stream from this side was cut in the middle of this message. */
  cut?(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void
}

/** Bytes that a network stack buffers for a frozen process. At capacity it stops reading. */
const frozenInboxBytes = 16 * 1024

/** Behaviour of the ends of all sockets of a network. */
export interface EndTraits {
  /** True: each end records its messages in `sent`, without a bound. Default false. */
  readonly keepsSent?: boolean
  /**
   * True: clients send bytes at the end of a turn, and `drained` follows, as on the server's sockets.
   * Default false: bytes are sent at once without an event, as in a browser.
   */
  readonly clientsDrain?: boolean
}

interface EndOptions {
  readonly socket: SimulatedSocket
  readonly side: Side
  readonly clock: Clock
  readonly owner: SimulatedProcess
  readonly watch: NetworkWatch
  readonly traits: EndTraits
}

type EndState = "connecting" | "open" | "closing" | "closed"

export class SimulatedEnd implements ServerConnection {
  readonly #options: EndOptions
  readonly #frozenInbox: PipeItem[] = []
  #frozenInboxBytes = 0
  #state: EndState = "connecting"
  #events: ConnectionEvents | undefined
  #onOpen: () => void = () => {}
  #isPaused = false
  #isDropped = false
  #refusesSends = false
  /** Messages that this end has sent, in order; empty unless `keepsSent`. */
  readonly sent: Uint8Array[] = []
  #stopListening: () => void

  constructor(options: EndOptions) {
    this.#options = options
    this.#stopListening = options.owner.onThaw(() => this.#onThaw())
  }

  get state(): EndState {
    return this.#state
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  bind(events: ConnectionEvents, onOpen: () => void = () => {}): void {
    this.#events = events
    this.#onOpen = onOpen
  }

  open(): void {
    if (this.#state === "connecting") this.#state = "open"
  }

  // --- for the owner --------------------------------------------------------------------------------------------

  get isOpen(): boolean {
    return this.#state === "open" && !this.#refusesSends
  }

  get bufferedBytes(): number {
    return this.#outgoing.bufferedBytes
  }

  send(message: OutboundMessage): boolean {
    const { socket, side, watch, traits } = this.#options
    if (!this.isOpen) return false
    watch.sent?.(socket, side, message.bytes)
    if (traits.keepsSent === true) this.sent.push(message.bytes)
    this.#outgoing.push({ kind: "message", bytes: message.bytes })
    return true
  }

  close(code: number, reason: string): void {
    if (this.#state === "connecting") this.terminate()
    if (this.#state !== "open") return
    const { socket, side, watch } = this.#options
    watch.closing?.(socket, side, code)
    this.#outgoing.push({ kind: "close", code, reason })
    this.#state = "closing"
  }

  terminate(): void {
    if (this.#state === "closed" || this.#isDropped) return
    const { side, clock, socket, watch } = this.#options
    this.#isDropped = true
    watch.closing?.(socket, side, 1006)
    this.#outgoing.forget()
    if (socket.isAbrupt()) this.#outgoing.reset(() => socket.peerOf(side).lose())
    else this.#outgoing.push({ kind: "end" })
    this.#state = "closing"
    // In a browser the transport calls `closed` at once; on a server it follows in a later event.
    if (side === "client") this.#end(1006, "")
    else clock.schedule(0, () => this.#end(1006, ""))
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#incoming.wake()
  }

  ping(): void {
    if (this.#state === "open") this.#outgoing.push({ kind: "ping" })
  }

  // --- for tests ------------------------------------------------------------------------------------------------

  /** Sends a text message, which no profile uses. */
  sendText(): void {
    if (this.#state === "open") this.#outgoing.push({ kind: "text" })
  }

  /** True: later messages of this end stay buffered; a reset still arrives. False: the buffer is sent. */
  stall(isStalled: boolean): void {
    this.#outgoing.stall(isStalled)
  }

  /** Makes every later `send` return false, as on a dead socket before its `closed` event. */
  refuseSends(): void {
    this.#refusesSends = true
  }

  // --- for the network ------------------------------------------------------------------------------------------

  get isReading(): boolean {
    const { owner } = this.#options
    if (this.#events === undefined || this.#isPaused) return false
    return !owner.isFrozen || (owner.answersPings && this.#frozenInboxBytes < frozenInboxBytes)
  }

  receive(item: PipeItem): void {
    const { owner } = this.#options
    if (item.kind === "ping" && this.#state !== "connecting") {
      if (this.#state === "open") this.#outgoing.push({ kind: "pong" })
    } else if (owner.isFrozen || this.#frozenInbox.length > 0) {
      this.#frozenInbox.push(item)
      this.#frozenInboxBytes += item.kind === "message" ? item.bytes.length : 0
    } else {
      this.#dispatch(item)
    }
  }

  drained(): void {
    const { side, owner, traits } = this.#options
    if (side === "client" && traits.clientsDrain !== true) return
    if (this.#state === "open") owner.run(() => this.#events?.drained())
  }

  /** Loses the socket. Its owner receives `closed` as soon as its process runs. */
  lose(): void {
    this.#outgoing.swallow()
    this.#options.owner.run(() => this.#end(1006, ""))
  }

  #dispatch(item: PipeItem): void {
    const { socket, side, watch } = this.#options
    switch (item.kind) {
      case "open":
        if (this.#state !== "connecting") return
        this.#state = "open"
        this.#onOpen()
        return
      case "message":
        // A browser delivers no messages to a page after its `close`.
        if (this.#state !== "open" && side === "client") return
        if (this.#events === undefined) return
        watch.delivered?.(socket, side, item.bytes)
        this.#events.message(item.bytes)
        return
      case "text":
        this.#events?.text()
        return
      case "pong":
        this.#events?.pong()
        return
      case "close":
        if (this.#state === "open") this.#outgoing.push(item)
        this.#end(item.code, item.reason)
        return
      case "end":
        this.lose()
        return
      case "ping":
    }
  }

  #onThaw(): void {
    const { clock, owner } = this.#options
    if (this.#frozenInbox.length === 0) {
      this.#incoming.wake()
      return
    }
    clock.schedule(0, () =>
      owner.run(() => {
        this.#frozenInboxBytes = 0
        for (const item of this.#frozenInbox.splice(0)) this.#dispatch(item)
        this.#incoming.wake()
      }),
    )
  }

  #end(code: number, reason: string): void {
    const { socket, side, watch } = this.#options
    const events = this.#events
    this.#state = "closed"
    this.#events = undefined
    this.#stopListening()
    this.#frozenInbox.length = 0
    this.#incoming.stop()
    if (events === undefined) return
    watch.closed?.(socket, side, code)
    events.closed(code, reason)
  }

  get #outgoing(): SimulatedPipe {
    return this.#options.socket.pipeFrom(this.#options.side)
  }

  get #incoming(): SimulatedPipe {
    return this.#options.socket.pipeTo(this.#options.side)
  }
}

export interface SocketOptions {
  readonly clock: Clock
  readonly number: number
  readonly client: SimulatedProcess
  readonly server: SimulatedProcess
  readonly watch: NetworkWatch
  readonly line: () => Line
  /** Random draws for a line's jitter and loss. */
  readonly random: () => number
  /** Returns true if the next terminated socket sends a reset; false: its end follows the sent bytes. */
  readonly isAbrupt: () => boolean
  readonly traits: EndTraits
}

/** Delays until the two ends receive `closed`, in milliseconds; undefined: the end receives none. */
export interface Loss {
  readonly clientInMs: number | undefined
  readonly serverInMs: number | undefined
}

/** One socket of a simulated network. */
export class SimulatedSocket {
  /** Number of the dial in its network. */
  readonly number: number
  readonly clientProcess: SimulatedProcess
  readonly isAbrupt: () => boolean
  readonly client: SimulatedEnd
  readonly server: SimulatedEnd
  readonly #clock: Clock
  readonly #up: SimulatedPipe
  readonly #down: SimulatedPipe
  #atCut: Loss = { clientInMs: 0, serverInMs: 0 }

  constructor(options: SocketOptions) {
    const { clock, number, watch, traits } = options
    this.#clock = clock
    this.number = number
    this.clientProcess = options.client
    this.isAbrupt = options.isAbrupt
    const both = { socket: this, clock, watch, traits }
    this.client = new SimulatedEnd({ ...both, side: "client", owner: options.client })
    this.server = new SimulatedEnd({ ...both, side: "server", owner: options.server })
    const pipe = (from: SimulatedEnd, to: SimulatedEnd, corks: boolean): SimulatedPipe =>
      new SimulatedPipe({
        clock,
        random: options.random,
        line: options.line(),
        isReading: () => to.isReading,
        receive: (item) => to.receive(item),
        onDrained: () => from.drained(),
        onCut: (item) => {
          if (item?.kind === "message")
            watch.cut?.(this, from === this.client ? "client" : "server", item.bytes)
          this.lose(this.#atCut)
        },
        corks,
      })
    this.#up = pipe(this.client, this.server, traits.clientsDrain === true)
    this.#down = pipe(this.server, this.client, true)
  }

  /** True while both ends are open. */
  get isOpen(): boolean {
    return this.client.state === "open" && this.server.state === "open"
  }

  /** True if the bytes of one or both directions are dropped. */
  get isBroken(): boolean {
    return this.#up.isBlackHole || this.#down.isBlackHole
  }

  pipeFrom(side: Side): SimulatedPipe {
    return side === "client" ? this.#up : this.#down
  }

  pipeTo(side: Side): SimulatedPipe {
    return side === "client" ? this.#down : this.#up
  }

  peerOf(side: Side): SimulatedEnd {
    return side === "client" ? this.server : this.client
  }

  /** Drops all bytes of both directions, and closes the ends after the delays. */
  lose(loss: Loss): void {
    this.#up.swallow()
    this.#down.swallow()
    const { clientInMs, serverInMs } = loss
    if (clientInMs !== undefined) this.#clock.schedule(clientInMs, () => this.client.lose())
    if (serverInMs !== undefined) this.#clock.schedule(serverInMs, () => this.server.lose())
  }

  /** Loses the socket after this many further bytes from this side have arrived. */
  cutAfter(side: Side, bytes: number, loss: Loss): void {
    this.#atCut = loss
    this.pipeFrom(side).cutAfter(bytes)
  }
}
