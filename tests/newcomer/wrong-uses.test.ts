// Wrong uses of a newcomer, in a project with the packed packages: a sentence describes each at once, in plain JavaScript and by the
// compiler.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pack } from "../packages/packed.ts"
import type { Packed } from "../packages/packed.ts"
import { PackedProject } from "./packed-project.ts"

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8")
let packed: Packed | undefined
let project: PackedProject

beforeAll(() => {
  packed = pack()
  project = new PackedProject(packed)
}, 120_000)
afterAll(() => {
  project.remove()
  packed?.remove()
})

/** Sentences of each use, in the order of their lines. */
const sentences: Readonly<Record<string, readonly string[]>> = {
  "no onError": [
    'hawser: handler of "move" for user "ann" failed',
    "Error: no such table",
    "    at ",
    "sys_internal_error",
  ],
  "a refused log-in": [
    "was refused with auth_token_invalid: The token is not valid. Cause: the signature is wrong",
    "auth_token_invalid",
  ],
  "no authenticate": [
    "TypeError  the option authenticate of createServer is nothing, not a function: write authenticate: (token) => ({ id: … })",
  ],
  "authenticate without an id": ["authenticate returned", "id"],
  "unknown options": [
    'createServer has no option "onEror". Did you mean "onError"?',
    'limits.message has no option "maxByte". Did you mean "maxBytes"?',
    'createClient has no option "tokn". Did you mean "token"?',
    'defineContract has no option "command". Did you mean "commands"?',
    'defineTopic has no option "event". Did you mean "events"?',
    '"move" has no option "timeout". Did you mean "timeoutMs"?',
    'a listener of "said" has no option "sginal". Did you mean "signal"?',
  ],
  "partial limits": ["message_too_large", "the receiver takes 1000", "a short one"],
  "a forgotten topicKind": ['topicKind("chat"'],
  "a throttled call": [
    'HawserError timeout "move" got no reply within 1500 ms',
    "The server's limit userMessagesPerSecond held this user's messages back for at least",
    "raise limits.userMessagesPerSecond of createServer",
  ],
  "another contract": ['HawserError other_contract this server has the contract "game", the client "chess"'],
  "an unknown event": ["1 unknown event"],
  "a stale replica": ["fresh false", "stale true", "{ points: 1 } true"],
}

describe("a wrong use in plain JavaScript", () => {
  /** Output by use. */
  const outputs = new Map<string, string>()

  beforeAll(async () => {
    project.write("wrong-uses.mjs", fixture("wrong-uses.fixture.mjs"))
    const program = project.run("wrong-uses.mjs", {})
    await program.prints("== end")
    for (const part of program.output.split(/^== /m)) {
      const [name = "", ...lines] = part.split("\n")
      outputs.set(name, lines.join("\n"))
    }
  }, 60_000)

  it.each(Object.keys(sentences))("is described in a sentence: %s", (name) => {
    const output = outputs.get(name) ?? ""
    let from = 0
    for (const sentence of sentences[name] ?? []) {
      const at = output.indexOf(sentence, from)
      expect(at, `${sentence}\nis not in\n${output}`).toBeGreaterThanOrEqual(0)
      from = at
    }
  })

  it("has a sentence in this test", () => {
    expect([...outputs.keys()].filter((name) => name !== "" && name !== "end")).toEqual(
      Object.keys(sentences),
    )
  })

  it("prints nothing but the sentence where nothing is wrong at the server", () => {
    expect(outputs.get("an unknown event")).toBe("1 unknown event\n")
  })
})

describe("a wrong use in TypeScript", () => {
  it("does not compile, and what is right does", { timeout: 60_000 }, () => {
    project.write("wrong-uses.ts", fixture("wrong-uses.fixture.ts"))
    expect(project.compile()).toEqual({ status: 0, output: "" })
  })
})
