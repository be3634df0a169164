// Describes a route of the world for the router and for `GET /openapi.json`, and parses values with its schemas. Must
// not know the routes.
import type { HttpBindings } from "@hono/node-server"
import type { Context } from "hono"
import { z } from "zod"

/** Environment of Hono: the request and response of `node:http`. */
export interface WorldEnv {
  readonly Bindings: HttpBindings
}

export type WorldContext = Context<WorldEnv>

/** One possible answer of a route, for the document. */
export interface RouteReply {
  readonly description: string
  /** Schema of the body by content type. A binary body has none. */
  readonly content: Readonly<Record<string, z.ZodType | undefined>>
}

/** Scheme of a route's authentication: access token, cookie of a log-in, or `METRICS_TOKEN`. */
export type Credential = "accessToken" | "loginCookie" | "metricsToken"

export interface Route {
  readonly method: "GET" | "POST"
  /** Pattern of Hono. `anyText` behind a parameter lets it be empty. */
  readonly path: string
  readonly summary: string
  /** Schema of the path's parameters; default none. */
  readonly params?: z.ZodObject<Record<string, z.ZodType>>
  /** Schema of the body, which is JSON or a form; default none. */
  readonly body?: z.ZodObject
  readonly credential?: Credential
  /** The answers by status, except those that every route has. */
  readonly replies: Readonly<Record<number, RouteReply>>
  readonly answer: (context: WorldContext) => Response | Promise<Response>
}

/** Pattern of a parameter that may be empty: an empty parameter is refused as a wrong one, not as an unknown path. */
export const anyText = "{[^/]*}"

const refusalBody = z.object({ detail: z.string() }).meta({ title: "Refusal" })

/** Describes a JSON answer. */
export function json(description: string, schema: z.ZodType): RouteReply {
  return { description, content: { "application/json": schema } }
}

/** Describes an answer `{ detail }`. */
export function refused(description: string): RouteReply {
  return json(description, refusalBody)
}

/** Returns the decoded parameters of the path, or `undefined` if the schema refuses them. */
export function paramsOf<T>({ req }: WorldContext, schema: z.ZodType<T>): T | undefined {
  return schema.safeParse(req.param()).data
}
