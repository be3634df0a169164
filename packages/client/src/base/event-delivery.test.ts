import { describe, expect, it } from "vitest"
import { z } from "zod"
import { EventBus } from "./event-bus.ts"
import { EventDelivery } from "./event-delivery.ts"
import type { Delivered } from "./event-delivery.ts"

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

function createScene(validateReplies: boolean) {
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const bus = new EventBus<Record<string, Delivered>>({ onError })
  const events = new Map([
    ["met", { payload: z.object({ name: z.string().trim() }) }],
    ["late", { payload: z.object({ name: z.string() }).refine(async () => true) }],
  ])
  const delivery = new EventDelivery({
    optionalEvents: new Set(),
    validateReplies,
    events,
    bus,
    onTopicEvent: () => {},
    onError,
  })
  const heard: unknown[] = []
  for (const name of events.keys()) bus.on(name, ({ payload }) => heard.push(payload))
  const deliver = (type: string, payload: unknown): void => delivery.deliver({ kind: "event", type, payload })
  return { errors, heard, delivery, deliver }
}

describe("EventDelivery", () => {
  it("delivers an event as it came, because the server has validated it", () => {
    const { errors, heard, deliver } = createScene(false)
    deliver("met", { name: " ann ", more: 1 })
    deliver("met", 7)
    expect([heard, errors]).toEqual([[{ name: " ann ", more: 1 }, 7], []])
  })

  it("validates events if the application asks for it", () => {
    const { errors, heard, deliver } = createScene(true)
    deliver("met", { name: " ann ", more: 1 })
    deliver("met", 7)
    deliver("late", { name: "" })
    deliver("met", { name: "bob" })
    expect(heard).toEqual([{ name: "ann" }, { name: "bob" }])
    expect(errors).toMatchObject([
      { code: "invalid_reply", message: matching(/^event "met": .*object/) },
      { code: "invalid_reply", message: 'event "late": its schema must validate synchronously' },
    ])
  })

  it("reports an error of the work, and continues", () => {
    const { errors, delivery } = createScene(false)
    const done: string[] = []
    delivery.run(() => {
      throw new TypeError("a listener fails")
    })
    delivery.run(() => void done.push("next"))
    expect([errors, done]).toEqual([[new TypeError("a listener fails")], ["next"]])
  })
})
