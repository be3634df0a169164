// Pictures, loaded from the URLs that Vite assigns. Plain shapes replace a missing picture until it has arrived.
import { z } from "zod"
import { pageClock } from "../page-clock.ts"
import { loadPicture } from "./picture-loading.ts"

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

export interface AtlasLoading {
  /** Pictures that have arrived so far. */
  readonly current: Atlas
  /** Tries again to load the missing pictures. */
  retry(): void
  stop(): void
}

export function openAtlas(): AtlasLoading {
  const sheet = sheetSchema.safeParse(Object.values(sheets)[0])
  const frames = sheet.success ? sheet.data.frames : {}
  let current: Atlas = { tileset: undefined, sprites: undefined, frames }
  const load = (file: string, onLoaded: (picture: HTMLImageElement) => void) =>
    loadPicture({ load: (signal) => pictureOf(file, signal), onLoaded, clock: pageClock })
  const loadings = [
    load("tileset.png", (tileset) => (current = { ...current, tileset })),
    load("sprites.png", (sprites) => (current = { ...current, sprites })),
  ]
  return {
    get current() {
      return current
    },
    retry() {
      for (const loading of loadings) loading.retry()
    },
    stop() {
      for (const loading of loadings) loading.stop()
    },
  }
}

async function pictureOf(file: string, signal: AbortSignal): Promise<HTMLImageElement> {
  const url = pictures[`../../../assets/${file}`]
  if (url === undefined) throw new Error(`the page has no picture ${file}`)
  const picture = new Image()
  // Ends the download; the next attempt would otherwise wait for the same one.
  signal.addEventListener("abort", () => picture.removeAttribute("src"), { once: true })
  picture.src = url
  await picture.decode()
  return picture
}
