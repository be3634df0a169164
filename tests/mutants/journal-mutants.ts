// Mistakes in the journal: its gate, its format, its recovery.
import type { Mutant } from "./mutant.ts"

const isUnit = "its fault needs a certain state of the disk, or a certain disk"

export const journalMutants: readonly Mutant[] = [
  {
    name: "Journal: a turn is released before its record is written",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/transport/turn.ts",
        find: "passing.then(\n      () => this.release(turn),",
        replace: "Promise.resolve().then(\n      () => this.release(turn),",
      },
    ],
    killedBy: { tests: ["packages/server/src/transport/turn.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a caller of committed waits for the next output",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/journal.ts",
        find: "      this.#waiting.push(resolve)\n      this.#arm()",
        replace: "      this.#waiting.push(resolve)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/journal.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a full disk does not hold the output",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "if (!this.#write(record)) return this.#retry(record)",
        replace: "if (!this.#write(record)) return undefined",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a short write counts as a whole one",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "if (written === record.length) return this.#advance(record)",
        replace: "if (written > 0) return this.#advance(record)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a record that a full disk has held is written again after a renewal",
    breaks: ["S1"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "      if (this.#restates !== before) return\n",
        replace: "",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a record that waits for a renewal is written again after it",
    breaks: ["S1"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "if (this.#restates === before) await this.append(record)",
        replace: "await this.append(record)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a failed sync is ignored",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "      return this.#renew()\n    })",
        replace: "      return undefined\n    })",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the segments of earlier processes are not synced",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "this.#retired = segmentsIn(files).map(([name]) => files.open(name))",
        replace: "this.#retired = []",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: in mode power a record leaves without a sync",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: 'if (this.#options.mode === "power") return this.#sync()',
        replace: 'if (this.#options.mode === "power") this.#sync().catch(() => {})',
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the end is marked before the records are moved to the disk",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "    await this.#syncing\n    await this.#syncFiles()\n    await this.append(end)",
        replace: "    await this.append(end)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the segments before a round are removed when it begins",
    breaks: ["S10"],
    edits: [
      {
        file: "packages/server/src/journal/file-engine.ts",
        find: "    this.#startsRound = true\n    this.#retireSegment()",
        replace:
          "    this.#startsRound = true\n    this.#retireSegment()\n    this.#removeBefore(this.#segment + 1)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a slow disk is written to within the event loop for ever",
    breaks: ["L1"],
    edits: [
      {
        file: "packages/server/src/journal/slow-writes.ts",
        find: "this.#areTooMany = this.#slowAtMs.length >= slowMax",
        replace: "this.#areTooMany = this.#slowAtMs.length > 1_000",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the check of a length does not depend on its place",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/segment.ts",
        find: "let mixed = length ^ salt ^ Math.imul(offset, 0x9e37_79b1)",
        replace: "let mixed = length ^ salt",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/segment.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the check of a length does not depend on its segment",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/segment.ts",
        find: "let mixed = length ^ salt ^ Math.imul(offset, 0x9e37_79b1)",
        replace: "let mixed = length ^ Math.imul(offset, 0x9e37_79b1)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/segment.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the checksum of a record is not compared",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/segment.ts",
        find: "return crc32(content, check) === bytes.readUInt32LE(offset + 8) ? content : undefined",
        replace: "return content",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/segment.test.ts"], because: isUnit },
  },
  {
    name: "Journal: valid records behind a damaged one are cut as a torn end",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/segment.ts",
        find: 'if (recordAt(bytes, next, salt) !== undefined) return { kind: "damaged", offset, next }',
        replace: "if (recordAt(bytes, next, salt) !== undefined) break",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/segment.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a newer format is read",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/segment.ts",
        find: "if (version !== formatVersion)",
        replace: "if (version < formatVersion)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/segment.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a missing segment is not noticed",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: "if (next === undefined || next.header.firstRecord === expected) continue",
        replace: "if (next === undefined || next.header.firstRecord >= expected) continue",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: records behind a gap are dropped without a loss of power",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: "const hasStopped = next.header.host === origin.host && next.header.boot !== origin.boot",
        replace: "const hasStopped = next.header.host === origin.host",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a renewed journal is read with the segments before it",
    breaks: ["S16"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: "return segments.slice(Math.max(0, start))",
        replace: "return segments.slice(0, segments.length + 0 * start)",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/journal.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a copy of the folder passes for the original",
    breaks: ["E7"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: "header.inode === inode && changedMs - Math.max(lastMs, touchedMs) < copyMs",
        replace: 'changedMs - Math.max(lastMs, touchedMs) < 1e15 && inode !== ""',
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a torn record makes a journal pass for a copy",
    breaks: ["E7"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: 'const lastMs = (end.kind === "torn" ? end.atMs : undefined) ?? last?.atMs ?? changedMs',
        replace: "const lastMs = last?.atMs ?? changedMs",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/read-segments.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a loss of power is not noticed",
    breaks: ["E7"],
    edits: [
      {
        file: "packages/server/src/journal/read-segments.ts",
        find: "(header.host === origin.host && header.boot === origin.boot)",
        replace: "header.host === origin.host",
      },
    ],
    killedBy: { tests: ["packages/server/src/journal/file-engine.test.ts"], because: isUnit },
  },
  {
    name: "Journal: the end of a session is not appended",
    breaks: ["S16"],
    edits: [
      {
        file: "packages/server/src/journal/page.ts",
        find: "    this.#writer.ended(this.number)\n",
        replace: "",
      },
    ],
    killedBy: { tests: ["tests/journal/kill.test.ts"], because: isUnit },
  },
  {
    name: "Journal: ends of sessions are not restored",
    breaks: ["S16"],
    edits: [
      {
        file: "packages/server/src/journal/server-journal.ts",
        find: "  restoreEnds(state, parts, base)\n",
        replace: "",
      },
    ],
    killedBy: { tests: ["tests/journal/kill.test.ts"], because: isUnit },
  },
  {
    name: "Journal: outcomes of requests with a key are not restored",
    breaks: ["S14"],
    edits: [
      {
        file: "packages/server/src/journal/server-journal.ts",
        find: "const outcomesAside = restoreOutcomes(state, parts, base)",
        replace: "const outcomesAside = 0 * state.nextSession",
      },
    ],
    killedBy: { tests: ["tests/journal/kill.test.ts"], because: isUnit },
  },
  {
    name: "Journal: requests that were settled ahead of others run again after a restart",
    breaks: ["S2"],
    edits: [
      {
        file: "packages/server/src/journal/restore-sessions.ts",
        find: "settledAhead: [...kept.ahead].toSorted((one, other) => one - other)",
        replace: "settledAhead: []",
      },
    ],
  },
  {
    name: "Journal: acknowledged messages stay in a restored session",
    breaks: ["S3"],
    edits: [
      {
        file: "packages/server/src/journal/rebuild.ts",
        find: "  session.firstMessage += count\n",
        replace: "",
      },
    ],
    killedBy: { tests: ["tests/journal/kill.test.ts"], because: isUnit },
  },
  {
    name: "Journal: topics keep their epoch although records may be missing",
    breaks: ["E7"],
    edits: [
      {
        file: "packages/server/src/journal/restore-topics.ts",
        find: "epoch: isWhole ? epoch : `${epoch}~${life}`",
        replace: "epoch: isWhole ? epoch : `${epoch}${life.slice(0, 0)}`",
      },
    ],
    killedBy: { tests: ["tests/journal/traps.test.ts"], because: isUnit },
  },
  {
    name: "Journal: types get new numbers in each process",
    breaks: ["W4"],
    edits: [
      {
        file: "packages/server/src/journal/server-journal.ts",
        find: "  continueTypes(state, base)\n",
        replace: "",
      },
    ],
    killedBy: { tests: ["tests/journal/contract-change.test.ts"], because: isUnit },
  },
  {
    name: "Journal: a token of a lost process is taken for a stolen one",
    breaks: ["S10"],
    edits: [
      {
        file: "packages/server/src/session/opening/resume.ts",
        find: "if (generation > session.tokenGeneration)",
        replace: "if (generation > session.tokenGeneration + 1)",
      },
    ],
    killedBy: { tests: ["packages/server/src/session/opening/resume.test.ts"], because: isUnit },
  },
]
