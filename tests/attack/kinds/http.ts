// Attacks by HTTP: silence, trickles, answers that are not read, passwords, and thousands of requests.
import { pick, word } from "../kind.ts"
import type { Attack, Kind } from "../kind.ts"
import { requestOf } from "../peer.ts"
import type { Peer } from "../peer.ts"

/** `httpTimeoutMs`, and a margin for a busy machine. */
const headMaxMs = 5_000 + 3_000
/** The world's bound of a body and of an answer, which it checks every second. */
const bodyMaxMs = 10_000 + 1_000 + 3_000

async function untilClosed(peer: Peer): Promise<string> {
  await peer.closed
  return peer.status > 0 ? String(peer.status) : (peer.error ?? "closed")
}

/** Sends a whole request and waits for the end of the connection. */
async function ask(attack: Attack, request: string): Promise<string> {
  const peer = attack.open()
  peer.write(request)
  const status = await peer.answer()
  peer.leave()
  return status > 0 ? String(status) : (peer.error ?? "closed")
}

function posted(attack: Attack, path: string, body: string): string {
  const headers = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]
  return requestOf(`POST ${path}`, attack.host, headers) + body
}

const silence: readonly Kind[] = [
  {
    name: "silent",
    share: 16,
    isFiller: true,
    perSecond: 20,
    heldMaxMs: headMaxMs,
    run: (attack) => untilClosed(attack.open()),
  },
  {
    name: "half a head",
    share: 12,
    perSecond: 20,
    heldMaxMs: headMaxMs,
    async run(attack) {
      const peer = attack.open()
      peer.write(`GET / HTTP/1.1\r\nHost: ${attack.host}\r\nX-Slow: `)
      await peer.every(500, () => peer.write("a"))
      return untilClosed(peer)
    },
  },
  {
    name: "slow body",
    share: 12,
    perSecond: 20,
    heldMaxMs: bodyMaxMs,
    async run(attack) {
      const peer = attack.open()
      const path = pick(attack.random, ["/auth/login", "/auth/register", "/nowhere"])
      peer.write(
        requestOf(`POST ${path}`, attack.host, ["Content-Type: application/json", "Content-Length: 5000"]),
      )
      await peer.every(500, () => peer.write(" "))
      return untilClosed(peer)
    },
  },
  {
    name: "slow chunks",
    share: 6,
    perSecond: 20,
    heldMaxMs: bodyMaxMs,
    async run(attack) {
      const peer = attack.open()
      peer.write(requestOf("POST /auth/login", attack.host, ["Transfer-Encoding: chunked"]))
      await peer.every(500, () => peer.write("1\r\n \r\n"))
      return untilClosed(peer)
    },
  },
]

const blockBytes = 64 * 1024

const unread: readonly Kind[] = [
  {
    name: "fat body",
    share: 1,
    perSecond: 2,
    heldMaxMs: bodyMaxMs,
    async run(attack) {
      const peer = attack.open()
      peer.write(requestOf("POST /auth/register", attack.host, ["Transfer-Encoding: chunked"]))
      const block = `${blockBytes.toString(16)}\r\n${" ".repeat(blockBytes)}\r\n`
      for (let sent = 0; sent < 64 && !peer.isClosed; sent += 1) {
        if (peer.waitingBytes < 4 * blockBytes) peer.write(block)
        await attack.pause(50)
      }
      peer.write("0\r\n\r\n")
      await peer.answer()
      peer.leave()
      return untilClosed(peer)
    },
  },
  {
    name: "unread answers",
    share: 12,
    perSecond: 10,
    heldMaxMs: bodyMaxMs,
    async run(attack) {
      const peer = attack.open()
      peer.stopReading()
      const [largest = "/"] = attack.assets
      peer.write(requestOf(`GET ${largest}`, attack.host, []).repeat(100))
      // A write fails once the server has closed the connection, and counts as activity for a timeout of the socket.
      await peer.every(1_000, () => peer.write("\r\n"))
      return peer.error ?? "unread"
    },
  },
]

const accounts: readonly Kind[] = [
  {
    name: "registrations",
    share: 2,
    perSecond: 4,
    run(attack) {
      const username = `a${word(attack.random, 12)}`
      const body = JSON.stringify({ username, password: "a password of an attacker" })
      return ask(attack, posted(attack, "/auth/register", body))
    },
  },
  {
    name: "failed log-ins",
    share: 2,
    perSecond: 6,
    run(attack) {
      const username = attack.random() < 0.5 ? "bot-0001" : `a${word(attack.random, 12)}`
      const body = JSON.stringify({ username, password: word(attack.random, 12) })
      return ask(attack, posted(attack, "/auth/login", body))
    },
  },
  {
    name: "renewals with junk",
    share: 1,
    perSecond: 20,
    run(attack) {
      const junk = `${word(attack.random, 22)}.1.${word(attack.random, 43)}`
      const headers = [`Cookie: hawser_login_${word(attack.random, 8)}=${junk}`, "Content-Length: 0"]
      const action = pick(attack.random, ["renew", "end"])
      return ask(attack, requestOf(`POST /auth/session/bot-0001/${action}`, attack.host, headers))
    },
  },
  {
    name: "thousands of pages",
    share: 4,
    perSecond: 12,
    async run(attack) {
      const peer = attack.open()
      const paths = [
        "/metrics",
        "/healthz",
        "/readyz",
        "/",
        "/api/sprites-status",
        "/..%2f..%2fpackage.json",
        `/${word(attack.random, 8)}`,
        ...attack.assets.slice(-2),
      ]
      const requests = Array.from({ length: 24 }, () =>
        requestOf(`${attack.random() < 0.9 ? "GET" : "HEAD"} ${pick(attack.random, paths)}`, attack.host, []),
      )
      peer.write(requests.join("") + requestOf("GET /healthz", attack.host, ["Connection: close"]))
      return untilClosed(peer)
    },
  },
]

export const httpKinds: readonly Kind[] = [...silence, ...unread, ...accounts]
