// Watches every message on the simulated network. Checks the invariants S3, S6, S10 and S13 as far as bytes show them,
// and detects most of the rare states. It reads only the necessary bytes of a message: the first byte, sometimes the
// first number.
import { defaultClientLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec, frameByte } from "@hawser/protocol/core"
import type { NetworkWatch, Side, SimulatedSocket } from "@hawser/protocol/testing"
import { runningAt } from "./session-book.ts"
import type { RequestBook } from "./request-book.ts"
import type { SessionBook, SessionRecord } from "./session-book.ts"
import type { Seen } from "./sometimes.ts"
import { Violation } from "./trace.ts"
import type { Trace } from "./trace.ts"

/** State of a client that the watch reads from its process. */
export interface WatchedClient {
  readonly index: number
  /** "open" while the application sees no gap. */
  readonly status: () => string
  readonly handled: () => number
  /** Time of the last thaw after a freeze that counts as a sleep. */
  readonly wokeAtMs: () => number
  /** True while its timers run once a minute. */
  readonly isHidden: () => boolean
}

export interface WireWatchOptions {
  readonly book: SessionBook
  readonly requests: RequestBook
  readonly seen: Seen
  readonly trace: Trace
  readonly nowMs: () => number
  readonly clientOf: (socket: SimulatedSocket) => WatchedClient | undefined
  /** True if output may leave long after it arose. */
  readonly holdsOutput: boolean
  /** True for a socket with a forged or foreign claim. */
  readonly isForged: (socket: SimulatedSocket) => boolean
}

interface Link {
  readonly socket: SimulatedSocket
  hello: Uint8Array | undefined
  session: SessionRecord | undefined
  resumed: boolean
  welcomeDelivered: boolean
  welcomeAtMs: number
  /** Reliable messages that the server sent together with WELCOME, and number of reliable ones that arrived. */
  replayed: number
  arrived: number
  acksUnderWay: number
  /** Reliable messages of the client: received by the server at WELCOME, and sent since. */
  before: number
  since: number
  /** Handled messages of the client, as in WELCOME. */
  handled: number
  /** Before this time the server need not request another token. */
  nextTokenAtMs: number
}

interface SessionWire {
  link: Link
  /** Number of the client's last reliable message that was written to any connection. */
  head: number
  /** Highest acknowledgement that each end has received. */
  ackedAtClient: number
  ackedAtServer: number
  /** WELCOMEs in a row that the client never received. */
  lostWelcomes: number
  readonly replies: Set<number>
}

const codec = createFrameCodec(new TypeTable(), defaultClientLimits.message)

export class WireWatch implements NetworkWatch {
  readonly #options: WireWatchOptions
  readonly #links = new Map<SimulatedSocket, Link>()
  readonly #sessions = new Map<SessionRecord, SessionWire>()
  #acks = 0
  /** Sockets that their client has abandoned. */
  readonly #abandoned = new Set<SimulatedSocket>()
  /** The socket of each client's last HELLO. */
  readonly #newest = new Map<WatchedClient, SimulatedSocket>()

  constructor(options: WireWatchOptions) {
    this.#options = options
  }

  /** The client's last HELLO, for a copy by a thief. */
  lastHelloOf(client: WatchedClient): Uint8Array | undefined {
    const socket = this.#newest.get(client)
    return socket === undefined ? undefined : this.#links.get(socket)?.hello
  }

