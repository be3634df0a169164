// Every public function that takes options refuses an unknown name, and names the nearest valid one: a misspelt option would
// otherwise leave its default in force.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { EventBus, createClient, exponential, fixed, linear } from "@hawser/client"
import { createClient as createCore } from "@hawser/client/core"
import {
  HawserError,
  defineContract,
  defineReplica,
  defineTopic,
  integer,
  mergeContracts,
  real,
} from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer, jwt } from "@hawser/server"
import { serveWithBun } from "@hawser/server/bun"
import { registerMetrics } from "@hawser/server/metrics"
import { profile20 } from "@hawser/server/profile20"
import { callHandler } from "@hawser/server/testing"
import { Registry } from "prom-client"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const none = z.object({})
const contract = defineContract({
  name: "options",
  commands: { move: { input: none } },
  queries: { look: { input: none } },
  streams: { watch: { input: none, item: none } },
  events: { said: { payload: none } },
  replicas: { scores: defineReplica({ fields: { points: integer() } }) },
  topics: { chat: defineTopic({ events: ["said"], presence: none }) },
  errors: { full: null },
})

const authenticate = (id: string): { readonly id: string } => ({ id })
const server = (): object => createServer(contract, { authenticate })
const client = (): object => createClient(contract, { url: "ws://here/ws", token: "t", autoConnect: false })
const topic = (): unknown => method(client(), "topic")("chat:a")
const copy = (): unknown => method(client(), "replica")("scores")
const listener = (): void => {}

type Untyped = (...given: readonly unknown[]) => unknown

/** Returns a function as untyped code calls it. */
function untyped(work: unknown): Untyped {
  if (typeof work !== "function") throw new Error("this is no function")
  return (...given) => {
    const result: unknown = Reflect.apply(work, undefined, given)
    return result
  }
}

/** Returns a method as untyped code calls it. */
function method(object: unknown, ...path: readonly [string, ...string[]]): Untyped {
  let owner: unknown = object
  let found: unknown = object
  for (const name of path) {
    owner = found
    if (typeof owner !== "object" || owner === null) throw new Error(`nothing has ${name}`)
    found = Reflect.get(owner, name)
  }
  if (typeof found !== "function") throw new Error(`there is no ${path.join(".")}`)
  return (...given) => {
    const result: unknown = Reflect.apply(found, owner, given)
    return result
  }
}

/** A call with options: `types` are the public types of its options, `use` the call, `wrong` and `right` a name. */
interface Case {
  readonly what: string
  readonly types?: readonly string[]
  readonly use: (options: object) => unknown
  readonly wrong: string
  readonly right: string
}

const contractWith =
  (part: string) =>
  (spec: object): unknown =>
    untyped(defineContract)({ name: "c", [part]: { one: spec } })

const contracts: readonly Case[] = [
  { what: "defineContract", use: untyped(defineContract), wrong: "command", right: "commands" },
  { what: 'command "one"', use: contractWith("commands"), wrong: "inptu", right: "input" },
  { what: 'query "one"', use: contractWith("queries"), wrong: "outputs", right: "output" },
  { what: 'stream "one"', use: contractWith("streams"), wrong: "items", right: "item" },
  { what: 'event "one"', use: contractWith("events"), wrong: "paylod", right: "payload" },
  { what: 'topic "one"', use: contractWith("topics"), wrong: "event", right: "events" },
  {
    what: 'limit of contract "c": command "one"',
    use: (limit) => contractWith("commands")({ limit }),
    wrong: "everMs",
    right: "everyMs",
  },
  { what: "defineTopic", use: untyped(defineTopic), wrong: "event", right: "events" },
  { what: "defineReplica", use: untyped(defineReplica), wrong: "field", right: "fields" },
  {
    what: "area of defineReplica",
    use: (area) => untyped(defineReplica)({ fields: { x: integer() }, area }),
    wrong: "cellsize",
    right: "cellSize",
  },
  { what: "integer", types: ["IntegerOptions"], use: untyped(integer), wrong: "mni", right: "min" },
  { what: "real", types: ["RealOptions"], use: untyped(real), wrong: "steps", right: "step" },
  {
    what: "HawserError",
    types: ["HawserErrorOptions"],
    use: (options) => new HawserError("forbidden", options),
    wrong: "mesage",
    right: "message",
  },
  {
    what: "HawserError",
    types: ["ContractErrorOptions"],
    use: (options) => method(contract, "error")("full", options),
    wrong: "mesage",
    right: "message",
  },
  {
    what: "createMemoryNetwork",
    types: ["MemoryNetworkOptions"],
    use: untyped(createMemoryNetwork),
    wrong: "latency",
    right: "latencyMs",
  },
]

