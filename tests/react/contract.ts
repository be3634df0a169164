// The contract of the tests of hooks.
import { defineContract, defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import * as z from "zod"

export const contract = defineContract({
  name: "hooks",
  commands: {
    greet: { input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) },
    announce: { input: z.object({ text: z.string() }) },
  },
  queries: {
    look: { input: z.object({ at: z.string() }), output: z.object({ seen: z.number() }) },
    nothing: { output: z.string().optional() },
  },
  events: {
    said: { payload: z.object({ text: z.string() }) },
    news: { payload: z.object({ text: z.string() }) },
  },
  streams: {
    count: { input: z.object({ to: z.number(), failAt: z.number().optional() }), item: z.number() },
    rare: { item: z.number(), limit: { everyMs: 60_000, burst: 1 } },
  },
  replicas: { players: defineReplica({ fields: { name: text(), x: integer(), y: integer() } }) },
  topics: {
    chat: defineTopic({ events: ["said"], presence: z.object({ mood: z.string() }) }),
    lobby: defineTopic({ events: ["said"] }),
    vault: defineTopic({ events: ["said"] }),
  },
})