  /** Reading a client's counts costs more than all other checks of an acknowledgement. */
  #isSample(): boolean {
    this.#acks += 1
    return this.#acks % 4 === 0
  }

  #link(socket: SimulatedSocket): Link {
    const known = this.#links.get(socket)
    if (known !== undefined) return known
    const link: Link = {
      socket,
      hello: undefined,
      session: undefined,
      resumed: false,
      welcomeDelivered: false,
      welcomeAtMs: 0,
      replayed: 0,
      arrived: 0,
      acksUnderWay: 0,
      before: 0,
      since: 0,
      handled: 0,
      nextTokenAtMs: 0,
    }
    this.#links.set(socket, link)
    return link
  }

  sent(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void {
    const link = this.#link(socket)
    const byte = bytes[0] ?? 0xff
    this.#options.trace.add(socket.number, side === "client" ? "→" : "←", "sent", nameOf(byte), bytes.length)
    if (byte === frameByte.ack) link.acksUnderWay += 1
    if (side === "client") this.#sentByClient(link, byte, bytes)
    else this.#sentByServer(link, byte, bytes)
  }

  delivered(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void {
    const { seen, trace } = this.#options
    const link = this.#link(socket)
    const byte = bytes[0] ?? 0xff
    trace.add(socket.number, side === "client" ? "←" : "→", "got", nameOf(byte), bytes.length)
    if (byte === frameByte.ack) link.acksUnderWay -= 1
    if (byte === frameByte.sync) seen.saw("syncCompared")
    const told = byte === frameByte.ack ? numberAt(bytes, 0) : isProbe(byte) ? numberAt(bytes, 1) : 0
    const wire = link.session === undefined ? undefined : this.#sessions.get(link.session)
    if (side === "client") {
      if ((byte & 0xc0) === 0x40) link.arrived += 1
      if (byte === frameByte.welcome) this.#welcomed(link)
      const said = byte === frameByte.welcome ? link.handled : told
      if (wire !== undefined) wire.ackedAtClient = Math.max(wire.ackedAtClient, said)
      return
    }
    if (wire !== undefined) wire.ackedAtServer = Math.max(wire.ackedAtServer, told)
    if (byte === frameByte.hello && socket.client.state === "closed") seen.saw("lateHelloArrived")
    if (link.session === undefined || wire?.link !== link) return
    if ((byte & 0xc0) === 0x40) link.session.received += 1
    // A closing server accepts no messages.
    const isHeard = socket.server.state === "open"
    if (isHeard && (byte === frameByte.request || byte === frameByte.void)) this.#asked(link, bytes)
  }

  /** A request, or a VOID, reached its session. */
  #asked({ socket }: Link, bytes: Uint8Array): void {
    const { clientOf, requests } = this.#options
    const client = clientOf(socket)
    const frame = codec.decode(bytes, 0)
    if (frame.kind === "void" && client !== undefined) requests.namedVoid(client.index)
    if (frame.kind === "request") requests.arrived(idOf(frame.payload))
  }

  cut(socket: SimulatedSocket, side: Side, bytes: Uint8Array): void {
    const { seen, trace } = this.#options
    const byte = bytes[0] ?? 0xff
    trace.add(socket.number, "cut in the middle of", nameOf(byte), "from", side)
    if (byte === frameByte.welcome) seen.saw("cutInsideWelcome")
    if ((byte & 0xc0) === 0x40) seen.saw("cutInsideReliable")
  }

  closing(socket: SimulatedSocket, side: Side, code: number): void {
    const { seen, trace } = this.#options
    trace.add(socket.number, side, "closes", code)
    if (side === "client" && socket.client.state === "connecting") seen.saw("dialTimedOut")
    this.#abandoned.add(socket)
    if (socket.isBroken && code === 1006) {
      if (side === "client" && socket.client.state === "open") seen.saw("halfOpenFoundByClient")
      if (side === "server" && socket.server.state === "open") seen.saw("halfOpenFoundByServer")
    }
    if (side === "server" && code === 4408) seen.saw("frozenReaderDropped")
    const session = this.#links.get(socket)?.session
    if (side === "server" && code === 4401 && session !== undefined) session.expiredToken = true
  }

  closed(socket: SimulatedSocket, side: Side, code: number): void {
    const { seen, trace } = this.#options
    trace.add(socket.number, side, "closed", code)
    if (side === "client") this.#closedAtClient(socket)
    const link = this.#links.get(socket)
    if (link === undefined) return
    if (side === "client") {
      if (link.session !== undefined && !link.welcomeDelivered) seen.saw("welcomeLost")
      if (link.replayed > link.arrived && link.arrived > 0) seen.saw("resumeDuringReplay")
    }
    const isOver = socket.client.state === "closed" && socket.server.state !== "open"
    if (isOver && link.acksUnderWay > 0) seen.saw("ackLost")
    if (isOver) this.#links.delete(socket)
  }

  #closedAtClient(socket: SimulatedSocket): void {
    const { seen, clientOf } = this.#options
    const client = clientOf(socket)
    if (socket.server.state === "connecting" && !this.#abandoned.has(socket)) seen.saw("dialRefused")
    this.#abandoned.delete(socket)
    // HELLO was never sent on it, and another one serves.
    const wasDialled = this.#links.get(socket)?.hello === undefined
    if (wasDialled && client?.status() === "open" && this.#newest.get(client) !== socket)
      seen.saw("moveFailed")
  }

  // --- client sends ---------------------------------------------------------------------------------------------

  #sentByClient(link: Link, byte: number, bytes: Uint8Array): void {
    const client = this.#options.clientOf(link.socket)
    if (byte === frameByte.hello) {
      if (link.hello !== undefined) throw new Violation("S6", "HELLO was sent twice on one connection")
      link.hello = bytes
      if (client !== undefined) this.#newest.set(client, link.socket)
      return
    }
    if (client === undefined) return
    if (this.#newest.get(client) !== link.socket)
      throw new Violation("S6", `a client sends on connection ${link.socket.number}, which it has left`)
    if (byte === frameByte.ping && this.#options.nowMs() - client.wokeAtMs() < 1_500)
      this.#options.seen.saw("wokeAndProbed")
    if (byte === frameByte.ack && client.isHidden()) this.#options.seen.saw("hiddenAcknowledged")
    if (byte === frameByte.pong) this.#options.seen.saw("askedForCounts")
    if ((byte & 0xc0) === 0x40) this.#counted(link)
    if (byte === frameByte.ack && this.#isSample() && numberAt(bytes, 0) > client.handled())
      throw new Violation("S3", `a client acknowledges ${numberAt(bytes, 0)} of ${client.handled()} messages`)
  }

  /** A request, a cancel, a credit: its position is its number. */
  #counted(link: Link): void {
    const wire = link.session === undefined ? undefined : this.#sessions.get(link.session)
    if (wire === undefined)
      throw new Violation("S6", `a reliable message on connection ${link.socket.number} before WELCOME`)
    link.since += 1
    const number = link.before + link.since
    if (number > wire.head + 1)
      throw new Violation("S2", `message ${number} was sent after message ${wire.head}`)
    if (number <= wire.head) this.#options.seen.saw("requestReplayed")
    wire.head = Math.max(wire.head, number)
  }

  // --- server sends ---------------------------------------------------------------------------------------------

  #sentByServer(link: Link, byte: number, bytes: Uint8Array): void {
    const { seen, nowMs } = this.#options
    if (byte === frameByte.welcome) {
      this.#welcome(link, bytes)
      return
    }
    if (byte === frameByte.bye) this.#bye(link, bytes)
    const { session } = link
    if (session === undefined) return
    if (link.socket.server.isPaused) seen.saw("readingPaused")
    const wire = this.#sessions.get(session)
    if (wire?.link !== link)
      throw new Violation(
        "S13",
        `session ${session.id} sends on connection ${link.socket.number}, an old one`,
      )
    if (byte === frameByte.ack || isProbe(byte)) {
      const handled = numberAt(bytes, byte === frameByte.ack ? 0 : 1)
      const running = runningAt(session, nowMs())
      if (handled > session.received - running)
        throw new Violation(
          "S3",
          `session ${session.id} acknowledges ${handled} of ${session.received}, ${running} still run`,
        )
    }
    if ((byte & 0xc0) === 0x40 && link.resumed && link.welcomeAtMs === nowMs()) link.replayed += 1
    if (byte === frameByte.authRequest && nowMs() < link.nextTokenAtMs && !this.#options.holdsOutput)
      throw new Violation("S15", `session ${session.id} gets AUTHREQ for a token that it has just sent`)
    if (byte === frameByte.authOk) {
      seen.saw("tokenRefreshed")
      link.nextTokenAtMs = nowMs() + numberAt(bytes, 0) / 2 - 2
    }
    if (byte === frameByte.reply) {
      const reference = numberAt(bytes, 0)
      if (wire.replies.has(reference)) seen.saw("replyReplayed")
      wire.replies.add(reference)
    }
  }

  #welcome(link: Link, bytes: Uint8Array): void {
    const { book, trace } = this.#options
    const frame = codec.decode(bytes, 0)
    if (frame.kind !== "welcome") throw new Violation("S5", "WELCOME cannot be read")
    trace.add(link.socket.number, "WELCOME", frame.sessionId, frame.resumed ? "resumed" : frame.refusal)
    const session = book.get(frame.sessionId)
    if (session === undefined || link.session !== undefined)
      throw new Violation(
        "S11",
        `WELCOME for session ${frame.sessionId}, which never was or is bound already`,
      )
    if (frame.resumed && this.#options.isForged(link.socket))
      throw new Violation("S11", `session ${session.id} was given to another user`)
    if (session.isLongEnded)
      throw new Violation("S16", `session ${session.id} was resumed after its end (${session.serverCause})`)
    if (frame.resumed && session.isRolledBack) this.#options.seen.saw("rolledBackResumed")
    if (frame.resumed && session.mustReset && !session.isAttacked)
      throw new Violation(
        "S10",
        `session ${session.id} was resumed, whose client has seen more than the server knows`,
      )
    const wire = this.#sessions.get(session)
    if (wire !== undefined) this.#noteResume(session, wire)
    this.#bind(link, session)
    link.resumed = frame.resumed
    session.received = frame.received
    link.before = frame.received
    link.handled = frame.handled
    session.attached = session.serverCause === undefined
  }

  #noteResume(session: SessionRecord, wire: SessionWire): void {
    const { seen, nowMs } = this.#options
    if (!wire.link.welcomeDelivered) {
      wire.lostWelcomes += 1
      seen.saw(wire.lostWelcomes === 1 ? "previousTokenAccepted" : "previousTokenTwice")
    } else {
      wire.lostWelcomes = 0
    }
    if (wire.link.socket.server.state === "open" || wire.link.socket.server.state === "closing") {
      session.takeoversAtMs.push(nowMs())
      seen.saw("takeoverOfLive")
    }
    if (session.expiredToken) seen.saw("tokenExpiredResumed")
    session.expiredToken = false
  }

  #bind(link: Link, session: SessionRecord): void {
    link.session = session
    link.welcomeAtMs = this.#options.nowMs()
    const wire = this.#sessions.get(session)
    if (wire === undefined) {
      const told = { head: 0, ackedAtClient: 0, ackedAtServer: 0 }
      this.#sessions.set(session, { link, lostWelcomes: 0, replies: new Set(), ...told })
    } else wire.link = link
  }

  /** The session's current connection. */
  socketOf(session: SessionRecord): SimulatedSocket | undefined {
    return this.#sessions.get(session)?.link.socket
  }

  /** Highest acknowledgement that each end has received. */
  toldOf(session: SessionRecord): { readonly ackedAtClient: number; readonly ackedAtServer: number } {
    return this.#sessions.get(session) ?? { ackedAtClient: 0, ackedAtServer: 0 }
  }

  #welcomed(link: Link): void {
    const { seen, clientOf } = this.#options
    link.welcomeDelivered = true
    if (link.resumed && clientOf(link.socket)?.status() === "open") seen.saw("moved")
  }

  #bye(link: Link, bytes: Uint8Array): void {
    const { seen, trace } = this.#options
    const frame = codec.decode(bytes, 0)
    if (frame.kind !== "bye") throw new Violation("S16", "BYE cannot be read")
    trace.add(link.socket.number, "BYE", frame.code)
    if (this.#options.isForged(link.socket)) seen.saw("forgeryRefused")
    if (link.session === undefined && frame.code === "replaced" && link.socket.client.state === "closed")
      seen.saw("lateDialRefused")
  }
}

function isProbe(byte: number): boolean {
  return byte === frameByte.ping || byte === frameByte.pong
}

function idOf(payload: unknown): number {
  return typeof payload === "object" && payload !== null && "id" in payload && typeof payload.id === "number"
    ? payload.id
    : Number.NaN
}

const names = new Map<number, string>(Object.entries(frameByte).map(([name, byte]) => [byte, name]))

function nameOf(byte: number): string {
  return names.get(byte) ?? `0x${byte.toString(16)}`
}

/** The number at an index of a frame's body that contains only numbers before it. */
function numberAt(bytes: Uint8Array, place: number): number {
  let offset = 2
  for (let index = 0; ; index += 1) {
    const head = bytes[offset] ?? 0
    const length = head < 0x80 ? 0 : head === 0xcc ? 1 : head === 0xcd ? 2 : head === 0xce ? 4 : 8
    let value = length === 0 ? head : 0
    for (let digit = 1; digit <= length; digit += 1) value = value * 256 + (bytes[offset + digit] ?? 0)
    if (index === place) return value
    offset += 1 + length
  }
}
