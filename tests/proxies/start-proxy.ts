// Starts a proxy with the documented configuration and a test certificate, and opens WebSockets through it as a page
// does.
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import type { ClientOptions as SocketOptions } from "ws"
import { freePort } from "../world/free-port.ts"
import { edited } from "./configuration.ts"
import type { Edit } from "./configuration.ts"
import { accepts } from "./eventually.ts"
import type { ProxyKind, ProxyPlace } from "./proxy-kind.ts"

/** One entry point of the proxy. */
export interface Door {
  /** Origin of the page: `http://127.0.0.1:PORT`. */
  readonly origin: string
  readonly host: string
  /** `ws://127.0.0.1:PORT`, without a path. */
  readonly webSocketUrl: string
  /** The certificate that a client of this door trusts. */
  readonly ca: Buffer | undefined
}

export interface Proxy {
  readonly doors: { readonly plain: Door; readonly secure: Door }
  /** Its standard error so far. */
  readonly output: () => string
  reload(): Promise<void>
  stop(): Promise<void>
}

export interface ProxyOptions {
  /** `HOST:PORT` of the server. */
  readonly backend: string
  /** Edits beyond ports and paths. */
  readonly edits?: readonly Edit[]
}

export async function startProxy(kind: ProxyKind, { backend, edits = [] }: ProxyOptions): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-proxy-"))
  const ports = { plain: await freePort(), secure: await freePort(), admin: await freePort() }
  const place: ProxyPlace = { folder, path: join(folder, kind.configuration), ports, backend }
  // Workers of another user read here.
  chmodSync(folder, 0o755)
  const certificate = makeCertificate(folder)
  writeFileSync(
    place.path,
    edited(kind.configuration, [...edits, ...kind.placed(place), ...unprivileged(kind)]),
  )
  let output = ""
  let running = kind.start(place)
  const listen = (): void => {
    running.process.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text))
  }
  listen()
  const stop = async (): Promise<void> => {
    await running.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const ended = running.ended.then(() => {
    throw new Error(`${kind.name} ended before it listened:\n${output}`)
  })
  try {
    await Promise.race([Promise.all([accepts(ports.plain), accepts(ports.secure)]), ended])
  } catch (error) {
    await stop()
    throw error
  }
  ended.catch(() => {})
  const doorOf = (scheme: "http" | "https", port: number): Door => ({
    origin: `${scheme}://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    webSocketUrl: `${scheme === "http" ? "ws" : "wss"}://127.0.0.1:${port}`,
    ca: scheme === "http" ? undefined : certificate,
  })
  return {
    doors: { plain: doorOf("http", ports.plain), secure: doorOf("https", ports.secure) },
    output: () => output,
    async reload() {
      const before = running
      running = await kind.reload(place, running)
      if (running !== before) listen()
    },
    stop,
  }
}

/** Where the tests do not run as root, no program can change its user. */
function unprivileged({ name }: ProxyKind): readonly Edit[] {
  if (process.getuid?.() === 0) return []
  if (name === "nginx") return [["user www-data;\n", ""]]
  return name === "haproxy" ? [["  user haproxy\n  group haproxy\n", ""]] : []
}

function makeCertificate(folder: string): Buffer {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")]
  const names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  const args = ["-x509", ...curve, "-days", "2", "-subj", "/CN=localhost", "-addext", names]
  execFileSync("openssl", ["req", ...args, "-keyout", key, "-out", certificate], { stdio: "ignore" })
  const pem = readFileSync(certificate)
  writeFileSync(join(folder, "both.pem"), Buffer.concat([pem, readFileSync(key)]))
  return pem
}

type PageSocket = new (address: string, protocols?: string[]) => WebSocket

/** A WebSocket constructor for a client whose page was loaded from this entry point. */
export function pageSocket({ origin, ca }: Door, options: SocketOptions = {}): PageSocket {
  return class extends WebSocket {
    constructor(address: string, protocols: string[] = []) {
      super(address, protocols, { origin, ...(ca === undefined ? {} : { ca }), ...options })
    }
  }
}

interface Upgrade {
  /** 101, or the status of the refusal. */
  readonly status: number
  readonly socket: WebSocket
}

/** Sends a page's upgrade; its socket stays open. */
export async function upgrade(door: Door, path: string, options: SocketOptions = {}): Promise<Upgrade> {
  const socket = new (pageSocket(door, options))(`${door.webSocketUrl}${path}`, ["hawser.1"])
  const status = await new Promise<number>((resolve, reject) => {
    socket.on("open", () => resolve(101))
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0))
    socket.on("error", reject)
  })
  return { status, socket }
}

export async function upgradeStatus(door: Door, path: string, options: SocketOptions = {}): Promise<number> {
  const { status, socket } = await upgrade(door, path, options)
  socket.terminate()
  return status
}
