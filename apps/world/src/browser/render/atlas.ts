// Pictures, loaded once from the URLs that Vite assigns. Plain shapes replace a missing picture.
import { z } from "zod"

/** Rectangles of the sprite sheet by name, in pixels. */
const sheetSchema = z.object({
  frames: z.record(z.string(), z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() })),
})
type SpriteFrames = z.infer<typeof sheetSchema>["frames"]

export interface Atlas {
  readonly tileset: HTMLImageElement | undefined
  readonly sprites: HTMLImageElement | undefined
  readonly frames: SpriteFrames
}

const pictures = import.meta.glob<string>("../../../assets/*.png", {
  eager: true,
  query: "?url",
  import: "default",
})
const sheets = import.meta.glob("../../../assets/sprites.json", { eager: true, import: "default" })

export async function loadAtlas(): Promise<Atlas> {
  const [tileset, sprites] = await Promise.all([loadPicture("tileset.png"), loadPicture("sprites.png")])
  const sheet = sheetSchema.safeParse(Object.values(sheets)[0])
  return { tileset, sprites, frames: sheet.success ? sheet.data.frames : {} }
}

async function loadPicture(name: string): Promise<HTMLImageElement | undefined> {
  const url = pictures[`../../../assets/${name}`]
  if (url === undefined) return undefined
  const picture = new Image()
  picture.src = url
  try {
    await picture.decode()
    return picture
  } catch {
    return undefined
  }
}
