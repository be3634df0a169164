// Decides whether the records of all clients can belong to a server that was never killed: each request settled once, each of its
// effects once and in order. Pure: must not know processes, sockets and clocks.

/** How a request causes its publication: the first two are executed in the order of the calls. */
export type RequestKind = "say" | "keyed" | "slow" | "publish"

export interface RequestRecord {
  readonly n: number
  readonly kind: RequestKind
  /** Replies, each with the draw of the handler that made it; a repeated key has two replies. */
  readonly replies: readonly { readonly n: number; readonly run: number }[]
  /** Code of its error; undefined without one. */
  readonly error: string | undefined
}

/** Record of one client's application. */
export interface ClientRecord {
  readonly by: number
  readonly requests: readonly RequestRecord[]
  /** Numbers of the notes, in the order of arrival. */
  readonly notes: readonly number[]
  /** Publications of its room, in the order of arrival, as `by:n`. */
  readonly said: readonly string[]
  readonly news: readonly { readonly life: number; readonly n: number }[]
  /** Streams with their items, and the code of the error that ended them. */
  readonly streams: readonly {
    readonly upTo: number
    readonly items: readonly number[]
    readonly error: string | undefined
  }[]
  /** Causes of resets. */
  readonly resets: readonly string[]
  /** Gaps of the room, errors of the client, and unexpected ends. */
  readonly faults: readonly string[]
}

/** One room: its members, and the history that a client found who joined at the end. */
export interface RoomRecord {
  readonly clients: readonly ClientRecord[]
  readonly history: readonly string[]
}

export const rules = ["lost", "repeated", "reordered", "reset", "other"] as const
export type Rule = (typeof rules)[number]

export interface Violation {
  readonly rule: Rule
  /** One sentence. */
  readonly text: string
}

/** Returns all violations; empty if nothing was lost, repeated, reordered or reset. */
export function judge(rooms: readonly RoomRecord[]): readonly Violation[] {
  return rooms.flatMap((room) => [
    ...room.clients.flatMap((client) => judgeClient(client)),
    ...judgeRoom(room),
  ])
}

function judgeClient(client: ClientRecord): readonly Violation[] {
  const name = `client ${client.by}`
  const effects = client.requests.filter(({ kind }) => kind !== "publish").map(({ n }) => n)
  return [
    ...client.requests.flatMap((request) => judgeRequest(`${name}, request ${request.n}`, request)),
    ...judgeOnce(`${name}, note`, effects, client.notes),
    ...judgeOrder(`${name}, note`, sequenceOf(client, "say"), client.notes),
    ...judgeNews(name, client.news),
    ...client.streams.flatMap((stream, index) => judgeStream(`${name}, stream ${index}`, stream)),
    ...client.resets.map((cause): Violation => ({ rule: "reset", text: `${name} was reset: ${cause}` })),
    ...client.faults.map((fault): Violation => ({ rule: "other", text: `${name}: ${fault}` })),
  ]
}

function judgeRequest(name: string, { n, replies, error }: RequestRecord): readonly Violation[] {
  const [reply] = replies
  if (error !== undefined) return [{ rule: "lost", text: `${name} failed with ${error}` }]
  if (reply === undefined) return [{ rule: "lost", text: `${name} has no reply` }]
  const found: Violation[] = []
  if (replies.some((other) => other.n !== n))
    found.push({ rule: "other", text: `${name} has another one's reply` })
  if (replies.some(({ run }) => run !== reply.run))
    found.push({ rule: "repeated", text: `${name} has two outcomes for one key` })
  return found
}

/** Each of `expected` must arrive once, and nothing else. */
function judgeOnce<T extends number | string>(
  name: string,
  expected: readonly T[],
  arrived: readonly T[],
): readonly Violation[] {
  const counts = new Map<T, number>()
  for (const item of arrived) counts.set(item, (counts.get(item) ?? 0) + 1)
  const found: Violation[] = []
  for (const item of expected) {
    const count = counts.get(item) ?? 0
    if (count === 0) found.push({ rule: "lost", text: `${name} ${item} did not arrive` })
    if (count > 1) found.push({ rule: "repeated", text: `${name} ${item} arrived ${count} times` })
    counts.delete(item)
  }
  for (const item of counts.keys()) found.push({ rule: "other", text: `${name} ${item} was never sent` })
  return found
}

/** The `ordered` ones must arrive in their order. */
function judgeOrder<T>(name: string, ordered: readonly T[], arrived: readonly T[]): readonly Violation[] {
  const places = new Map(ordered.map((item, index) => [item, index]))
  const found: Violation[] = []
  let last = -1
  for (const item of arrived) {
    const place = places.get(item)
    if (place === undefined) continue
    if (place < last)
      found.push({ rule: "reordered", text: `${name} ${String(item)} arrived after a later one` })
    last = Math.max(last, place)
  }
  return found
}

/** Events of one process have no gap. A process that is killed may take its last ones along: no client has seen them. */
function judgeNews(name: string, news: ClientRecord["news"]): readonly Violation[] {
  const found: Violation[] = []
  let [life, next] = [-1, 0]
  for (const event of news) {
    const text = `${name}, news ${event.life}.${event.n} after ${life}.${next - 1}`
    if (event.life < life || (event.life === life && event.n < next))
      found.push({ rule: event.life === life && event.n === next - 1 ? "repeated" : "reordered", text })
    else if (event.n !== (event.life === life ? next : 0)) found.push({ rule: "lost", text })
    ;[life, next] = [event.life, event.n + 1]
  }
  return found
}

function judgeStream(
  name: string,
  { upTo, items, error }: ClientRecord["streams"][number],
): readonly Violation[] {
  const found: Violation[] = []
  const gap = items.findIndex((item, index) => item !== index)
  if (gap !== -1) found.push({ rule: "lost", text: `${name} has item ${items[gap]} at ${gap}` })
  if (error !== undefined && error !== "server_restarted")
    found.push({ rule: "other", text: `${name} ended with ${error}` })
  if (error === undefined && items.length !== upTo)
    found.push({ rule: "lost", text: `${name} ended with ${items.length} of ${upTo} items` })
  return found
}

/** All members of a room see the same publications in one order, each once; so does the history. */
function judgeRoom({ clients, history }: RoomRecord): readonly Violation[] {
  const [first] = clients
  if (first === undefined) return []
  const expected = clients.flatMap(({ by, requests }) => requests.map(({ n }) => `${by}:${n}`))
  const found: Violation[] = []
  for (const client of clients) {
    const name = `client ${client.by}, publication`
    found.push(...judgeOnce(name, expected, client.said))
    for (const other of clients)
      for (const kind of ["say", "publish"] as const)
        found.push(
          ...judgeOrder(
            name,
            sequenceOf(other, kind).map((n) => `${other.by}:${n}`),
            client.said,
          ),
        )
    const differs = client.said.findIndex((item, index) => item !== first.said[index])
    if (differs !== -1)
      found.push({ rule: "reordered", text: `${name} ${differs} is not that of client ${first.by}` })
  }
  const tail = history.length === 0 ? [] : first.said.slice(-history.length)
  if (tail.join() !== history.join() || (history.length === 0 && first.said.length > 0))
    found.push({
      rule: "lost",
      text: `the history of the room of client ${first.by} is not what its members saw`,
    })
  return found
}

function sequenceOf({ requests }: ClientRecord, kind: RequestKind): number[] {
  return requests.filter((request) => request.kind === kind).map(({ n }) => n)
}
