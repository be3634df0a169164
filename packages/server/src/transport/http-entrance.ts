// What all Hawser servers on one HTTP server of Node's share: its upgrades, which go to the server of their path, and the
// watch over its sockets. Knows no frames.
import type { ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import type { IncomingMessage, Server as HttpServer } from "node:http"
import { Server as TlsServer } from "node:tls"
import type { Duplex } from "node:stream"
import type { SocketDrop } from "../base/health.ts"
import { AcceptWatch } from "./accept-watch.ts"
import { isWebSocketOffer } from "./judge-upgrade.ts"
import { hasAllHeaders } from "./header-fields.ts"
import { requestTarget } from "./request-target.ts"

/** One Hawser server at the entrance. */
export interface HttpEntry {
  readonly path: string
  readonly limits: Pick<ServerLimits, "httpTimeoutMs" | "requestlessPerAddress" | "upgradeUntakenMs">
  readonly timers: TimerQueue
  readonly onError: (error: unknown) => void
  readonly onDropped: (reason: SocketDrop) => void
  readonly onUpgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Answers an upgrade for a path of nobody's. */
  readonly refusePath: (incoming: IncomingMessage, socket: Duplex) => void
}

const entrances = new WeakMap<HttpServer, HttpEntrance>()

/**
 * Puts a server at the entrance; returns how to take it away.
 * @throws TypeError if another one has its path there.
 */
export function enterHttpServer(httpServer: HttpServer, entry: HttpEntry): () => void {
  const entrance = entrances.get(httpServer) ?? new HttpEntrance(httpServer)
  entrances.set(httpServer, entrance)
  return entrance.enter(entry)
}

/** Node asks it, from 24.9 on, whether an offer of another protocol is taken up; without it, it emits `upgrade` for each. */
const callbackName = "shouldUpgradeCallback"

class HttpEntrance {
  readonly #httpServer: HttpServer
  readonly #entries = new Map<string, HttpEntry>()
  #watch: AcceptWatch | undefined
  /** Upgrades that somebody else may take; each settles one. */
  readonly #untaken = new Set<() => void>()
  #restoreCallback: () => void = () => {}

  constructor(httpServer: HttpServer) {
    this.#httpServer = httpServer
  }

  enter(entry: HttpEntry): () => void {
    if (this.#entries.has(entry.path))
      throw new TypeError(
        `another Hawser server has the path ${entry.path} of this HTTP server; give one of them another path`,
      )
    this.#entries.set(entry.path, entry)
    if (this.#entries.size === 1) this.#open(entry)
    return () => this.#leave(entry)
  }

  #leave(entry: HttpEntry): void {
    const isFirst = this.#first === entry
    this.#entries.delete(entry.path)
    if (this.#entries.size === 0) this.#close()
    else if (isFirst) this.#watchFor(this.#first)
  }

  /** Its limits, timers and counts are those of the sockets and of what is nobody's. */
  get #first(): HttpEntry | undefined {
    return this.#entries.values().next().value
  }

  #watchFor(entry: HttpEntry | undefined): void {
    this.#watch?.stop()
    this.#watch = entry === undefined ? undefined : new AcceptWatch(this.#httpServer, entry)
  }

  #open(entry: HttpEntry): void {
    this.#watchFor(entry)
    this.#httpServer.on("upgrade", this.#onUpgrade)
    this.#restoreCallback = passOrdinary(this.#httpServer, (upgrade) => this.#isOrdinary(upgrade))
  }

  #close(): void {
    for (const settle of [...this.#untaken]) settle()
    this.#watchFor(undefined)
    this.#httpServer.off("upgrade", this.#onUpgrade)
    this.#restoreCallback()
  }

  /** An offer of another protocol than WebSocket may be passed over, unless somebody else listens who may take it. */
  #isOrdinary(upgrade: string): boolean {
    return !isWebSocketOffer(upgrade) && this.#httpServer.listenerCount("upgrade") === 1
  }

  readonly #onUpgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#watch?.requested(socket)
    const offer = incoming.headers.upgrade ?? ""
    const entry = isWebSocketOffer(offer)
      ? this.#entries.get(requestTarget(incoming.url ?? "").path)
      : undefined
    const answering = entry ?? this.#first
    if (answering === undefined) return
    const upgrade = { incoming, socket, head, entry: answering }
    if (entry === undefined && this.#httpServer.listenerCount("upgrade") > 1) this.#awaitTaker(upgrade)
    else
      this.#afterAnswers(upgrade, () => {
        if (entry === undefined) this.#answerItself(upgrade)
        else entry.onUpgrade(incoming, socket, head)
      })
  }

  /** A request that was sent before the answers to others have ended waits for them. */
  #afterAnswers({ socket, entry }: Upgrade, then: () => void): void {
    // A socket that resets while nobody listens to its errors would end the process.
    socket.on("error", entry.onError)
    this.#watch?.whenAnswered(socket, () => {
      socket.off("error", entry.onError)
      if (!socket.destroyed && !socket.writableEnded) then()
    })
  }

  /** Somebody else listens, and may take it. What nobody has touched after a moment is answered here. */
  #awaitTaker(upgrade: Upgrade): void {
    const { socket, entry } = upgrade
    const { limits, timers, onError } = entry
    const written = bytesWritten(socket)
    socket.on("error", onError)
    const settle = (): void => {
      cancel()
      this.#untaken.delete(settle)
      socket.off("close", settle)
      const isTaken =
        socket.destroyed ||
        socket.writableEnded ||
        bytesWritten(socket) !== written ||
        socket.listenerCount("data") + socket.listenerCount("readable") > 0
      if (!isTaken) this.#answerItself(upgrade)
      socket.off("error", onError)
    }
    const cancel = timers.after(limits.upgradeUntakenMs, settle)
    this.#untaken.add(settle)
    socket.once("close", settle)
  }

  #answerItself({ incoming, socket, head, entry }: Upgrade): void {
    const isOrdinary =
      !isWebSocketOffer(incoming.headers.upgrade ?? "") &&
      !isBodyKept(incoming, this.#httpServer) &&
      hasAllHeaders(incoming, this.#httpServer)
    if (isOrdinary) serveOrdinary(this.#httpServer, incoming, { socket, head })
    else entry.refusePath(incoming, socket)
  }
}

/** A request for an upgrade, and who answers it if nobody takes it. */
interface Upgrade {
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly entry: HttpEntry
}

function bytesWritten(socket: Duplex): unknown {
  return "bytesWritten" in socket ? socket.bytesWritten : undefined
}

/** Newer versions of Node read the body of an upgrade themselves. */
function isBodyKept({ headers }: IncomingMessage, httpServer: HttpServer): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
  return hasBody && callbackName in httpServer
}

