// Decides which tilesets and sprites a logged-in player gets. Must not know where they come from.
import { contentReply, jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"
import type { Route, RouteRequest } from "./routes.ts"
import type { Tokens } from "./tokens.ts"

/** A tileset as a map uses it; sizes in pixels. */
interface TilesetEntry {
  readonly id: string
  /** The name under which `/api/tilesets/` has the image. */
  readonly imageSource: string
  /** The first and last tile number of the map that lie in this tileset. */
  readonly firstGid: number
  readonly lastGid: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly tileCount: number
  readonly columns: number
  readonly spacing: number
  readonly margin: number
}

/** Where tilesets come from. */
export interface Tilesets {
  /** The tilesets of a map; undefined when there is no such map. */
  list(mapId: string): readonly TilesetEntry[] | undefined
  /** A tileset by its id. */
  find(id: string): TilesetEntry | undefined
  /** An image by its file name. */
  image(file: string): { readonly bytes: Uint8Array; readonly contentType: string } | undefined
}

export interface AssetOptions {
  readonly tokens: Tokens
  readonly tilesets: Tilesets
}

/** `/api/…`, all behind a Bearer token. */
export function assetRoutes({ tokens, tilesets }: AssetOptions): readonly Route[] {
  function guarded(path: string, answer: (params: RouteRequest["params"]) => Reply): Route {
    return {
      method: "GET",
      path,
      async answer({ request, params }) {
        const token = /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? "")?.[1]
        const username = token === undefined ? undefined : await tokens.verify(token)
        if (username !== undefined) return answer(params)
        return refusal(401, "Could not validate credentials", { "WWW-Authenticate": "Bearer" })
      },
    }
  }

  return [
    guarded("/api/maps/:mapId/tilesets", ({ mapId = "" }) => {
      const entries = tilesets.list(mapId)
      return entries === undefined ? refusal(404, "Map not found") : jsonReply(200, entries.map(tilesetWire))
    }),
    guarded("/api/tilesets/:id/metadata", ({ id = "" }) => {
      const entry = tilesets.find(id)
      return entry === undefined ? refusal(404, "Tileset not found") : jsonReply(200, tilesetWire(entry))
    }),
    guarded("/api/tilesets/:file", ({ file = "" }) => {
      if (!/^\w[\w.-]*$/.test(file)) return refusal(400, "Not the name of a tileset's image")
      const image = tilesets.image(file)
      if (image === undefined) return refusal(404, "Tileset not found")
      return contentReply(image.bytes, { contentType: image.contentType, isImmutable: false })
    }),
    guarded("/api/sprites/manifest", () => jsonReply(200, { sprites: {} })),
    guarded("/api/sprites-status", () => jsonReply(200, { status: "ok", sprite_count: 0 })),
    guarded("/api/sprites/*", () => refusal(404, "Sprite not found")),
  ]
}

function tilesetWire(entry: TilesetEntry) {
  return {
    id: entry.id,
    type: "manual",
    image_source: entry.imageSource,
    first_gid: entry.firstGid,
    last_gid: entry.lastGid,
    tile_width: entry.tileWidth,
    tile_height: entry.tileHeight,
    tile_count: entry.tileCount,
    columns: entry.columns,
    spacing: entry.spacing,
    margin: entry.margin,
  }
}
