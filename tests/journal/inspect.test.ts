// Inspection of real journals: of a server that runs, one that was closed, damaged ones, and hostile texts.
import { createClient } from "@hawser/client"
import { defineContract, defineTopic } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { fileJournal, inspectJournal, journalReport, recordLines } from "@hawser/server/journal"
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"

const hostile = "ann\u001b[2J\u202e\nFAKE LINE"
const payload = "a secret line"

const contract = defineContract({
  name: "inspected",
  commands: { say: { input: z.string(), output: z.string() }, hang: { output: z.null() } },
  events: { said: { payload: z.string() } },
  topics: { room: defineTopic({ events: ["said"] }) },
})

function openServer(folder: string) {
  const server = createServer(contract, {
    authenticate: (id) => ({ id }),
    journal: fileJournal(folder),
    allowLoopbackOrigins: true,
  })
  server.topicKind("room", { canJoin: () => true, history: { maxCount: 10, maxAgeMs: 60_000 } })
  server.onSession(({ session }) => void session.send("said", payload))
  server.command("say", ({ input }) => {
    server.topic("room:a").publish("said", input)
    return input
  })
  server.command("hang", () => new Promise(() => {}))
  return server
}

/** A journal of two sessions, one with a running request; the server runs until the end of the test, or is closed. */
async function scene({ closes = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "hawser-inspect-"))
  const server = openServer(folder)
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" })
  const clients = [hostile, "ben"].map((token) =>
    createClient(contract, { url: `ws://127.0.0.1:${port}/ws`, token, webSocket: WebSocket }),
  )
  onTestFinished(async () => {
    for (const client of clients) client.close()
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const [ann, ben] = clients
  if (ann === undefined || ben === undefined) throw new Error("two clients")
  await ann.topic("room:a").join()
  for (const line of ["one", "two"]) await ben.command("say", line, { key: `key ${line}` })
  const hanging = ann.command("hang")
  hanging.catch(() => {})
  await vi.waitFor(() =>
    expect(inspectJournal(folder).state.sessions.some(({ running }) => running > 0)).toBe(true),
  )
  if (closes) await server.close()
  return { folder }
}

const segmentOf = (folder: string): string =>
  readdirSync(folder).find((name) => name.endsWith(".journal")) ?? ""

/** All that a file system tells of a folder, but not the times of reading. */
function stateOf(folder: string): unknown {
  return readdirSync(folder).map((name) => {
    const { size, mtimeMs, ctimeMs, ino } = statSync(join(folder, name))
    return [name, size, mtimeMs, ctimeMs, ino, readFileSync(join(folder, name), "latin1")]
  })
}

/** A copy without a holder. */
function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), "hawser-inspect-"))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(folder, copy, { recursive: true })
  for (const name of readdirSync(copy)) if (name.startsWith("lock-")) rmSync(join(copy, name))
  return copy
}

