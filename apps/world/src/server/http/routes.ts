// Decides which route a request belongs to. Must not know what the routes do.
import type { IncomingMessage } from "node:http"
import type { Reply } from "./reply.ts"

/** A request on its way to an answer. */
export interface RouteRequest {
  readonly request: IncomingMessage
  /** What the pattern's `:names` and `*` stand for, decoded. */
  readonly params: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: "GET" | "POST"
  /** Segments: text, `:name` for any one, and at the end `*` for one or more. */
  readonly path: string
  readonly answer: (request: RouteRequest) => Reply | Promise<Reply>
}

/** `methods`: the path exists, but not with this method. */
export type RouteMatch =
  | { readonly kind: "route"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "wrongMethod"; readonly allow: string }
  | { readonly kind: "none" }

/** Finds the first route for the method and the decoded segments of the path; HEAD goes where GET goes. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  segments: readonly string[],
): RouteMatch {
  const allowed = new Set<string>()
  for (const route of routes) {
    const params = matchPath(route.path.split("/").slice(1), segments)
    if (params === undefined) continue
    if (route.method === (method === "HEAD" ? "GET" : method)) return { kind: "route", route, params }
    allowed.add(route.method === "GET" ? "GET, HEAD" : route.method)
  }
  return allowed.size === 0 ? { kind: "none" } : { kind: "wrongMethod", allow: [...allowed].join(", ") }
}

/**
 * The decoded segments of a request's path, without the query; undefined when it is not a proper path. The target may be a
 * whole address, as for a proxy.
 */
export function pathSegments(url: string): readonly string[] | undefined {
  const path = url.replace(/^https?:\/\/[^/?#]*\/?/i, "/").split(/[?#]/, 1)[0] ?? ""
  if (!path.startsWith("/")) return undefined
  try {
    return path.slice(1).split("/").map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function matchPath(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]
    if (segment === undefined) return undefined
    if (part === "*") return { ...params, "*": segments.slice(index).join("/") }
    if (part.startsWith(":")) params[part.slice(1)] = segment
    else if (part !== segment) return undefined
  }
  return pattern.length === segments.length ? params : undefined
}
