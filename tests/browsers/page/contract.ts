// The contract of the browser tests, at both ends.
import { defineContract, defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import { z } from "zod"

const numbered = z.object({ n: z.number() })
const line = z.object({ text: z.string() })

export const contract = defineContract({
  name: "browsers",
  commands: { say: { input: numbered, output: numbered } },
  queries: { echo: { input: line, output: line } },
  streams: { count: { input: z.object({ to: z.number() }), item: numbered } },
  events: { news: { payload: numbered }, line: { payload: line } },
  topics: { room: defineTopic({ events: ["line"], presence: z.object({ tab: z.string() }) }) },
  replicas: { boats: defineReplica({ fields: { name: text(), cargo: integer() } }) },
})
