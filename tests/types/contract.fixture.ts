// The contract that the other fixtures use, and the mistakes in a contract that must not compile.
// Behind `@ts-expect-error` stands the number of the one diagnostic that the next line must have.
import { defineContract, defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import { z } from "zod"

const Weather = z.object({ kind: z.string(), windMetresPerSecond: z.number() })

export const contract = defineContract({
  name: "types",
  commands: {
    move: { input: z.object({ direction: z.enum(["UP", "DOWN"]) }), output: z.object({ x: z.number() }) },
    /** Input and output differ before and after validation. */
    book: {
      input: z.object({ seats: z.number().default(1) }),
      output: z.object({ at: z.string().transform((text) => new Date(text)) }),
    },
  },
  queries: {
    look: { input: z.object({}), output: z.object({ names: z.array(z.string()) }) },
    /** Without input and output. */
    ping: {},
  },
  events: {
    chatMessage: {
      payload: z.object({ text: z.string(), sentAtMs: z.number().transform((ms) => new Date(ms)) }),
    },
    weather: { payload: Weather, delivery: "volatile", key: (weather) => weather.kind },
  },
  topics: {
    chat: defineTopic({
      events: ["chatMessage", "weather"],
      presence: z.object({ since: z.number().transform((ms) => new Date(ms)) }),
    }),
    lobby: defineTopic({ events: ["chatMessage"] }),
    board: defineTopic({
      events: ["chatMessage"],
      presence: z.object({ name: z.string() }),
      replicas: { cursors: defineReplica({ fields: { x: integer(), name: text() } }) },
    }),
  },
  streams: {
    /** Input and item differ before and after validation. */
    history: {
      input: z.object({ days: z.number().default(1) }),
      item: z.object({ at: z.string().transform((text) => new Date(text)) }),
    },
  },
})

export const noItem = defineContract({
  name: "wrong",
  // @ts-expect-error 2322: a stream needs an item
  streams: { history: { input: z.object({}) } },
})

export const wrongItem = defineContract({
  name: "wrong",
  // @ts-expect-error 2353: a plain object is no validator
  streams: { history: { input: z.object({}), item: { at: "string" } } },
})

export const wrongKeyField = defineContract({
  name: "wrong",
  events: {
    // @ts-expect-error 2551: the key function's parameter is the payload
    weather: { payload: Weather, delivery: "volatile", key: (weather) => weather.kin },
  },
})

export const wrongKeyResult = defineContract({
  name: "wrong",
  events: {
    // @ts-expect-error 2322: a key is text
    weather: { payload: Weather, delivery: "volatile", key: (weather) => weather.windMetresPerSecond },
  },
})

export const wrongDelivery = defineContract({
  name: "wrong",
  // @ts-expect-error 2820: "volatile"
  events: { weather: { payload: Weather, delivery: "volatil" } },
})

export const wrongEventOption = defineContract({
  name: "wrong",
  // @ts-expect-error 2561: "delivery"
  events: { weather: { payload: Weather, deliver: "volatile" } },
})

export const wrongOutputName = defineContract({
  name: "wrong",
  // @ts-expect-error 2375: "output"
  commands: { move: { input: z.object({}), ouput: z.object({}) } },
})

export const wrongItemName = defineContract({
  name: "wrong",
  // @ts-expect-error 2322: "trustOutput"
  streams: { history: { item: z.object({}), trust: true } },
})

export const wrongTrust = defineContract({
  name: "wrong",
  // @ts-expect-error 2561: "trustOutput"
  events: { weather: { payload: Weather, trustOutputs: true } },
})

export const wrongError = defineContract({
  name: "wrong",
  // @ts-expect-error 2322: a schema of the details, or null
  errors: { full: "the room is full" },
})

export const noSchema = defineContract({
  name: "wrong",
  // @ts-expect-error 2353: a plain object is no validator
  commands: { move: { input: { text: "string" }, output: z.object({}) } },
})

export const wrongLimit = defineContract({
  name: "wrong",
  // @ts-expect-error 2561: "everyMs"
  commands: { move: { input: z.object({}), output: z.object({}), limit: { everyMS: 200, burst: 2 } } },
})

export const wrongTopicEvent = defineContract({
  name: "wrong",
  events: { weather: { payload: Weather } },
  // @ts-expect-error 2322: "weather"
  topics: { sky: defineTopic({ events: ["wether"] }) },
})

export const wrongPresence = defineContract({
  name: "wrong",
  events: { weather: { payload: Weather } },
  // @ts-expect-error 2769: a plain object is no validator
  topics: { sky: defineTopic({ events: ["weather"], presence: { since: "number" } }) },
})

export const wrongReplica = defineContract({
  name: "wrong",
  events: { weather: { payload: Weather } },
  // @ts-expect-error 2769: a schema is no replica
  topics: { sky: defineTopic({ events: ["weather"], replicas: { clouds: Weather } }) },
})

// @ts-expect-error 2769: "replicas"
export const wrongTopicOption = defineTopic({ events: ["weather"], replica: {} })

export const wrongSection = defineContract({
  name: "wrong",
  // @ts-expect-error 2561: "commands"
  command: {},
})
