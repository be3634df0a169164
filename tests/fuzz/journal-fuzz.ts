// Recovery over damaged journals: bytes of a real journal are changed, cut, doubled or lost. Recovery rejects with a
// JournalFormatError, or goes on without a gap: no record is lost in silence that is still whole behind the last one that was read.
import { defineContract, defineTopic } from "@hawser/protocol"
import { SimulatedClock, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import { z } from "zod"
import { FileEngine } from "../../packages/server/src/journal/file-engine.ts"
import type { JournalContent } from "../../packages/server/src/journal/journal-engine.ts"
import { Rebuild } from "../../packages/server/src/journal/rebuild.ts"
import { JournalFormatError } from "../../packages/server/src/journal/record-reader.ts"
import {
  cleanEnd,
  recordHeadBytes,
  scanSegment,
  sealRecord,
} from "../../packages/server/src/journal/segment.ts"
import { SimulatedDisk } from "../../packages/server/src/journal/simulated-files.ts"
import { Lives, journalOn } from "../journal/lives.ts"
import { below } from "./writer.ts"
import type { Random } from "./writer.ts"

type Files = ReadonlyMap<string, Buffer>

/** Record of a journal before the damage. */
interface Original {
  readonly name: string
  readonly offset: number
  readonly body: Buffer
  /** Bytes of its head and body, and of the header of its segment. */
  readonly bytes: Buffer
  readonly header: Buffer
  readonly salt: number
}

interface Template {
  readonly files: Files
  readonly records: readonly Original[]
}

const contract = defineContract({
  name: "fuzz",
  commands: { say: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) } },
  events: { said: { payload: z.object({ text: z.string() }) } },
  topics: { chat: defineTopic({ events: ["said"], presence: z.object({ mood: z.string() }) }) },
})

type FuzzServer = Server<typeof contract, { readonly id: string }>
type ServerParts = Pick<Parameters<typeof createServer>[1], "journal" | "clock" | "wallClockMs" | "sessionId">

function serverOf(parts: ServerParts): FuzzServer {
  const server = createServer(contract, {
    authenticate: (token) => ({ id: token }),
    onError: () => {},
    onWarning: () => {},
    ...parts,
  })
  server.topicKind("chat", { canJoin: () => true, history: { maxCount: 20 } })
  server.command("say", ({ input }) => input)
  return server
}

/** Runs processes with clients, and keeps the state of their folder at each kill. */
async function templatesOf(): Promise<readonly Template[]> {
  const lives = new Lives(contract, serverOf)
  const templates: Template[] = []
  const clients = ["ann", "bob", "cid"].map((name, index) => lives.client(name, index + 1))
  for (let life = 0; life < 5; life += 1) {
    await lives.start()
    for (const client of clients) if (life === 0) await lives.connect(client)
    await lives.clock.advance(2_000)
    for (let round = 0; round < 4 + 10 * life; round += 1) {
      const replies = clients.map((client) =>
        client.command("say", { text: `${life} ${round}` }, { key: `${life}-${round}` }),
      )
      if (life === 1 && round === 0)
        for (const client of clients)
          client
            .topic("chat:a")
            .join({ state: { mood: "fine" } })
            .catch(() => {})
      lives.server.topic("chat:a").publish("said", { text: "x".repeat(round) })
      lives.server.broadcast("said", { text: "y".repeat(round * life) })
      await lives.clock.advance(40)
      await Promise.all(replies)
    }
    lives.kill()
    templates.push(templateOf(lives.disk.copy()))
  }
  for (const client of clients) client.close()
  return templates
}

function templateOf(files: Files): Template {
  const records = [...files].flatMap(([name, bytes]): Original[] => {
    const scanned = scanSegment(bytes)
    if (scanned?.end.kind !== "whole") throw new Error(`${name} is not whole before the damage`)
    const lengths = scanned.records.map(({ body }) => recordHeadBytes + body.length)
    const headerBytes = bytes.length - lengths.reduce((sum, length) => sum + length, 0)
    const header = bytes.subarray(0, headerBytes)
    let offset = headerBytes
    return scanned.records.map(({ body }) => {
      const start = offset
      offset += recordHeadBytes + body.length
      return {
        name,
        offset: start,
        body,
        bytes: bytes.subarray(start, offset),
        header,
        salt: scanned.header.salt,
      }
    })
  })
  return { files, records }
}

/** Damages some files. */
function damaged({ files }: Template, random: Random): Map<string, Buffer> {
  const next = new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  for (let times = 1 + below(random, 3); times > 0; times -= 1) {
    const names = [...next.keys()]
    const name = names[below(random, names.length)]
    const bytes = name === undefined ? undefined : next.get(name)
    if (name === undefined || bytes === undefined || bytes.length === 0) continue
    const at = random() < 0.2 ? below(random, Math.min(80, bytes.length)) : below(random, bytes.length)
    const length = 1 + below(random, random() < 0.5 ? 4 : 400)
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + length)]
    switch (below(random, 8)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8))
        break
      case 1:
        bytes.subarray(at, at + length).fill(0)
        break
      case 2:
        next.set(name, Buffer.from(before))
        break
      case 3:
        next.set(name, Buffer.concat([before, after]))
        break
      case 4:
        next.set(name, Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]))
        break
      case 5:
        next.delete(name)
        break
      case 6:
        next.set(name, Buffer.concat([bytes, Buffer.alloc(length, below(random, 256))]))
        break
      default:
        next.set(`${String(1 + below(random, 12)).padStart(8, "0")}.journal`, Buffer.from(bytes))
    }
  }
  return next
}

