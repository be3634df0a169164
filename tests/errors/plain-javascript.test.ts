// Wrong uses that the types refuse and plain JavaScript lets pass: each is refused at the call, and the sentence names the
// value and the right form.
import { createClient, exponential, fixed } from "@hawser/client"
import { defineContract, defineReplica, defineTopic, integer } from "@hawser/protocol"
import { createServer, jwt } from "@hawser/server"
import { profile20 } from "@hawser/server/profile20"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const contract = defineContract({
  name: "plain",
  commands: { move: { input: z.object({}), output: z.object({}) } },
  events: { said: { payload: z.object({}) } },
  replicas: {
    scores: defineReplica({ fields: { points: integer() } }),
    players: defineReplica({
      fields: { x: integer(), y: integer() },
      area: { x: "x", y: "y", cellSize: 10 },
    }),
  },
  topics: { chat: defineTopic({ events: ["said"] }) },
})

/** Calls a function or a method as untyped code does. */
function untyped(work: unknown, ...given: readonly unknown[]): unknown {
  if (typeof work !== "function") throw new Error("this is no function")
  const result: unknown = Reflect.apply(work, undefined, given)
  return result
}

const authenticate = (id: string): { readonly id: string } => ({ id })
const serve = (options: object = {}): unknown => untyped(createServer, contract, { authenticate, ...options })
const connect = (options: object = {}): unknown =>
  untyped(createClient, contract, { url: "ws://here/ws", token: "t", autoConnect: false, ...options })

type Case = readonly [title: string, use: () => unknown, kind: "TypeError" | "RangeError", sentence: string]

const noContract = "must be a contract, not nothing: pass the result of defineContract"

const serverCases: readonly Case[] = [
  [
    "createServer()",
    () => untyped(createServer),
    "TypeError",
    `the first argument of createServer ${noContract}`,
  ],
  [
    "createServer(contract)",
    () => untyped(createServer, contract),
    "TypeError",
    "the option authenticate of createServer is nothing, not a function: write authenticate: (token) => ({ id: … })",
  ],
  [
    "no authenticate",
    () => untyped(createServer, contract, {}),
    "TypeError",
    "or authenticate: jwt({ secret })",
  ],
  [
    "profile20: true",
    () => serve({ profile20: true }),
    "TypeError",
    "pass profile20() of @hawser/server/profile20",
  ],
  [
    "origins as text",
    () => serve({ origins: "https://game.example" }),
    "TypeError",
    'the option origins of createServer must be a list or a function, not "https://game.example"',
  ],
  [
    "an unknown sessionPolicy",
    () => serve({ sessionPolicy: "newest" }),
    "TypeError",
    'must be "newestWins" or "oldestWins", not "newest"',
  ],
  [
    "a misspelt option",
    () => serve({ onEror: () => {} }),
    "TypeError",
    'createServer has no option "onEror". Did you mean "onError"? Valid names: authenticate, limits, ',
  ],
  [
    "a far option",
    () => serve({ verbose: true }),
    "TypeError",
    'no option "verbose". Valid names: authenticate',
  ],
  [
    "a misspelt limit",
    () => serve({ limits: { helloMaxByte: 5 } }),
    "TypeError",
    'limits has no option "helloMaxByte". Did you mean "helloMaxBytes"?',
  ],
  [
    "a misspelt nested limit",
    () => serve({ limits: { message: { maxbyte: 5 } } }),
    "TypeError",
    'limits.message has no option "maxbyte". Did you mean "maxBytes"? Valid names: maxBytes, maxDepth',
  ],
  [
    "a limit as text",
    () => serve({ limits: { helloMaxBytes: "8k" } }),
    "RangeError",
    'limits.helloMaxBytes must be a number above 0 and at most 2147483647, not "8k"',
  ],
  ["limits as a number", () => serve({ limits: 5 }), "TypeError", "limits must be an object, not 5"],
  [
    "onError as text",
    () => serve({ onError: "log" }),
    "TypeError",
    "onError of createServer must be a function",
  ],
  [
    "trustProxy as text",
    () => serve({ trustProxy: "yes" }),
    "TypeError",
    "trustProxy of createServer must be a boolean",
  ],
  [
    "a short resumeKey",
    () => serve({ resumeKey: new Uint8Array(31) }),
    "RangeError",
    "the option resumeKey of createServer has 31 bytes; it needs at least 32",
  ],
  ["a resumeKey as text", () => serve({ resumeKey: "x".repeat(40) }), "TypeError", "must be a Uint8Array"],
  [
    "jwt()",
    () => untyped(jwt),
    "TypeError",
    "jwt needs options: jwt({ secret }), or jwt({ key, algorithm })",
  ],
  [
    "a misspelt option of jwt",
    () => untyped(jwt, { secret: "s".repeat(32), issueer: "me" }),
    "TypeError",
    'jwt has no option "issueer". Did you mean "issuer"?',
  ],
  [
    "a misspelt option of profile20",
    () => untyped(profile20, { request: {} }),
    "TypeError",
    'profile20 has no option "request". Did you mean "requests"?',
  ],
]

