import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Hub } from "./hub.ts"
import type { HubPublication } from "./hub.ts"
import { MemoryTopicLog } from "./memory-topic-log.ts"

/** Returns a hub with a log without histories. */
function newHub<Member>() {
  const log = new MemoryTopicLog<HubPublication<Member>>({
    historyOf: () => undefined,
    timers: { after: () => () => {} },
    clock: { now: () => 0 },
    epoch: "e",
    limits: { topicHistoryMaxBytes: 1, idleTopicsMax: 1 },
  })
  return { hub: new Hub<Member>(log), log }
}

/** Publishes one event. Returns the offset and the recipients. */
function publish<Member>(log: MemoryTopicLog<HubPublication<Member>>, topic: string) {
  const received: Member[] = []
  const position = log.append(topic, {
    except: undefined,
    encode() {},
    retained: () => ({ bytes: new Uint8Array() }),
    deliver: (members) => void received.push(...members),
  })
  return { offset: position?.offset, received }
}

describe("Hub", () => {
  it("returns the members of each topic, each once", () => {
    const { hub } = newHub<string>()
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

  it("numbers publications per topic from 1, and takes no offset without members", () => {
    const { hub, log } = newHub<string>()
    expect(publish(log, "a")).toEqual({ offset: undefined, received: [] })
    hub.join("a", "ann")
    hub.join("b", "ann")
    expect(["a", "a", "b"].map((topic) => publish(log, topic).offset)).toEqual([1, 2, 1])
    hub.leave("a", "ann")
    expect(publish(log, "a")).toEqual({ offset: undefined, received: [] })
    hub.join("a", "bob")
    expect(publish(log, "a")).toEqual({ offset: 1, received: ["bob"] })
  })

  it("takes an offset only for delivered publications, and begins another epoch after the last member left", () => {
    const { hub, log } = newHub<string>()
    expect(log.head("a")).toBeUndefined()
    hub.join("a", "ann")
    const failing = {
      except: undefined,
      encode() {
        throw new RangeError("unsendable")
      },
      retained: () => ({ bytes: new Uint8Array() }),
      deliver() {
        throw new Error("delivered")
      },
    }
    expect(() => log.append("a", failing)).toThrow("unsendable")
    expect(log.head("a")).toMatchObject({ offset: 0 })
    expect(publish(log, "a")).toEqual({ offset: 1, received: ["ann"] })
    const before = log.head("a")
    expect(before).toMatchObject({ offset: 1 })
    hub.leave("a", "ann")
    hub.join("a", "ann")
    expect(log.head("a")).toMatchObject({ offset: 0 })
    expect(log.head("a")?.epoch).not.toBe(before?.epoch)
  })

  it("numbers a publication before it fans it out", () => {
    const { hub, log } = newHub<string>()
    hub.join("a", "ann")
    const offsets: (number | undefined)[] = []
    log.append("a", {
      except: undefined,
      encode: (offset) => void offsets.push(offset, log.head("a")?.offset),
      retained: () => ({ bytes: new Uint8Array() }),
      deliver: () => void offsets.push(log.head("a")?.offset),
    })
    expect(offsets).toEqual([1, 0, 1])
  })

  it("keeps counting while the topic has a member", () => {
    const { hub, log } = newHub<string>()
    hub.join("a", "ann")
    publish(log, "a")
    hub.join("a", "bob")
    hub.leave("a", "ann")
    expect(publish(log, "a")).toEqual({ offset: 2, received: ["bob"] })
  })

  it.each(["", "a b", "..", "x".repeat(129)])("throws for the topic %j and stores nothing", (topic) => {
    const { hub } = newHub<string>()
    expect(() => hub.join(topic, "ann")).toThrow(RangeError)
    expect(hub.size).toBe(0)
  })

  it("agrees with a list of pairs, and keeps no topic or member that left", () => {
    const topics = ["a", "b", "toString"]
    const step = fc.record({
      what: fc.constantFrom("join", "leave", "leaveAll"),
      topic: fc.constantFrom(...topics),
      member: fc.nat(3),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { hub } = newHub<number>()
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
