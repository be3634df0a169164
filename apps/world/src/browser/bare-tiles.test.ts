import { expect, it } from "vitest"
import type { ResourceFields } from "../contract.ts"
import { BareTiles } from "./bare-tiles.ts"
import { bareGid } from "./render/bare-picture.ts"

const tree = (x: number, y: number, stock: number): ResourceFields => ({ x, y, kind: "tree", stock })

it("marks bare tiles, and changes the versions of their chunks, also that of the crown", () => {
  const bare = new BareTiles()
  bare.apply([{ kind: "enter", id: "1", record: tree(20, 16, 3) }])
  expect([bare.kindAt(20, 16), bare.versionOf(1, 1), bare.versionOf(1, 0)]).toEqual([undefined, 0, 0])
  bare.apply([{ kind: "change", id: "1", record: tree(20, 16, 0), before: tree(20, 16, 1) }])
  expect([bare.kindAt(20, 16), bare.versionOf(1, 1), bare.versionOf(1, 0)]).toEqual(["tree", 1, 1])
  bare.apply([{ kind: "leave", id: "1", record: tree(20, 16, 0) }])
  expect([bare.kindAt(20, 16), bare.versionOf(1, 1), bare.versionOf(1, 0)]).toEqual([undefined, 2, 2])
})

it("draws a stump for a bare tree without its crown, and a small or no picture for a bare rock", () => {
  const [crown, trunk, stump, rock, smallRock, grass] = [95, 96, 107, 108, 109, 1]
  expect(bareGid(trunk, "tree", undefined)).toBe(stump)
  expect(bareGid(crown, undefined, "tree")).toBe(0)
  expect([bareGid(rock, "rock", undefined), bareGid(smallRock, "rock", undefined)]).toEqual([smallRock, 0])
  for (const gid of [crown, trunk, stump, rock, smallRock, grass])
    expect(bareGid(gid, undefined, undefined)).toBe(gid)
  // The trunk of another tree may be directly above a bare one.
  expect([bareGid(trunk, undefined, "tree"), bareGid(grass, "tree", "tree")]).toEqual([trunk, grass])
})
