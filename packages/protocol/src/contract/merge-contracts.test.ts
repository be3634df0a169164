import { describe, expect, it } from "vitest"
import { z } from "zod"
import { contractTypes } from "./contract-index.ts"
import { defineContract } from "./contract.ts"
import { mergeContracts } from "./merge-contracts.ts"
import { defineReplica } from "./replica-schema.ts"
import { text } from "./replica-field.ts"
import { defineTopic } from "./topic-kind.ts"

const game = defineContract({
  name: "game",
  commands: { move: { input: z.string() } },
  queries: { look: { output: z.string() } },
  events: { moved: { payload: z.string() } },
  errors: { blocked: z.object({ by: z.string() }) },
})
const chat = defineContract({
  name: "chat",
  commands: { say: { input: z.string() } },
  events: { said: { payload: z.string(), delivery: "volatile", key: () => "k" } },
  streams: { log: { item: z.string() } },
  replicas: { names: defineReplica({ fields: { name: text() } }) },
  topics: { room: defineTopic({ events: ["said"] }) },
  errors: { muted: null },
})

describe("merged contracts", () => {
  const both = mergeContracts(game, chat)

  it("have the parts of both, and the name of the first", () => {
    expect(both.name).toBe("game")
    expect(contractTypes(both).slice(4)).toEqual(["move", "say", "look", "moved", "said", "log"])
    expect(both.commands.say).toBe(chat.commands.say)
    expect(both.replicas.names).toBe(chat.replicas.names)
    expect(both.topics.room.events).toEqual(["said"])
  })

  it("create and recognize the errors of both", () => {
    const error: unknown = both.error("blocked", { by: "ann" })
    expect(both.isError(error, "blocked") && error.details.by).toBe("ann")
    expect(game.isError(error, "blocked")).toBe(true)
    expect(both.error("muted").code).toBe("muted")
  })

  it("can be merged again", () => {
    const third = defineContract({ name: "third", queries: { third: {} } })
    expect(Object.keys(mergeContracts(both, third).queries)).toEqual(["look", "third"])
  })

  it("refuse a key of the same part in both", () => {
    const other = defineContract({ name: "other", commands: { move: {} } })
    // @ts-expect-error 2345: declared twice
    expect(() => mergeContracts(game, other)).toThrow(
      new TypeError('contracts "game" and "other": both declare "move"'),
    )
    const errors = defineContract({ name: "other", errors: { blocked: null } })
    // @ts-expect-error 2345: declared twice
    expect(() => mergeContracts(game, errors)).toThrow(/both declare "blocked"/)
  })

  it("refuse a key of different parts", () => {
    const other = defineContract({ name: "other", events: { move: { payload: z.string() } } })
    // @ts-expect-error 2345: declared twice
    expect(() => mergeContracts(game, other)).toThrow(
      new TypeError('contract "game": "move" is declared twice'),
    )
  })
})
