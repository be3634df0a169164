// Section 1: the bytes of every kind of frame in a busy session.
import type { CaseContext, ConformanceCase } from "./case.ts"
import { encodingViolations, type EncodingRule } from "./envelope-bytes.ts"
import { expectEqual, expectThat } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { MAX_FRAME_BYTES } from "./limits.ts"
import { enterWhole, waitForEventAbout } from "./player.ts"
import { createWalker, positionOf, takeFreeStep } from "./walking.ts"

/**
 * Plays through logins, a walk, chat, queries, errors and a departure, and returns every frame that two players got.
 */
async function framesOfSession(context: CaseContext): Promise<readonly Frame[]> {
  const first = await enterWhole(context)
  const second = await enterWhole(context)
  const { x, y } = positionOf(first)
  await takeFreeStep(createWalker(first))
  await first.client.request("cmd_chat_send", { message: "grüße ☃ 🌍" })
  for (const query of ["query_inventory", "query_equipment", "query_stats"])
    await first.client.request(query, {})
  await first.client.request("query_map_chunks", { center_x: x, center_y: y })
  await first.client.request("cmd_move", { direction: "SIDEWAYS" })
  await first.client.request("no_such_type", {})
  await second.client.close()
  await waitForEventAbout(first, "event_player_left", second.account.id)
  return [...first.client.frames, ...second.client.frames]
}

function caseOf(rule: EncodingRule, name: string): ConformanceCase {
  return {
    name,
    section: "1",
    run: async (context) => {
      const frames = await framesOfSession(context)
      const found = frames.flatMap(({ type, bytes }) =>
        encodingViolations(bytes, Date.now())
          .filter((violation) => violation.rule === rule)
          .map((violation) => `${type}: ${violation.found}`),
      )
      expectEqual("violations", found.slice(0, 3), [])
    },
  }
}

export const encodingCases: readonly ConformanceCase[] = [
  {
    name: "sends binary frames only",
    section: "1",
    run: async (context) => {
      const texts = (await framesOfSession(context)).filter(({ isBinary }) => !isBinary)
      expectEqual("number of text frames", texts.length, 0)
    },
  },
  caseOf("envelope", "sends a fixmap of exactly id, type, payload, timestamp, version, in this order"),
  caseOf("members", 'sends id as str or nil, type as str, payload as a map and version as "2.0"'),
  caseOf("timestamp", "sends timestamp as uint64 milliseconds since the epoch"),
  caseOf("keys", "sends only texts as map keys, at every depth"),
  caseOf("families", "sends no bin and no ext family"),
  caseOf("integers", "sends every other integer in its smallest form"),
  caseOf("floats", "sends floats as float64"),
  caseOf("utf-8", "sends valid UTF-8 in every text"),
  caseOf("one-object", "sends exactly one object in a frame"),
  {
    name: "sends no frame above 1 MiB",
    section: "1",
    run: async (context) => {
      const largest = Math.max(...(await framesOfSession(context)).map(({ bytes }) => bytes.length))
      expectThat(largest <= MAX_FRAME_BYTES, `at most ${MAX_FRAME_BYTES} bytes`, largest)
    },
  },
]