/** Returns a method, bound to its object. */
function method(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) throw new Error("this is no object")
  const found: unknown = Reflect.get(object, name)
  if (typeof found !== "function") throw new Error(`there is no ${name}`)
  return (...given: readonly unknown[]): unknown => Reflect.apply(found, object, given)
}

const methodCases: readonly Case[] = [
  [
    "attach()",
    () => untyped(method(serve(), "attach")),
    "TypeError",
    "attach needs an HTTP server of Node, not nothing: pass the result of http.createServer()",
  ],
  [
    "command without a function",
    () => untyped(method(serve(), "command"), "move"),
    "TypeError",
    'the handler of the command "move" must be a function, not nothing',
  ],
  [
    'topicKind("chat")',
    () => untyped(method(serve(), "topicKind"), "chat"),
    "TypeError",
    'the second argument of topicKind("chat") must be an object, not nothing',
  ],
  [
    "a misspelt rule",
    () => untyped(method(serve(), "topicKind"), "chat", { canjoin: () => true }),
    "TypeError",
    'topicKind("chat") has no option "canjoin". Did you mean "canJoin"?',
  ],
  [
    "a rule of the wrong type",
    () => untyped(method(serve(), "topicKind"), "chat", { canJoin: true }),
    "TypeError",
    'the option canJoin of topicKind("chat") must be a function, not true',
  ],
  [
    "a misspelt bound of a history",
    () => untyped(method(serve(), "topicKind"), "chat", { history: { count: 5 } }),
    "TypeError",
    'history of topicKind("chat") has no option "count"',
  ],
  [
    "a misspelt option of close",
    () => untyped(method(serve(), "close"), { backinMs: 5 }),
    "TypeError",
    'close has no option "backinMs". Did you mean "backInMs"?',
  ],
  [
    "an unknown replica",
    () => untyped(method(serve(), "replica"), "score"),
    "TypeError",
    'the contract "plain" has no replica "score". Did you mean "scores"? Valid names: scores, players',
  ],
  [
    "an unknown command",
    () => untyped(method(serve(), "command"), "mvoe", () => {}),
    "TypeError",
    'the contract "plain" has no command "mvoe". Did you mean "move"? Valid names: move',
  ],
  [
    "an unknown event",
    () => untyped(method(serve(), "broadcast"), "sayd", {}),
    "TypeError",
    'the contract "plain" has no event "sayd". Did you mean "said"? Valid names: said',
  ],
  [
    "an unknown topic kind",
    () => untyped(method(serve(), "topicKind"), "char", {}),
    "TypeError",
    'the contract "plain" has no topic "char". Did you mean "chat"? Valid names: chat',
  ],
  ...["onSession", "onSessionEnd", "onAttachment", "onSuspicion"].map((name): Case => [
    `${name} without a function`,
    () => untyped(method(serve(), name)),
    "TypeError",
    `the hook of ${name} must be a function, not nothing`,
  ]),
  [
    "a text in place of a session",
    () => untyped(method(serve(), "multicast"), ["ann"], "said", {}),
    "TypeError",
    'cannot publish to "ann": it is no session, such as that of onSession',
  ],
  [
    "an object in place of a session",
    () => untyped(method(untyped(method(serve(), "topic"), "chat:a"), "subscribe"), {}),
    "TypeError",
    "cannot subscribe a map: it is no session, such as that of onSession",
  ],
]

