// Calls each route that `GET /openapi.json` describes, using only the document and the names in earlier answers.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { z } from "zod"
import { WorldProcess } from "./start-world.ts"

const metricsToken = "a-token-of-24-characters"
const world = new WorldProcess({ env: { METRICS_TOKEN: metricsToken } })

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null
const jsonSchema = z.custom<z.core.JSONSchema.JSONSchema>(isObject)
const media = z.object({ schema: jsonSchema.optional() })
const operationSchema = z.object({
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  parameters: z.array(z.object({ name: z.string(), in: z.literal("path") })).default([]),
  requestBody: z.object({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), media) })),
})
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({
    schemas: z.record(z.string(), jsonSchema),
    securitySchemes: z.record(z.string(), z.object({ type: z.string(), name: z.string().optional() })),
  }),
})

type Operation = z.infer<typeof operationSchema>
type Schema = z.core.JSONSchema.JSONSchema

interface Call {
  /** Values of the parameters in the path. */
  readonly values?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams
}

let document: z.infer<typeof documentSchema>
let values: Record<string, string> = {}
const reached = new Set<string>()

/** Resolves a reference to one of the components. */
function resolved(schema: Schema): Schema {
  const name = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref ?? "")?.[1]
  return name === undefined ? schema : (document.components.schemas[name] ?? {})
}

function operationAt(name: string): Operation {
  const [method = "", path = ""] = name.split(" ")
  return operationSchema.parse(document.paths[path]?.[method.toLowerCase()])
}

/** Returns the body made of the first examples in the schema. */
function exampleOf({ requestBody }: Operation): Record<string, unknown> | undefined {
  const schema = requestBody?.content["application/json"]?.schema
  if (schema === undefined) return undefined
  const properties = z.record(z.string(), z.object({ examples: z.array(z.unknown()) }))
  const examples = properties.parse(resolved(schema).properties)
  return Object.fromEntries(Object.entries(examples).map(([name, one]) => [name, one.examples[0]]))
}

/** Returns the header fields of the operation's authentication. */
async function credentialsOf({ security }: Operation): Promise<Record<string, string>> {
  const [scheme] = Object.keys(security[0] ?? {})
  if (scheme === undefined) return {}
  if (scheme === "metricsToken") return { Authorization: `Bearer ${metricsToken}` }
  const login = await call("POST /auth/login")
  const { access_token } = z.object({ access_token: z.string() }).parse(login.body)
  if (scheme === "accessToken") return { Authorization: `Bearer ${access_token}` }
  const [cookie = ""] = login.headers.get("set-cookie")?.split(";") ?? []
  expect(cookie.split("=")[0]).toBe(document.components.securitySchemes[scheme]?.name)
  return { Cookie: cookie }
}

/** Calls an operation. Checks that the document contains the status, the content type and the body of the answer. */
async function call(name: string, given: Call = {}) {
  const operation = operationAt(name)
  const [method = "", template = ""] = name.split(" ")
  const path = template.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
    expect(operation.parameters.map((parameter) => parameter.name)).toContain(key)
    return encodeURIComponent({ ...values, ...given.values }[key] ?? "")
  })
  const example = exampleOf(operation)
  const body = given.body ?? (example === undefined ? undefined : JSON.stringify(example))
  const headers = given.headers ?? (await credentialsOf(operation))
  const response = await fetch(`${world.url}${path}`, {
    method,
    headers: typeof body === "string" ? { "Content-Type": "application/json", ...headers } : headers,
    ...(body === undefined ? {} : { body }),
  })
  const { status } = response
  const described = operation.responses[String(status)]
  expect(described, `${name} answers ${status}`).toBeDefined()
  reached.add(`${name} ${status}`)
  const contentType = response.headers.get("content-type")?.split(";")[0] ?? ""
  expect(Object.keys(described?.content ?? {})).toContain(contentType)
  if (contentType !== "application/json")
    return { status, headers: response.headers, body: await response.text() }
  const schema = described?.content[contentType]?.schema
  const answer: unknown = await response.json()
  z.fromJSONSchema(schema === undefined ? false : resolved(schema)).parse(answer)
  return { status, headers: response.headers, body: answer }
}

const names = (): readonly string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )

beforeAll(async () => {
  await world.start()
  document = documentSchema.parse(await (await fetch(`${world.url}/openapi.json`)).json())
}, 60_000)
afterAll(() => world.remove())

describe("GET /openapi.json", { timeout: 60_000 }, () => {
  it("describes how each route is called and what it answers", async () => {
    const account = await call("POST /auth/register")
    expect(account.status).toBe(201)
    const { username, map_id } = z.object({ username: z.string(), map_id: z.string() }).parse(account.body)
    values = { name: username, mapId: map_id, path: "body/human.png" }
    const { body } = await call("GET /api/maps/{mapId}/tilesets")
    const [tileset] = z.array(z.object({ id: z.string(), image_source: z.string() })).parse(body)
    values = { ...values, id: tileset?.id ?? "", file: tileset?.image_source ?? "" }
    const statuses: Record<string, number> = {}
    for (const name of names()) {
      if (name !== "POST /auth/register") statuses[name] = (await call(name)).status
    }
    const others = Object.entries(statuses).filter(([, status]) => status !== 200)
    expect(Object.fromEntries(others)).toEqual({ "GET /ws": 426, "GET /api/sprites/{path}": 404 })
  })

  it("describes the refusals", async () => {
    for (const name of names()) {
      const { security, requestBody } = operationAt(name)
      if (security.length > 0 && !name.endsWith("/end")) {
        expect((await call(name, { headers: {} })).status).toBe(401)
      }
      if (requestBody === undefined) continue
      expect(Object.keys(requestBody.content)).toEqual([
        "application/json",
        "application/x-www-form-urlencoded",
      ])
      expect((await call(name, { body: "{" })).status).toBe(422)
      expect((await call(name, { body: "{}" })).status).toBe(422)
      expect((await call(name, { body: new URLSearchParams({ username: "" }) })).status).toBe(422)
      expect((await call(name, { body: " ".repeat(17_000) })).status).toBe(413)
    }
    const wrong = JSON.stringify({ username: "anna", password: "wrong horse" })
    expect((await call("POST /auth/login", { body: wrong })).status).toBe(401)
    expect((await call("POST /auth/register")).status).toBe(400)
    const none = { name: "a", mapId: "none", id: "none", file: "none.png" }
    for (const name of names().filter((one) => operationAt(one).parameters.length > 0))
      expect((await call(name, { values: none })).status).toBe(404)
    expect((await call("GET /api/tilesets/{file}", { values: { file: "../map.json" } })).status).toBe(400)
  })

  it("describes no other status, but those of a full, closing or guarded world", () => {
    const described = names().flatMap((name) =>
      Object.keys(operationAt(name).responses).map((status) => `${name} ${status}`),
    )
    const rest = described.filter((one) => !reached.has(one) && !one.endsWith(" default"))
    expect(new Set(rest.map((one) => one.split(" ")[2]))).toEqual(new Set(["101", "403", "429", "503"]))
  })
})
