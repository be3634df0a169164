// Serves tilesets and sprites to logged-in players. Must not know their source.
import { z } from "zod"
import { bearerToken } from "./bearer-token.ts"
import { contentReply, jsonReply, refusal } from "./reply.ts"
import { anyText, json, paramsOf, refused } from "./route.ts"
import type { Route, WorldContext } from "./route.ts"
import type { Tokens } from "./tokens.ts"

/** A tileset as a map uses it; sizes in pixels. */
interface TilesetEntry {
  readonly id: string
  /** File name of the image under `/api/tilesets/`. */
  readonly imageSource: string
  /** First and last gid of this tileset. */
  readonly firstGid: number
  readonly lastGid: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly tileCount: number
  readonly columns: number
  readonly spacing: number
  readonly margin: number
}

/** Source of tilesets. */
export interface Tilesets {
  /** Tilesets of a map; undefined if there is no such map. */
  list(mapId: string): readonly TilesetEntry[] | undefined
  /** Tileset by its id. */
  find(id: string): TilesetEntry | undefined
  /** Image by its file name. */
  image(file: string): { readonly bytes: Uint8Array; readonly contentType: string } | undefined
}

export interface AssetOptions {
  readonly tokens: Tokens
  readonly tilesets: Tilesets
}

const tilesetBody = z
  .object({
    id: z.string(),
    type: z.literal("manual"),
    image_source: z.string(),
    first_gid: z.int(),
    last_gid: z.int(),
    tile_width: z.int(),
    tile_height: z.int(),
    tile_count: z.int(),
    columns: z.int(),
    spacing: z.int(),
    margin: z.int(),
  })
  .meta({ title: "Tileset" })

const mapParams = z.object({ mapId: z.string() })
const tilesetParams = z.object({ id: z.string() })
const imageParams = z.object({ file: z.string().regex(/^\w[\w.-]*$/) })
const spriteParams = z.object({ path: z.string() })
const spritesBody = z.object({ sprites: z.object({}) }).meta({ title: "Sprites" })
const spritesStatusBody = z
  .object({ status: z.literal("ok"), sprite_count: z.int() })
  .meta({ title: "SpritesStatus" })

const unauthorized = refused("The access token is missing, expired or of another issuer")
const noTileset = refused("There is no such tileset")

/** `/api/…`, all behind a bearer token. */
export function assetRoutes(options: AssetOptions): readonly Route[] {
  return [...tilesetRoutes(options.tilesets), ...spriteRoutes].map((route) => guarded(route, options.tokens))
}

/** Adds the check of the access token, which runs before the parameters are read. */
function guarded(route: Route, tokens: Tokens): Route {
  return {
    ...route,
    credential: "accessToken",
    replies: { ...route.replies, 401: unauthorized },
    async answer(context) {
      const token = bearerToken(context.env.incoming)
      const username = token === undefined ? undefined : await tokens.verify(token)
      if (username !== undefined) return route.answer(context)
      return refusal(401, "Could not validate credentials", { "WWW-Authenticate": "Bearer" })
    },
  }
}

function tilesetRoutes(tilesets: Tilesets): readonly Route[] {
  return [
    {
      method: "GET",
      path: `/api/maps/:mapId${anyText}/tilesets`,
      summary: "Tilesets of a map",
      params: mapParams,
      replies: {
        200: json("The tilesets", z.array(tilesetBody)),
        404: refused("There is no such map"),
      },
      answer(context) {
        const entries = tilesets.list(paramsOf(context, mapParams)?.mapId ?? "")
        return entries === undefined
          ? refusal(404, "Map not found")
          : jsonReply(200, entries.map(tilesetWire))
      },
    },
    {
      method: "GET",
      path: `/api/tilesets/:id${anyText}/metadata`,
      summary: "One tileset",
      params: tilesetParams,
      replies: { 200: json("The tileset", tilesetBody), 404: noTileset },
      answer(context) {
        const entry = tilesets.find(paramsOf(context, tilesetParams)?.id ?? "")
        return entry === undefined ? refusal(404, "Tileset not found") : jsonReply(200, tilesetWire(entry))
      },
    },
    {
      method: "GET",
      path: `/api/tilesets/:file${anyText}`,
      summary: "Image of a tileset",
      params: imageParams,
      replies: {
        200: { description: "The image", content: { "image/png": undefined } },
        400: refused("The parameter cannot be the name of an image"),
        404: noTileset,
      },
      answer: (context) => imageReply(context, tilesets),
    },
  ]
}

function imageReply(context: WorldContext, tilesets: Tilesets): Response {
  const params = paramsOf(context, imageParams)
  if (params === undefined) return refusal(400, "Not the name of a tileset's image")
  const image = tilesets.image(params.file)
  if (image === undefined) return refusal(404, "Tileset not found")
  return contentReply(image.bytes, { contentType: image.contentType, caching: "no-cache" })
}

/** Sprite routes of clients of 2.0. The server has no sprites. */
const spriteRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/sprites/manifest",
    summary: "Sprites by name",
    replies: { 200: json("No sprites", spritesBody) },
    answer: () => jsonReply(200, { sprites: {} }),
  },
  {
    method: "GET",
    path: "/api/sprites-status",
    summary: "Number of sprites",
    replies: { 200: json("The number of sprites", spritesStatusBody) },
    answer: () => jsonReply(200, { status: "ok", sprite_count: 0 }),
  },
  {
    method: "GET",
    path: "/api/sprites/:path{.*}",
    summary: "Image of a sprite",
    params: spriteParams,
    replies: { 404: refused("There is no such sprite") },
    answer: () => refusal(404, "Sprite not found"),
  },
]

function tilesetWire(entry: TilesetEntry): z.infer<typeof tilesetBody> {
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
