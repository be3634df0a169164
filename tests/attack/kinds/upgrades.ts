// Attacks by upgrades: refused ones, storms of dials, and sockets that never log in.
import { bytes, pick } from "../kind.ts"
import type { Attack, Kind } from "../kind.ts"
import { requestOf, upgradeOf, wsFrame } from "../peer.ts"

/** `authTimeoutMs`, the closing handshake, and a margin for a busy machine. */
export const authMaxMs = 20_000 + 1_000 + 3_000

const offers: readonly ((attack: Attack) => string)[] = [
  ({ host }) =>
    requestOf("GET /", host, [
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    ]),
  ({ host }) => requestOf("GET /ws", host, ["Connection: Upgrade", "Upgrade: TLS/1.0"]),
  ({ host }) =>
    `${requestOf("POST /auth/login", host, ["Connection: Upgrade", "Upgrade: foo", "Content-Length: 2"])}{}`,
  () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ({ host }) => upgradeOf(host, [], "/nowhere"),
  ({ host }) => upgradeOf(host, [], "/ws/../ws%00"),
  ({ host }) => upgradeOf(host, ["Origin: https://elsewhere.example"]),
  ({ host }) => upgradeOf(host, ["Origin: null"]),
  ({ host }) => upgradeOf(host, ["Sec-WebSocket-Protocol: soap"]),
  ({ host }) => requestOf("GET /ws", host, ["Connection: Upgrade", "Upgrade: websocket"]),
  ({ host }) =>
    requestOf("GET /ws", host, [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 7",
      "Sec-WebSocket-Key: x",
    ]),
  ({ host }) =>
    upgradeOf(
      host,
      Array.from({ length: 900 }, (_, index) => `X-${index}: a`),
    ),
  ({ host }) => requestOf("GET /", host, [`X-Long: ${"a".repeat(20_000)}`]),
]

export const upgradeKinds: readonly Kind[] = [
  {
    name: "refused upgrades",
    share: 3,
    perSecond: 30,
    async run(attack) {
      const peer = attack.open()
      peer.write(pick(attack.random, offers)(attack))
      const status = await peer.answer()
      peer.leave()
      return status > 0 ? String(status) : (peer.error ?? "closed")
    },
  },
  {
    name: "dial storm",
    share: 2,
    perSecond: 35,
    async run(attack) {
      const peer = attack.open("shared")
      const status = await peer.upgrade(attack.host)
      peer.leave()
      return String(status)
    },
  },
  {
    name: "dial storm of many addresses",
    share: 2,
    perSecond: 20,
    async run(attack) {
      const peer = attack.open("spread")
      const status = await peer.upgrade(attack.host)
      peer.reset()
      return String(status)
    },
  },
  {
    name: "never logs in",
    share: 24,
    perSecond: 40,
    heldMaxMs: authMaxMs,
    async run(attack) {
      const peer = attack.open()
      const status = await peer.upgrade(attack.host)
      if (status !== 101) {
        // Keeps the dials of a refused address below the rate of a loop.
        await attack.pause(1_000)
        peer.leave()
        return String(status)
      }
      await peer.closed
      return String(peer.closeCode ?? peer.error ?? "closed")
    },
  },
  {
    name: "thousands of pings",
    share: 3,
    perSecond: 5,
    heldMaxMs: authMaxMs,
    async run(attack) {
      const peer = attack.open("spread")
      if ((await peer.upgrade(attack.host)) !== 101) return String(peer.status)
      const pings = Buffer.concat(
        Array.from({ length: 50 }, () => wsFrame(bytes(attack.random, 8), { first: 0x89 })),
      )
      await peer.every(250, () => peer.write(pings))
      return String(peer.closeCode ?? peer.error ?? "closed")
    },
  },
  {
    name: "pings whose pongs are never read",
    share: 3,
    perSecond: 5,
    heldMaxMs: authMaxMs,
    async run(attack) {
      const peer = attack.open("spread")
      if ((await peer.upgrade(attack.host)) !== 101) return String(peer.status)
      peer.stopReading()
      const pings = Buffer.concat(
        Array.from({ length: 50 }, () => wsFrame(Buffer.alloc(125), { first: 0x89 })),
      )
      await peer.every(250, () => peer.write(pings))
      return String(peer.error ?? "unread")
    },
  },
]
