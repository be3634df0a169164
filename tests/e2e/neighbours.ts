// Surroundings of a player at a browser: connections that fail, and a player without a browser.
import { startChaosProxy } from "../chaos/proxy.ts"
import type { ChaosProxy } from "../chaos/proxy.ts"
import { newAccount } from "../conformance-2.0/player.ts"
import { ResumingPlayer } from "../world/resuming-player.ts"
import type { OnEnd } from "./player-tab.ts"

interface Proxied {
  readonly proxy: ChaosProxy
  readonly url: string
}

/** A path to the world that can be cut. */
export async function proxyTo({ url }: { readonly url: string }, onEnd: OnEnd): Promise<Proxied> {
  const { hostname, port } = new URL(url)
  const proxy = await startChaosProxy({ to: { host: hostname, port: Number(port) } })
  onEnd(() => proxy.close())
  return { proxy, url: `http://${proxy.host}:${proxy.port}` }
}

/** Another player in the world, without a browser. */
export async function enterFriend(to: { readonly url: string }, onEnd: OnEnd): Promise<ResumingPlayer> {
  const url = `${to.url.replace("http", "ws")}/ws`
  const account = await newAccount({ url, httpUrl: to.url, onEnd: (cleanup) => onEnd(cleanup) })
  const friend = new ResumingPlayer(url, account, onEnd)
  await friend.client.connect()
  return friend
}