describe("inspectJournal", () => {
  it("tells what the next process restores, while a process uses the journal, and changes nothing", async () => {
    const { folder } = await scene()
    const before = stateOf(folder)
    const inspection = inspectJournal(folder)
    expect(inspection).toMatchObject({
      folder,
      holder: `process ${process.pid}`,
      key: "present",
      refusal: undefined,
      isWhole: true,
      tornBytes: 0,
    })
    expect(inspection.state).toMatchObject({
      outcomes: 2,
      sessions: [
        { userId: hostile, running: 1, topics: ["room:a"], address: "127.0.0.1" },
        { userId: "ben", running: 0, topics: [] },
      ],
      topics: [{ name: "room:a", offset: 2, retained: 2, members: 1 }],
    })
    expect(inspection.segments).toMatchObject([
      { startsRound: true, firstRecord: 1, end: "whole", fault: undefined },
    ])
    expect(inspection.kinds.get("started")).toBe(1)
    expect(stateOf(folder)).toEqual(before)
  })

  it("judges a copy as a start would: records may be missing", async () => {
    const { folder } = await scene({ closes: true })
    expect(inspectJournal(folder)).toMatchObject({ holder: undefined, isWhole: true })
    const copy = copyOf(folder)
    expect(inspectJournal(copy).isWhole).toBe(false)
    expect(journalReport(inspectJournal(copy)).join("\n")).toContain("records may be missing at the end")
  })

  it("reports a torn end, and leaves it", async () => {
    const copy = copyOf((await scene({ closes: true })).folder)
    const segment = join(copy, segmentOf(copy))
    writeFileSync(segment, Buffer.from([1, 2, 3]), { flag: "a" })
    const { size } = statSync(segment)
    const inspection = inspectJournal(copy)
    expect(inspection).toMatchObject({ refusal: undefined, tornBytes: 3 })
    expect(inspection.segments[0]).toMatchObject({ end: "torn", fault: `torn at byte ${size - 3}` })
    expect(statSync(segment).size).toBe(size)
  })

  it("reports damage with file and place, the reason of the refusal, and the state before it", async () => {
    const copy = copyOf((await scene({ closes: true })).folder)
    const records: number[] = []
    inspectJournal(copy, { onRecord: ({ offset }) => records.push(offset) })
    const at = records.at(-2) ?? 0
    const bytes = readFileSync(join(copy, segmentOf(copy)))
    bytes[at + 30] = (bytes[at + 30] ?? 0) ^ 0xff
    writeFileSync(join(copy, segmentOf(copy)), bytes)
    const inspection = inspectJournal(copy)
    expect(inspection.refusal).toContain(
      `${segmentOf(copy)} is damaged at byte ${at}, and valid records follow`,
    )
    expect(inspection.segments[0]).toMatchObject({
      end: "damaged",
      records: records.length - 2,
    })
    expect(inspection.state.sessions).toHaveLength(2)
    await expect(openServer(copy).recover()).rejects.toThrow(inspection.refusal)
  })

  it("reports a key that is missing or too short, a header that is damaged, and a folder without a journal", async () => {
    const copy = copyOf((await scene({ closes: true })).folder)
    rmSync(join(copy, "resume-key"))
    expect(inspectJournal(copy)).toMatchObject({ key: "missing", refusal: undefined })
    writeFileSync(join(copy, "resume-key"), "short")
    expect(inspectJournal(copy)).toMatchObject({
      key: "wrong size",
      refusal: "resume-key has not 32 bytes: restore it from a copy",
    })
    writeFileSync(join(copy, segmentOf(copy)), "no journal at all")
    expect(inspectJournal(copy).segments).toMatchObject([
      { end: "unreadable", fault: "the file is no journal segment: its first bytes are not HAWSERJL" },
    ])
    rmSync(join(copy, segmentOf(copy)))
    rmSync(join(copy, "resume-key"))
    expect(inspectJournal(copy)).toMatchObject({ segments: [], refusal: undefined })
    expect(() => inspectJournal(join(copy, "nowhere"))).toThrow("ENOENT")
  })
})

describe("the report", () => {
  it("escapes texts of clients, and prints payloads only if asked", async () => {
    const { folder } = await scene({ closes: true })
    const lines: string[] = []
    const withPayloads: string[] = []
    const inspection = inspectJournal(folder, {
      onRecord(record) {
        lines.push(...recordLines(record))
        withPayloads.push(...recordLines(record, { payloads: true }))
      },
    })
    const report = journalReport(inspection)
    const hex = Buffer.from(payload).toString("hex")
    for (const line of [...report, ...lines, ...withPayloads])
      expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect([...report, ...lines].join("\n")).not.toContain(hex)
    expect([...report, ...lines].join("\n")).not.toContain(payload)
    expect(withPayloads.join("\n")).toContain(hex)
    expect(report.join("\n")).toMatch(
      /session "[\w-]+" of user "ann\\u001b\[2J\\u202e\\u000aFAKE LINE" from "127\.0\.0\.1": /,
    )
    expect(lines.join("\n")).toMatch(/ {2}settled {2}session 2 {2}handled \d+ {2}digest \d+ {2}ahead \[\]/)
    expect(lines.at(-1)).toBe("  clean end")
  })

  it("is printed by npm run journal, which ends with 1 for a journal that a start refuses", async () => {
    const copy = copyOf((await scene({ closes: true })).folder)
    const run = (...args: string[]) =>
      spawnSync(
        process.execPath,
        ["-C", "@hawser/source", "--import", "tsx", "tests/journal/main.ts", ...args],
        {
          cwd: fileURLToPath(new URL("../..", import.meta.url)),
          encoding: "utf8",
        },
      )
    const whole = run(copy, "--records")
    expect(whole).toMatchObject({ status: 0, stderr: "" })
    expect(whole.stdout).toMatch(
      /^"0+1\.journal" byte \d+: record 1, [\s\S]*^the next start reads .* restores 2 sessions/m,
    )
    writeFileSync(join(copy, segmentOf(copy)), "no journal at all")
    const damaged = run(copy)
    expect(damaged.status).toBe(1)
    expect(damaged.stdout).toContain("the next start is refused")
    expect(run(join(copy, "nowhere"))).toMatchObject({ status: 1, stdout: "" })
    expect(run()).toMatchObject({
      status: 1,
      stderr: "usage: npm run journal -- FOLDER [--records] [--payloads]\n",
    })
  })
})
