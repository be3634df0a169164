import { describe, expect, it } from "vitest"
import { keyAction, keyIdentity } from "./key-action.ts"

const kindOf = (key: string, code: string): string | undefined => {
  const action = keyAction({ key, code })
  return action?.kind === "walk" ? action.direction : action?.kind
}

describe("the action of a key", () => {
  it.each([
    ["Enter", "Enter", "chat"],
    ["Enter", "NumpadEnter", "chat"],
    ["ArrowUp", "ArrowUp", "UP"],
    ["ArrowUp", "Numpad8", "UP"],
    ["8", "Numpad8", undefined],
    [" ", "Space", "gather"],
    ["F2", "F2", "devPanel"],
    ["w", "KeyW", "UP"],
    ["q", "KeyA", "LEFT"],
    ["e", "KeyE", "gather"],
    ["x", "KeyX", undefined],
  ])("surprise-A11 is the same for each key with this meaning: %j at %s → %s", (key, code, expected) => {
    expect(kindOf(key, code)).toBe(expected)
  })

  it.each([
    ["Enter", "chat"],
    ["ArrowLeft", "LEFT"],
    ["W", "UP"],
    ["d", "RIGHT"],
    ["Unidentified", undefined],
  ])("surprise-A11 also matches keys without a place: %j → %s", (key, expected) => {
    expect(kindOf(key, "")).toBe(expected)
  })

  it("identifies a key whose meaning changed before its release", () => {
    expect(keyIdentity({ key: "8", code: "Numpad8" })).toBe(keyIdentity({ key: "ArrowUp", code: "Numpad8" }))
    expect(keyIdentity({ key: "W", code: "" })).toBe(keyIdentity({ key: "w", code: "" }))
  })
})
