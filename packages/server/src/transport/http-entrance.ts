// Shared state of all Hawser servers on one HTTP server of Node: dispatches its upgrades to the server of their path, and
// watches its sockets (`AcceptWatch`). Answers upgrades without a server if no other listener takes them. Must not know frames.
import type { ServerLimits } from "@hawser/protocol"
import type { IncomingMessage, Server as HttpServer } from "node:http"
import { Server as TlsServer } from "node:tls"
import type { Duplex } from "node:stream"
import { AcceptWatch } from "./accept-watch.ts"
import type { AcceptWatchOptions } from "./accept-watch.ts"
import { isWebSocketOffer } from "./judge-upgrade.ts"
import { hasAllHeaders } from "./header-fields.ts"
import { requestTarget } from "./request-target.ts"

/** One Hawser server on the HTTP server. */
export interface HttpEntry extends AcceptWatchOptions {
  readonly path: string
  readonly limits: AcceptWatchOptions["limits"] & Pick<ServerLimits, "upgradeUntakenMs">
  readonly onError: (error: unknown) => void
  readonly onUpgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Refuses an upgrade for a path without a server. */
  readonly refusePath: (incoming: IncomingMessage, socket: Duplex) => void
}

const entrances = new WeakMap<HttpServer, HttpEntrance>()

/**
 * Registers a Hawser server on an HTTP server. Returns the function that removes it.
 * @throws TypeError if another Hawser server has its path there.
 */
export function enterHttpServer(httpServer: HttpServer, entry: HttpEntry): () => void {
  const entrance = entrances.get(httpServer) ?? new HttpEntrance(httpServer)
  entrances.set(httpServer, entrance)
  return entrance.enter(entry)
}

/** Callback of Node from 24.9 on: decides whether Node emits `upgrade` for an offer. Earlier versions emit it for each offer. */
const callbackName = "shouldUpgradeCallback"

class HttpEntrance {
  readonly #httpServer: HttpServer
  readonly #entries = new Map<string, HttpEntry>()
  #watch: AcceptWatch | undefined
  /** Functions that settle upgrades which another listener may take. */
  readonly #untaken = new Set<() => void>()
  #restoreCallback: () => void = () => {}

  constructor(httpServer: HttpServer) {
    this.#httpServer = httpServer
  }

  enter(entry: HttpEntry): () => void {
    if (this.#entries.has(entry.path))
      throw new TypeError(
        `another Hawser server has the path ${entry.path} on this HTTP server; set the option path of one of them`,
      )
    this.#entries.set(entry.path, entry)
    if (this.#entries.size === 1) {
      this.#watchFor(entry)
      this.#httpServer.on("upgrade", this.#onUpgrade)
      this.#restoreCallback = passOrdinary(this.#httpServer, (upgrade) => this.#isOrdinary(upgrade))
    }
    return () => this.#leave(entry)
  }

  #leave(entry: HttpEntry): void {
    const isFirst = this.#first === entry
    this.#entries.delete(entry.path)
    if (this.#entries.size === 0) this.#close()
    else if (isFirst) this.#watchFor(this.#first)
  }

  /** First server. Its limits, timers and counts apply to all sockets and to upgrades without a server. */
  get #first(): HttpEntry | undefined {
    return this.#entries.values().next().value
  }

  #watchFor(entry: HttpEntry | undefined): void {
    this.#watch?.stop()
    this.#watch = entry === undefined ? undefined : new AcceptWatch(this.#httpServer, entry)
  }

  #close(): void {
    for (const settle of [...this.#untaken]) settle()
    this.#watchFor(undefined)
    this.#httpServer.off("upgrade", this.#onUpgrade)
    this.#restoreCallback()
  }

  /** Returns true if an offer may be ignored: it is not for WebSocket, and no other listener may take it. */
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
        if (entry === undefined) this.#answer(upgrade)
        else entry.onUpgrade(incoming, socket, head)
      })
  }

  /** Defers `then` until the responses to earlier requests of the socket have ended. */
  #afterAnswers({ socket, entry }: Upgrade, then: () => void): void {
    // Without an error listener, a reset of the socket would end the process.
    socket.on("error", entry.onError)
    this.#watch?.whenAnswered(socket, () => {
      // The error of a write may follow the end of its answer.
      if (socket.destroyed || socket.writableEnded) return
      then()
      socket.off("error", entry.onError)
    })
  }

  /** Leaves an upgrade to another listener. Answers it after `upgradeUntakenMs` if no listener has used the socket. */
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
      if (!isTaken) this.#answer(upgrade)
      if (!socket.destroyed) socket.off("error", onError)
    }
    const cancel = timers.after(limits.upgradeUntakenMs, settle)
    this.#untaken.add(settle)
    socket.once("close", settle)
  }

  #answer(upgrade: Upgrade): void {
    const { incoming, socket, entry } = upgrade
    const isOrdinary =
      !isWebSocketOffer(incoming.headers.upgrade ?? "") &&
      !isBodyKept(incoming, this.#httpServer) &&
      hasAllHeaders(incoming, this.#httpServer)
    if (isOrdinary) serveOrdinary(this.#httpServer, upgrade)
    else entry.refusePath(incoming, socket)
  }
}

/** A request for an upgrade, and the server that answers it if no listener takes it. */
interface Upgrade {
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly entry: HttpEntry
}

function bytesWritten(socket: Duplex): unknown {
  return "bytesWritten" in socket ? socket.bytesWritten : undefined
}

/** Returns true if Node reads the body of an upgrade by itself, as versions with the callback do. */
function isBodyKept({ headers }: IncomingMessage, httpServer: HttpServer): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
  return hasBody && callbackName in httpServer
}

/** Wraps the callback so that ordinary requests emit no `upgrade`. Returns the function that restores it. */
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

/** Headers, and options of the header Connection, that offer another protocol. */
const offering: ReadonlySet<string> = new Set(["upgrade", "http2-settings"])

/** Passes the request to the HTTP server again, without the offer. */
function serveOrdinary(httpServer: HttpServer, { incoming, socket, head }: Upgrade): void {
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

/** Returns the options of the header Connection without those of the offer. */
function otherOptions(value: string): string {
  const options = value.split(",").map((option) => option.trim())
  return options.filter((option) => !offering.has(option.toLowerCase())).join(", ")
}
