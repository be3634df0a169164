// Describes the routes as an OpenAPI document. Must not know what a route does.
import { z } from "zod"
import { jsonReply } from "./reply.ts"
import { json, refused } from "./route.ts"
import type { Credential, Route, RouteReply } from "./route.ts"

type Json = Readonly<Record<string, unknown>>

interface OpenApiOptions {
  readonly version: string
  /** Name of the cookie that renews a log-in. */
  readonly cookieName: string
}

/** `GET /openapi.json`: a document of these routes and of itself. */
export function openApiRoute(routes: readonly Route[], options: OpenApiOptions): Route {
  const route: Route = {
    method: "GET",
    path: "/openapi.json",
    summary: "This document",
    replies: { 200: json("OpenAPI 3.1", z.looseObject({ openapi: z.string() }).meta({ title: "OpenApi" })) },
    answer: () => jsonReply(200, document),
  }
  const document = openApiDocument([...routes, route], options)
  return route
}

function openApiDocument(routes: readonly Route[], { version, cookieName }: OpenApiOptions): Json {
  const schemas = new Map<string, Json>()
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const operations = (paths[templateOf(route.path)] ??= {})
    operations[route.method.toLowerCase()] = operationOf(route, schemas)
  }
  const securitySchemes: Record<Credential, Json> = {
    accessToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
    metricsToken: { type: "http", scheme: "bearer", description: "METRICS_TOKEN, if it is set" },
    loginCookie: { type: "apiKey", in: "cookie", name: cookieName },
  }
  return {
    openapi: "3.1.0",
    info: { title: "Hawser world", version, description },
    paths,
    components: { schemas: Object.fromEntries(schemas), securitySchemes },
  }
}

const description =
  "HTTP of the world. HEAD is answered wherever GET is. Files of the page are served under their own paths. " +
  "A body that is not whole within 10 s is answered with 408."

/** Answers that every route may give: 400 for a malformed path, 405 with `Allow`, 500. */
const otherReplies = refused(
  "The path is malformed (400), the method is wrong (405), or the world failed (500, 503)",
)

function operationOf(route: Route, schemas: Map<string, Json>): Json {
  const { method, path, summary, params, body, credential } = route
  const replies = Object.entries({ ...route.replies, default: otherReplies })
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(credential === undefined ? {} : { security: [{ [credential]: [] }] }),
    ...(params === undefined ? {} : { parameters: parametersOf(params) }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body, schemas) }),
    responses: Object.fromEntries(replies.map(([status, reply]) => [status, replyOf(reply, schemas)])),
  }
}

/** Rewrites `/api/tilesets/:id{…}` as `/api/tilesets/{id}`. */
function templateOf(pattern: string): string {
  return pattern.replaceAll(/:(\w+)(?:\{(?:\[\^\/\]|\.)\*\})?/g, "{$1}")
}

/** Joins the method and the words of the path: `postAuthSessionNameRenew`. */
function operationIdOf(method: string, pattern: string): string {
  const words = templateOf(pattern).match(/[A-Za-z]+/g) ?? ["root"]
  return [method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join("")
}

function parametersOf(params: z.ZodObject<Record<string, z.ZodType>>): readonly Json[] {
  return Object.entries(params.shape).map(([name, schema]) => ({
    name,
    in: "path",
    required: true,
    schema: schemaOf(schema),
  }))
}

function bodyOf(body: z.ZodObject, schemas: Map<string, Json>): Json {
  const media = { schema: referTo(body, schemas) }
  const content = { "application/json": media, "application/x-www-form-urlencoded": media }
  return { required: true, content }
}

function replyOf({ description: text, content }: RouteReply, schemas: Map<string, Json>): Json {
  const media = Object.entries(content).map(([contentType, schema]) => {
    return [contentType, schema === undefined ? {} : { schema: referTo(schema, schemas) }] as const
  })
  return { description: text, content: Object.fromEntries(media) }
}

/** Puts a schema with a title among the components, and returns a reference to it. */
function referTo(schema: z.ZodType, schemas: Map<string, Json>): Json {
  const { title } = schema.meta() ?? {}
  if (title === undefined) return schemaOf(schema)
  schemas.set(title, schemaOf(schema))
  return { $ref: `#/components/schemas/${title}` }
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" })
  return rest
}
