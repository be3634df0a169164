// Determines the address of a connection for the caps: the address of the peer, or the one that the trusted proxy wrote into
// X-Forwarded-For. Must not know caps.
import { SocketAddress, isIP } from "node:net"

export interface AddressedRequest {
  /** IP address of the peer; undefined for a Unix socket. */
  readonly remoteAddress: string | undefined
  /** The header X-Forwarded-For. */
  readonly forwardedFor: string | undefined
}

/**
 * Returns the peer's address, or "unknown". With `trustProxy` it is the address in the last entry of X-Forwarded-For, if that
 * is usable. Applications with limits per address use it with `addressKey`, so that they count as the server does.
 */
export function peerAddress(request: AddressedRequest, trustProxy: boolean): string {
  const direct = request.remoteAddress ?? "unknown"
  return (trustProxy ? forwardedAddress(request.forwardedFor ?? "") : undefined) ?? direct
}

/**
 * Returns the address in the last entry of X-Forwarded-For, without its port; undefined if it is unusable. The trusted proxy
 * wrote the last entry. Earlier entries can be forged, so they never replace it.
 */
export function forwardedAddress(header: string): string | undefined {
  const entry = header.slice(header.lastIndexOf(",") + 1).trim()
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1]
  const withPort = /^([\d.]+):\d+$/.exec(entry)?.[1]
  const address = bracketed ?? withPort ?? entry
  const isUsable = bracketed === undefined ? isIP(address) !== 0 : isIP(address) === 6
  return isUsable ? address : undefined
}

/** Returns the key of an address in the caps: an IPv4 address itself, an IPv6 address by its /64, because one host owns a /64. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address
  const canonical = new SocketAddress({ address, family: "ipv6" }).address
  const mapped = canonical.replace(/^::ffff:(?=.*\.)/, "")
  if (isIP(mapped) === 4) return mapped
  const [head = "", tail] = canonical.split("::")
  const left = head === "" ? [] : head.split(":")
  if (tail === undefined) return `${left.slice(0, 4).join(":")}::/64`
  const right = tail === "" ? [] : tail.split(":")
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0")
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`
}

/** Returns true for the addresses of the loopback interface: `127.0.0.0/8`, also as IPv4 in IPv6, and `::1`. False for names. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && (address === "::1" || /^(::ffff:)?127\./i.test(address))
}