const clientCases: readonly Case[] = [
  [
    "createClient()",
    () => untyped(createClient),
    "TypeError",
    `the first argument of createClient ${noContract}`,
  ],
  [
    "createClient({}, …)",
    () => untyped(createClient, {}, { url: "ws://here/ws" }),
    "TypeError",
    "not another object",
  ],
  [
    "createClient(contract)",
    () => untyped(createClient, contract),
    "TypeError",
    "createClient needs options: createClient(contract, { url, token })",
  ],
  ...[undefined, 5].map((token): Case => [
    `token: ${String(token)}`,
    () => connect({ token }),
    "TypeError",
    `token is ${String(token)}: pass a string, or a function that returns one`,
  ]),
  [
    "reconnect: 1000",
    () => connect({ reconnect: 1000 }),
    "TypeError",
    "reconnect is 1000: pass a strategy such as",
  ],
  [
    "reconnect: true",
    () => connect({ reconnect: true }),
    "TypeError",
    "reconnect is true: pass a strategy such as",
  ],
  [
    "a misspelt option",
    () => connect({ autoconnect: true }),
    "TypeError",
    'createClient has no option "autoconnect". Did you mean "autoConnect"?',
  ],
  [
    "onError as text",
    () => connect({ onError: "log" }),
    "TypeError",
    "onError of createClient must be a function",
  ],
  [
    "a limit as text",
    () => connect({ limits: { requestTimeoutMs: "5s" } }),
    "RangeError",
    'limits.requestTimeoutMs must be a number above 0 and at most 2147483647, not "5s"',
  ],
  [
    "a misspelt delay",
    () => untyped(fixed, { baseMS: 5 }),
    "TypeError",
    'fixed has no option "baseMS". Did you mean',
  ],
  [
    "a delay as text",
    () => untyped(exponential, { baseMs: "5" }),
    "RangeError",
    'milliseconds from 0, not "5"',
  ],
]

const contractCases: readonly Case[] = [
  [
    "delivery: unreliable",
    () =>
      untyped(defineContract, {
        name: "c",
        events: { e: { payload: z.object({}), delivery: "unreliable" } },
      }),
    "TypeError",
    'contract "c": event "e": delivery must be "reliable" or "volatile", not "unreliable"',
  ],
  [
    "a replica of schemas",
    () => untyped(defineReplica, { fields: { x: z.number() } }),
    "TypeError",
    'the field "x" of a replica must be the result of integer, real, flag, oneOf, text or optional, not a map',
  ],
  [
    "a misspelt area of a replica",
    () => untyped(defineReplica, { fields: { x: integer() }, aera: {} }),
    "TypeError",
    'defineReplica has no option "aera". Did you mean "area"?',
  ],
]

