import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"
import { z } from "zod"
import { outfitCount } from "./outfits.ts"

it("counts the outfits of the sprite sheet", async () => {
  const sheet = new URL("../../assets/sprites.json", import.meta.url)
  const { frames } = z
    .object({ frames: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(await readFile(sheet, "utf8")))
  const outfits = new Set(Object.keys(frames).map((frame) => /^player-(\d+)\//.exec(frame)?.[1]))
  outfits.delete(undefined)
  expect([...outfits]).toEqual(Array.from({ length: outfitCount }, (_, outfit) => String(outfit)))
})