/** Changes bytes of some record's body under a right checksum, as a program with a fault would write them. */
function forged({ files, records }: Template, random: Random): Map<string, Buffer> {
  const next = new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  const original = records[below(random, records.length)]
  const bytes = original === undefined ? undefined : next.get(original.name)
  if (original === undefined || bytes === undefined) return next
  const { offset, body, salt } = original
  const record = bytes.subarray(offset, offset + recordHeadBytes + body.length)
  for (let times = 1 + below(random, 4); times > 0 && body.length > 0; times -= 1)
    record[recordHeadBytes + below(random, body.length)] = below(random, 256)
  sealRecord(record, { salt, offset, atMs: record.readDoubleLE(recordHeadBytes - 8) })
  return next
}

/** Seeds of one run; they do not overlap with those of the next. */
const seedStride = 1_000_000_000
/** One case in this number also starts a server. */
const serverShare = 20

export class JournalFuzz {
  readonly seed: number
  readonly failures: string[] = []
  count = 0
  refusedCount = 0
  readonly #templates: readonly Template[]

  private constructor(seed: number, templates: readonly Template[]) {
    this.seed = seed
    this.#templates = templates
  }

  static async create(seed: number): Promise<JournalFuzz> {
    return new JournalFuzz(seed, await templatesOf())
  }

  async run(count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) await this.replay(this.seed * seedStride + this.count)
  }

  /** Runs one case. */
  async replay(caseSeed: number): Promise<void> {
    this.count += 1
    const random = seededRandom(caseSeed)
    const template = this.#templates[below(random, this.#templates.length)]
    if (template === undefined) return
    const isForged = random() < 0.3
    const files = isForged ? forged(template, random) : damaged(template, random)
    try {
      const content = await contentOf(files)
      if (content === undefined) this.refusedCount += 1
      else if (!isForged) assertNothingLost(template, files, content)
      if (caseSeed % serverShare === 0) await startOn(files)
    } catch (error) {
      if (this.failures.length < 10)
        this.failures.push(`${String(error)}\n  again: npm run fuzz -- --replay journal:${caseSeed}`)
    }
  }

  /** Last line of a run. */
  summary(): string {
    return `journals: ${this.count} damaged, ${this.refusedCount} refused, seed ${this.seed}, ${this.failures.length} failures`
  }
}

function diskWith(files: Files): SimulatedDisk {
  const disk = new SimulatedDisk(() => 0)
  disk.restore(files)
  return disk
}

/** Returns the records; undefined if they are refused. @throws any other error. */
async function contentOf(files: Files): Promise<JournalContent | undefined> {
  const engine = new FileEngine({
    mode: "kill",
    files: diskWith(files).files(),
    origin: { host: "h", boot: "b" },
    lock: () => Promise.resolve({ generation: 1, release: () => {} }),
    syncEveryMs: 100,
    after: () => () => {},
    now: () => 0,
    wallClockMs: () => 0,
  })
  try {
    const content = await engine.open({ onAlarm: () => {}, restate: () => Buffer.alloc(0) })
    const rebuild = new Rebuild()
    for (const { body, atMs } of content.records) rebuild.apply(body, atMs)
    return content
  } catch (error) {
    if (error instanceof JournalFormatError) return undefined
    throw error
  }
}

/** @throws Error if a record was invented, or if one that is still whole is missing behind the last that was read. */
function assertNothingLost({ records }: Template, files: Files, content: JournalContent): void {
  const written = records.filter(({ body }) => !body.equals(cleanEnd))
  const bodies = content.records.map(({ body }) => body)
  const start = written.findIndex((_, index) =>
    bodies.every((body, place) => written[index + place]?.body.equals(body) === true),
  )
  if (start === -1) throw new Error("the recovery returned a record that was never written, or left one out")
  const lost = written.slice(start + bodies.length).find((one) => isIntact(one, files))
  if (lost !== undefined)
    throw new Error(`the record at ${lost.offset} of ${lost.name} is whole, and was lost in silence`)
}

function isIntact({ name, offset, bytes, header }: Original, files: Files): boolean {
  const now = files.get(name)
  if (now === undefined) return false
  return (
    now.subarray(0, header.length).equals(header) && now.subarray(offset, offset + bytes.length).equals(bytes)
  )
}

/** Starts a server on the files. @throws what `recover` must not reject with. */
async function startOn(files: Files): Promise<void> {
  const clock = new SimulatedClock()
  const ids = { last: 0 }
  const server = serverOf({
    clock,
    wallClockMs: () => 1_700_000_100_000,
    sessionId: () => `new ${++ids.last}`,
    journal: journalOn(clock, diskWith(files).files()),
  })
  try {
    await server.recover()
    await clock.advance(500)
  } catch (error) {
    if (!(error instanceof JournalFormatError)) throw error
  }
}