describe.each<readonly [string, readonly Case[]]>([
  ["createServer", serverCases],
  ["a method of the server", methodCases],
  ["createClient", clientCases],
  ["the contract", contractCases],
])("%s", (_name, cases) => {
  it.each(cases)("refuses %s", (...[, use, kind, sentence]) => {
    let thrown: unknown
    try {
      use()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toHaveProperty("name", kind)
    expect(thrown).toHaveProperty("message", expect.stringContaining(sentence))
  })
})

describe("a rate limit of a contract", () => {
  it.each([
    [{ everyMs: 0 }, "everyMs must be a number above 0, not 0"],
    [{ everyMs: Number.NaN }, "everyMs must be a number above 0, not NaN"],
    [{ everyMs: "1s" }, 'everyMs must be a number above 0, not "1s"'],
    [{ everyMs: 5, burst: 0 }, "burst must be a number from 1, not 0"],
    [{ everyMs: 5, burst: 0.5 }, "burst must be a number from 1, not 0.5"],
    [{ everyMs: 5, burst: -1 }, "burst must be a number from 1, not -1"],
    [{ everyMs: 5, burst: Number.NaN }, "burst must be a number from 1, not NaN"],
  ])("is checked in defineContract: %j", (limit, sentence) => {
    const none = z.object({})
    for (const spec of [
      { commands: { go: { input: none, output: none, limit } } },
      { queries: { go: { input: none, output: none, limit } } },
      { streams: { go: { input: none, item: none, limit } } },
    ])
      expect(() => untyped(defineContract, { name: "c", ...spec })).toThrow(
        new RangeError(`contract "c": "go": limit.${sentence}`),
      )
  })
})

describe("a listener at the client", () => {
  it("is refused if it is no function", () => {
    const client = createClient(contract, { url: "ws://here/ws", token: "t", autoConnect: false })
    const topic = client.topic("chat:a")
    const scores = client.replica("scores")
    const sites: readonly (readonly [object, string, ...string[]])[] = [
      ...([
        [client, "on", "said"],
        [client, "once", "said"],
        [client, "onStatus"],
        [client, "onSession"],
      ] as const),
      ...([
        [topic, "on", "said"],
        [topic, "onGap"],
        [topic, "onLeft"],
      ] as const),
      ...([
        [topic.presence, "subscribe"],
        [topic.log(), "subscribe"],
        [client.stores.status, "subscribe"],
      ] as const),
      ...([
        [scores, "on", "enter"],
        [scores, "subscribe"],
        [scores, "onStale"],
      ] as const),
      [scores.record("ann"), "subscribe"],
    ]
    for (const [object, name, ...given] of sites)
      expect(() => untyped(method(object, name), ...given), name).toThrow(
        /^the listener of ".+" must be a function, not nothing$/,
      )
    client.close()
  })

  it("is refused for an event that the topic or the replica lacks", () => {
    const client = createClient(contract, { url: "ws://here/ws", token: "t", autoConnect: false })
    const topic = client.topic("chat:a")
    expect(() => untyped(method(topic, "on"), "sayd", () => {})).toThrow(
      new TypeError('the topic "chat:a" has no event "sayd". Did you mean "said"? Valid names: said'),
    )
    const scores = client.replica("scores")
    expect(() => untyped(method(scores, "on"), "entered", () => {})).toThrow(
      'a replica has no event "entered"; its events: enter, change, leave',
    )
    client.close()
  })

  it("rejects calls with an unknown option", async () => {
    const client = createClient(contract, { url: "ws://here/ws", token: "t", autoConnect: false })
    const topic = client.topic("chat:a")
    await expect(untyped(method(client, "command"), "move", {}, { timeout: 5 })).rejects.toThrow(
      '"move" has no option "timeout". Did you mean "timeoutMs"? Valid names: signal, timeoutMs, whenOffline, key',
    )
    await expect(untyped(method(topic, "join"), { recnet: 5 })).rejects.toThrow(
      'no option "recnet". Did you mean "recent"?',
    )
    await expect(untyped(method(topic, "publish"), "said", {}, { ecko: false })).rejects.toThrow('"echo"')
    await expect(untyped(method(client, "connect"), { timeoutMS: 5 })).rejects.toThrow(
      'Did you mean "timeoutMs"?',
    )
    client.close()
  })
})

describe("options of a server's promises", () => {
  it("reject for listen and drain", async () => {
    const server = createServer(contract, { authenticate })
    await expect(untyped(method(server, "listen"), { prot: 1 })).rejects.toThrow(
      'listen has no option "prot". Did you mean "port"?',
    )
    await expect(untyped(method(server, "listen"), 8080)).rejects.toThrow(
      "listen must be an object, not 8080",
    )
    await expect(untyped(method(server, "drain"), { spreadMs: "5" })).rejects.toThrow(
      new RangeError('the option spreadMs of drain must be a number of milliseconds from 0, not "5"'),
    )
    await server.close()
  })

  it("take limits whose groups are partial", () => {
    const server = createServer(contract, { authenticate, limits: { message: { maxBytes: 5_000 } } })
    expect(server.entrances.limits.message).toMatchObject({ maxBytes: 5_000, maxDepth: 32 })
  })
})
