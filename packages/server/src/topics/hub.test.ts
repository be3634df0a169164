import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Hub } from "./hub.ts"

/** Nothing is kept in it. */
function newHub<Member>(): Hub<Member> {
  return new Hub<Member>({
    historyOf: () => undefined,
    timers: { after: () => () => {} },
    nowMs: () => 0,
    epoch: "e",
    historyMaxBytes: 1,
    idleTopicsMax: 1,
  })
}

/** Publishes, and tells under which number. */
function publish(hub: Hub<string>, topic: string): number | undefined {
  const offset = hub.nextOffset(topic)
  hub.published(topic, () => ({ bytes: new Uint8Array() }), undefined)
  return offset
}

describe("Hub", () => {
  it("knows the members of each topic, each once", () => {
    const hub = newHub<string>()
    hub.join("a", "ann")
    hub.join("a", "ann")
    hub.join("a", "bob")
    hub.join("b", "ann")
    expect([[...hub.members("a")], [...hub.members("b")], [...hub.members("c")]]).toEqual([
      ["ann", "bob"],
      ["ann"],
      [],
    ])
    expect(hub.size).toBe(2)
  })

  it("numbers publications per topic from 1, and not without members", () => {
    const hub = newHub<string>()
    expect(hub.nextOffset("a")).toBeUndefined()
    hub.join("a", "ann")
    hub.join("b", "ann")
    expect([publish(hub, "a"), publish(hub, "a"), publish(hub, "b")]).toEqual([1, 2, 1])
    hub.leave("a", "ann")
    expect(hub.nextOffset("a")).toBeUndefined()
    hub.join("a", "bob")
    expect(hub.nextOffset("a")).toBe(1)
  })

  it("takes a number only for what went out, and names another epoch after its last member", () => {
    const hub = newHub<string>()
    expect(hub.position("a")).toBeUndefined()
    hub.join("a", "ann")
    expect([hub.nextOffset("a"), hub.nextOffset("a")]).toEqual([1, 1])
    publish(hub, "a")
    const before = hub.position("a")
    expect(before).toMatchObject({ offset: 1 })
    hub.leave("a", "ann")
    hub.join("a", "ann")
    expect(hub.position("a")).toMatchObject({ offset: 0 })
    expect(hub.position("a")?.epoch).not.toBe(before?.epoch)
  })

  it("keeps counting while anybody is in", () => {
    const hub = newHub<string>()
    hub.join("a", "ann")
    publish(hub, "a")
    hub.join("a", "bob")
    hub.leave("a", "ann")
    expect(hub.nextOffset("a")).toBe(2)
  })

  it.each(["", "a b", "..", "x".repeat(129)])("throws for the topic %j and remembers nothing", (topic) => {
    const hub = newHub<string>()
    expect(() => hub.join(topic, "ann")).toThrow(RangeError)
    expect(hub.size).toBe(0)
  })

  it("agrees with a list of pairs, and forgets every topic and member that left", () => {
    const topics = ["a", "b", "toString"]
    const step = fc.record({
      what: fc.constantFrom("join", "leave", "leaveAll"),
      topic: fc.constantFrom(...topics),
      member: fc.nat(3),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const hub = newHub<number>()
        let pairs: { topic: string; member: number }[] = []
        for (const { what, topic, member } of steps) {
          if (what === "join") {
            hub.join(topic, member)
            if (!pairs.some((pair) => pair.topic === topic && pair.member === member))
              pairs.push({ topic, member })
          } else if (what === "leave") {
            hub.leave(topic, member)
            pairs = pairs.filter((pair) => pair.topic !== topic || pair.member !== member)
          } else {
            hub.leaveAll(member)
            pairs = pairs.filter((pair) => pair.member !== member)
          }
          for (const each of topics) {
            expect([...hub.members(each)]).toEqual(
              pairs.filter((pair) => pair.topic === each).map((pair) => pair.member),
            )
          }
          expect(hub.size).toBe(new Set(pairs.map((pair) => pair.topic)).size)
        }
        for (const member of [0, 1, 2, 3]) hub.leaveAll(member)
        expect(hub.size).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })
})
