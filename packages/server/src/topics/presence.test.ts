// Presence of one topic as plain data.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Presence } from "./presence.ts"
import type { PresenceMember } from "./presence.ts"

const limits = { listMaxCount: 3, listMaxBytes: 10_000, stateMaxBytes: 100 }

function member(id: number): PresenceMember {
  return { id, user: `user ${id}`, state: undefined, away: false }
}

describe("Presence as plain data", () => {
  const step = fc.record({ what: fc.constantFrom("join", "leave", "away", "take"), id: fc.nat(7) })

  it("continues exactly as the frozen presence would", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (before, after) => {
        const members = new Map<number, PresenceMember>()
        let joins = 0
        const run = (
          presences: readonly Presence<PresenceMember>[],
          { what, id: at }: (typeof before)[number],
        ) => {
          const known = [...members.values()][at]
          if (what === "join") {
            joins += 1
            const joined = member(joins)
            members.set(joins, joined)
            for (const presence of presences) presence.add(joined)
          } else if (what === "leave" && known !== undefined) {
            members.delete(known.id)
            for (const presence of presences) presence.delete(known)
          } else if (what === "away" && known !== undefined) {
            known.away = !known.away
            for (const presence of presences) presence.changed(known)
          }
          return presences.map((presence) => ({
            list: presence.list(),
            bytes: presence.listedBytes,
            change: what === "take" ? presence.takeChange() : undefined,
            frozen: presence.freeze(),
          }))
        }
        const presence = new Presence<PresenceMember>(limits)
        for (const each of before) run([presence], each)
        const restored = new Presence<PresenceMember>(limits)
        restored.thaw(structuredClone(presence.freeze()), (id) => members.get(id))
        expect(restored.freeze()).toEqual(presence.freeze())
        for (const each of after) {
          const [expected, actual] = run([presence, restored], each)
          expect(actual).toEqual(expected)
        }
      }),
    )
  })

  it("reports members that were not restored as gone, and lists counted members in their place", () => {
    const presence = new Presence<PresenceMember>(limits)
    const members = [1, 2, 3, 4].map(member)
    for (const each of members) presence.add(each)
    presence.takeChange()
    const restored = new Presence<PresenceMember>(limits)
    restored.thaw(presence.freeze(), (id) => members.find((each) => each.id === id && id !== 2))
    const fourth = { id: 4, user: "user 4", state: null, away: false }
    expect(restored.takeChange()).toEqual({ count: 3, members: [fourth], gone: [2] })
    expect(restored.list().members.map(({ id }) => id)).toEqual([1, 3, 4])
  })
})