/** Returns how to undo it. */
function passOrdinary(httpServer: HttpServer, isOrdinary: (upgrade: string) => boolean): () => void {
  const before: unknown = Reflect.get(httpServer, callbackName)
  if (typeof before !== "function") return () => {}
  const callback = (request: IncomingMessage): unknown =>
    !isOrdinary(request.headers.upgrade ?? "") && Reflect.apply(before, httpServer, [request])
  Reflect.set(httpServer, callbackName, callback)
  return () => {
    if (Reflect.get(httpServer, callbackName) === callback) Reflect.set(httpServer, callbackName, before)
  }
}

/** Headers that make a request an offer of another protocol, and options of the header Connection. */
const offering: ReadonlySet<string> = new Set(["upgrade", "http2-settings"])

interface UpgradeSocket {
  readonly socket: Duplex
  readonly head: Buffer
}

/** Hands the request back to the HTTP server as if it had come without the offer. */
function serveOrdinary(
  httpServer: HttpServer,
  incoming: IncomingMessage,
  { socket, head }: UpgradeSocket,
): void {
  const lines = [`${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`]
  const { rawHeaders } = incoming
  // Names and values alternate.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index)
    if (name.toLowerCase() === "connection") lines.push(`${name}: ${otherOptions(value)}`)
    else if (!offering.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  // Node reads the bytes of header fields as Latin-1.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]))
  httpServer.emit(httpServer instanceof TlsServer ? "secureConnection" : "connection", socket)
}

/** Options of the header Connection without those of the offer. */
function otherOptions(value: string): string {
  const options = value.split(",").map((option) => option.trim())
  return options.filter((option) => !offering.has(option.toLowerCase())).join(", ")
}
