import { caddy } from "./caddy.ts"
import { haproxy } from "./haproxy.ts"
import { nginx } from "./nginx.ts"
import type { ProxyKind } from "./proxy-kind.ts"

/** The proxies that docs/deployment.md describes. */
export const proxyKinds: readonly ProxyKind[] = [nginx, haproxy, caddy]