const servers: readonly Case[] = [
  {
    what: "createServer",
    types: ["ServerOptions"],
    use: (options) => untyped(createServer)(contract, { authenticate, ...options }),
    wrong: "onEror",
    right: "onError",
  },
  {
    what: "limits",
    use: (limits) => untyped(createServer)(contract, { authenticate, limits }),
    wrong: "resumeWindow",
    right: "resumeWindowMs",
  },
  {
    what: "limits.clientMessage",
    use: (clientMessage) => untyped(createServer)(contract, { authenticate, limits: { clientMessage } }),
    wrong: "maxByte",
    right: "maxBytes",
  },
  {
    what: "userRecord of createServer",
    use: (userRecord) => untyped(createServer)(contract, { authenticate, userRecord }),
    wrong: "packs",
    right: "pack",
  },
  { what: "profile20", use: untyped(profile20), wrong: "replys", right: "replies" },
  {
    what: "replies of profile20",
    use: (replies) =>
      untyped(createServer)(contract, { authenticate, profile20: untyped(profile20)({ replies }) }),
    wrong: "mvoe",
    right: "move",
  },
  {
    what: "jwt",
    types: ["JwtOptions"],
    use: (options) => untyped(jwt)({ secret: "s".repeat(32), ...options }),
    wrong: "issueer",
    right: "issuer",
  },
  {
    what: 'the command "move"',
    types: ["HandlerOptions"],
    use: (options) => method(server(), "command")("move", options, listener),
    wrong: "oder",
    right: "order",
  },
  {
    what: 'topicKind("chat")',
    use: (rules) => method(server(), "topicKind")("chat", rules),
    wrong: "canjoin",
    right: "canJoin",
  },
  {
    what: 'history of topicKind("chat")',
    use: (history) => method(server(), "topicKind")("chat", { history }),
    wrong: "maxcounts",
    right: "maxCount",
  },
  {
    what: "broadcast",
    types: ["PublishOptions"],
    use: (options) => method(server(), "broadcast")("said", {}, options),
    wrong: "excpet",
    right: "except",
  },
  {
    what: "publish",
    use: (options) => method(method(server(), "topic")("chat:a"), "publish")("said", {}, options),
    wrong: "excepts",
    right: "except",
  },
  {
    what: "endSessions",
    types: ["EndSessionsOptions"],
    use: (options) => method(server(), "endSessions")({ user: "ann", ...options }),
    wrong: "codes",
    right: "code",
  },
  {
    what: "listen",
    types: ["ListenOptions"],
    use: (options) => method(server(), "listen")(options),
    wrong: "prot",
    right: "port",
  },
  {
    what: "serveWithBun",
    use: (options) => untyped(serveWithBun)(server(), options),
    wrong: "hots",
    right: "host",
  },
  {
    what: "drain",
    types: ["DrainOptions"],
    use: (options) => method(server(), "drain")(options),
    wrong: "graceMS_",
    right: "graceMs",
  },
  {
    what: "close",
    types: ["CloseOptions"],
    use: (options) => method(server(), "close")(options),
    wrong: "backinMs",
    right: "backInMs",
  },
  {
    what: "callHandler",
    use: (call) => untyped(callHandler)(server(), "move", call),
    wrong: "inputs",
    right: "input",
  },
  {
    what: "registerMetrics",
    types: ["MetricsOptions"],
    use: (options) => untyped(registerMetrics)(server(), { registry: new Registry(), ...options }),
    wrong: "prefx",
    right: "prefix",
  },
]

