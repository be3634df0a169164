// Whose connection it is, as the caps see it: the address of the peer, or the one that our own proxy wrote down.
import { SocketAddress, isIP } from "node:net"

export interface AddressedRequest {
  readonly remoteAddress: string | undefined
  /** The header X-Forwarded-For. */
  readonly forwardedFor: string | undefined
}

/**
 * Returns the peer's address, or "unknown". With `trustProxy` it is the one in the last entry of X-Forwarded-For, if that
 * is usable. Applications whose own bounds are per address use it with `addressKey`, so that both sides count alike.
 */
export function peerAddress(request: AddressedRequest, trustProxy: boolean): string {
  const direct = request.remoteAddress ?? "unknown"
  return (trustProxy ? forwardedAddress(request.forwardedFor ?? "") : undefined) ?? direct
}

/**
 * The address in the last entry of X-Forwarded-For, without its port. That entry is the one that our own proxy wrote;
 * everything before it can be forged, so an unusable last entry is not replaced by an earlier one.
 */
export function forwardedAddress(header: string): string | undefined {
  const entry = header.slice(header.lastIndexOf(",") + 1).trim()
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1]
  const withPort = /^([\d.]+):\d+$/.exec(entry)?.[1]
  const address = bracketed ?? withPort ?? entry
  const isUsable = bracketed === undefined ? isIP(address) !== 0 : isIP(address) === 6
  return isUsable ? address : undefined
}

/** The key of an address in the caps: IPv4 as it is, IPv6 by its /64, since one host owns a whole /64. */
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

/** True for the addresses of the loopback interface: `127.0.0.0/8`, also as IPv4 in IPv6, and `::1`. Not for names. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && (address === "::1" || /^(::ffff:)?127\./i.test(address))
}