const clients: readonly Case[] = [
  {
    what: "createClient",
    types: ["ClientOptions"],
    use: (options) =>
      untyped(createClient)(contract, { url: "ws://here/ws", token: "t", autoConnect: false, ...options }),
    wrong: "autoconect",
    right: "autoConnect",
  },
  {
    what: "createClient",
    types: ["CoreClientOptions"],
    use: (options) =>
      untyped(createCore)(contract, { url: "ws://here/ws", token: "t", autoConnect: false, ...options }),
    wrong: "tokn",
    right: "token",
  },
  {
    what: "limits",
    use: (limits) =>
      untyped(createClient)(contract, { url: "ws://here/ws", token: "t", autoConnect: false, limits }),
    wrong: "dialburts",
    right: "dialBurst",
  },
  {
    what: "exponential",
    types: ["StrategyOptions"],
    use: untyped(exponential),
    wrong: "facto",
    right: "factor",
  },
  { what: "linear", use: untyped(linear), wrong: "baseMS_", right: "baseMs" },
  { what: "fixed", use: untyped(fixed), wrong: "maxMs_", right: "maxMs" },
  {
    what: "connect",
    types: ["ConnectOptions"],
    use: (options) => method(client(), "connect")(options),
    wrong: "timeout",
    right: "timeoutMs",
  },
  {
    what: '"move"',
    types: ["CallOptions"],
    use: (options) => method(client(), "command")("move", {}, options),
    wrong: "timeout",
    right: "timeoutMs",
  },
  {
    what: '"look"',
    use: (options) => method(client(), "query")("look", {}, options),
    wrong: "kye",
    right: "key",
  },
  {
    what: '"watch"',
    types: ["StreamOptions"],
    use: (options) => method(client(), "stream")("watch", {}, options),
    wrong: "windw",
    right: "window",
  },
  {
    what: 'a listener of "said"',
    use: (options) => method(client(), "on")("said", listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: 'a listener of "said"',
    use: (options) => method(client(), "once")("said", listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: 'a listener of "status"',
    use: (options) => method(client(), "onStatus")(listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: 'a listener of "session"',
    use: (options) => method(client(), "onSession")(listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: 'a listener of "any"',
    use: (options) => method(new EventBus({ onError: listener }), "on")("any", listener, options),
    wrong: "signl",
    right: "signal",
  },
  ...["join", "publish", "setState", "log"].map((name, at): Case => ({
    what: ['join of "chat:a"', 'publish to "chat:a"', 'setState of "chat:a"', 'log of "chat:a"'][at] ?? "",
    types: [["JoinOptions", "PublishOptions", "CallOptions", "LogOptions"][at] ?? ""],
    use: (options) => {
      const first: readonly (readonly unknown[])[] = [[], ["said", {}], [{}], []]
      return method(topic(), name)(...(first[at] ?? []), options)
    },
    wrong: ["recnet", "ecko", "timeout", "sise"][at] ?? "",
    right: ["recent", "echo", "timeoutMs", "size"][at] ?? "",
  })),
  ...["onGap", "onLeft"].map((name): Case => ({
    what: "a listener of",
    use: (options) => method(topic(), name)(listener, options),
    wrong: "signl",
    right: "signal",
  })),
  {
    what: 'a listener of "said"',
    use: (options) => method(topic(), "on")("said", listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: "a listener of",
    use: (options) => method(topic(), "presence", "subscribe")(listener, options),
    wrong: "signl",
    right: "signal",
  },
  {
    what: 'a listener of "enter"',
    use: (options) => method(copy(), "on")("enter", listener, options),
    wrong: "signl",
    right: "signal",
  },
  ...["onStale", "subscribe"].map((name): Case => ({
    what: "a listener of",
    use: (options) => method(copy(), name)(listener, options),
    wrong: "signl",
    right: "signal",
  })),
]

describe.each<readonly [string, readonly Case[]]>([
  ["the contract", contracts],
  ["the server", servers],
  ["the client", clients],
])("an unknown option of %s", (_name, cases) => {
  it.each(cases)("is refused with the nearest name: $what, $wrong", async ({ use, what, wrong, right }) => {
    let thrown: unknown
    try {
      await use({ [wrong]: 5 })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    const sentence = `has no option "${wrong}". Did you mean "${right}"? Valid names: `
    expect(thrown).toHaveProperty("message", expect.stringContaining(sentence))
    expect(thrown).toHaveProperty("message", expect.stringContaining(what))
  })
})

describe("the table of options", () => {
  it("has each public type of options", () => {
    const root = join(import.meta.dirname, "../../packages")
    const entries = [
      ...["protocol/src/index.ts", "protocol/src/testing/index.ts", "server/src/index.ts"],
      ...["server/src/bun.ts", "server/src/metrics.ts", "client/src/public.ts", "client/src/core.ts"],
    ]
    const sources = entries.map((path) => readFileSync(join(root, path), "utf8"))
    const named = sources.flatMap((source) => source.match(/\b[A-Z]\w*Options\b/g) ?? [])
    const tested = [...contracts, ...servers, ...clients].flatMap(({ types = [] }) => types)
    // An EventBus takes any object with `onError`. A simulated network is a tool of tests, whose types are checked.
    // `queryOptions` returns the QueryOptions.
    const others = ["EventBusOptions", "SimulatedNetworkOptions", "QueryOptions"]
    expect([...new Set(named)].filter((name) => ![...tested, ...others].includes(name))).toEqual([])
  })
})

describe("a contract of untyped code", () => {
  it.each<readonly [string, unknown, string]>([
    ["nothing", undefined, "defineContract needs options: defineContract({ name:"],
    ["no name", {}, "the name of a contract must be a text, not nothing"],
    ["commands as a list", { name: "c", commands: 5 }, "commands of defineContract must be an object, not 5"],
    [
      "no spec",
      { name: "c", commands: { go: undefined } },
      'contract "c": command "go" must be an object, not nothing',
    ],
    [
      "an input that is no schema",
      { name: "c", commands: { go: { input: { x: 1 } } } },
      'contract "c": command "go": input must be a schema, such as z.object({ … }), not a map',
    ],
    ["a stream without items", { name: "c", streams: { go: {} } }, 'stream "go": item must be a schema'],
    ["an event without a payload", { name: "c", events: { go: {} } }, 'event "go": payload must be a schema'],
    [
      "a topic without events",
      { name: "c", topics: { go: {} } },
      'topic "go": events must be a list of the names of events, not nothing',
    ],
    [
      "an error that is no schema",
      { name: "c", errors: { full: "text" } },
      'the details of error "full" of contract "c" must be a schema',
    ],
  ])("is refused with %s", (_title, spec, sentence) => {
    expect(() => untyped(defineContract)(spec)).toThrow(TypeError)
    expect(() => untyped(defineContract)(spec)).toThrow(sentence)
  })

  it("passes through mergeContracts as a whole", () => {
    const other = defineContract({ name: "other", queries: { names: {} } })
    expect(Object.keys(mergeContracts(contract, other).queries)).toEqual(["look", "names"])
  })
})

it("a handler's `use` must be a list", () => {
  expect(() => method(server(), "command")("move", { use: listener }, listener)).toThrow(
    new TypeError(
      '`use` of the command "move" must be a list of functions (call, next) => result, not a function',
    ),
  )
})

it("a client's `use` must be a list", () => {
  const options = { url: "ws://here/ws", token: "t", autoConnect: false, use: "topics" }
  expect(() => untyped(createCore)(contract, options)).toThrow(
    "use is a string, not a list: pass [topics(), replicas(), streams()]",
  )
})

it("endSessions needs the id of a user", async () => {
  const clock = new SimulatedClock()
  const running = createServer(contract, { authenticate, clock })
  await expect(method(running, "endSessions")({ users: "ann" })).rejects.toThrow('Did you mean "user"?')
  await expect(method(running, "endSessions")({})).rejects.toThrow(
    "the option user of endSessions must be a text that is not empty, not nothing",
  )
})
