// Section 2: status, version, tilesets and pictures over HTTP.
import { SkipCase, type CaseContext, type ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, intAt, listAt, textAt } from "./expect.ts"
import { statusShape, tilesetShape } from "./http-shapes.ts"
import { enterWhole, newAccount, type Account } from "./player.ts"
import { exactly, expectShape, fields, list, nonEmptyText } from "./shape.ts"
import { get } from "./web.ts"

const PNG_MAGIC = "89504e470d0a1a0a"

function tilesetsPath(mapId: string): string {
  return `/api/maps/${encodeURIComponent(mapId)}/tilesets`
}

function picturePath(file: string): string {
  return `/api/tilesets/${file.split("/").map(encodeURIComponent).join("/")}`
}

async function tilesetsOf(context: CaseContext, { mapId, token }: Account): Promise<readonly unknown[]> {
  const answer = await get(context, tilesetsPath(mapId), { token })
  expectEqual("status of the tileset list", answer.status, 200)
  expectShape("tilesets", answer.json, list(tilesetShape))
  return listAt(answer.json)
}

async function checkTilesetFields(context: CaseContext): Promise<void> {
  const tilesets = await tilesetsOf(context, await newAccount(context))
  expectThat(tilesets.length > 0, "at least one tileset for the map where players appear", tilesets)
  for (const tileset of tilesets) {
    const last = intAt(tileset, "first_gid") + intAt(tileset, "tile_count") - 1
    expectEqual("last_gid", intAt(tileset, "last_gid"), last)
  }
}

async function checkGids(context: CaseContext): Promise<void> {
  const { account, client } = await enterWhole(context)
  const tilesets = await tilesetsOf(context, account)
  const covers = (gid: number) =>
    tilesets.some((one) => gid >= intAt(one, "first_gid") && gid <= intAt(one, "last_gid"))
  const update = client.frames.find(({ type }) => type === "event_chunk_update")
  const tiles = listAt(update?.payload, "chunks").flatMap((chunk) => listAt(chunk, "tiles").flat())
  const gids = new Set(tiles.flatMap((tile) => listAt(tile, "layers").map((layer) => intAt(layer, "gid"))))
  const unknown = [...gids].filter((gid) => gid !== 0 && !covers(gid))
  expectThat(unknown.length === 0, "every gid of a tile inside a tileset of the map", unknown)
}

async function checkPictures(context: CaseContext): Promise<void> {
  const account = await newAccount(context)
  for (const tileset of await tilesetsOf(context, account)) {
    const path = picturePath(textAt(tileset, "image_source"))
    const answer = await get(context, path, { token: account.token })
    expectEqual(`status of ${path}`, answer.status, 200)
    expectEqual(`first bytes of ${path}`, Buffer.from(answer.bytes.subarray(0, 8)).toString("hex"), PNG_MAGIC)
    expectEqual(`status of ${path} without a token`, (await get(context, path)).status, 401)
  }
}

async function checkMetadata(context: CaseContext): Promise<void> {
  const account = await newAccount(context)
  for (const tileset of await tilesetsOf(context, account)) {
    const path = `/api/tilesets/${encodeURIComponent(String(at(tileset, "id")))}/metadata`
    const answer = await get(context, path, { token: account.token })
    expectEqual(`status of ${path}`, answer.status, 200)
    expectEqual(`body of ${path}`, answer.json, tileset)
  }
  const missing = await get(context, "/api/tilesets/no-such-tileset/metadata", { token: account.token })
  expectThat(
    [400, 404, 422].includes(missing.status),
    "400, 404 or 422 for an unknown tileset",
    missing.status,
  )
}

async function refuseOtherFiles(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const paths = [
    "/api/tilesets/no-such-file.png",
    "/api/tilesets/..%2f..%2fpackage.json",
    "/api/tilesets/%2fetc%2fpasswd",
  ]
  for (const path of paths) {
    const { status } = await get(context, path, { token })
    expectThat([400, 403, 404].includes(status), `400, 403 or 404 for ${path}`, status)
  }
}

async function checkPlayerCount(context: CaseContext): Promise<void> {
  await enterWhole(context)
  const { json } = await get(context, "/status")
  expectThat(
    intAt(json, "capacity", "current_players") >= 1,
    "current_players of at least 1 while one is in",
    json,
  )
}

export const httpWorldCases: readonly ConformanceCase[] = [
  {
    name: "answers GET /status with status, motd, capacity and performance",
    section: "2",
    run: async (context) => {
      const { status, json } = await get(context, "/status")
      expectEqual("status", status, 200)
      expectShape("body", json, statusShape)
    },
  },
  {
    name: "counts a player who is in among current_players of /status",
    section: "12.17",
    run: checkPlayerCount,
  },
  {
    name: 'answers GET / with {status:"ok"} unless a page is asked for',
    section: "2",
    run: async (context) => {
      for (const accept of ["application/json", "*/*"]) {
        const { status, json } = await get(context, "/", { accept })
        expectEqual(`status with Accept: ${accept}`, status, 200)
        expectShape(`body with Accept: ${accept}`, json, fields({ status: exactly("ok") }))
      }
    },
  },
  {
    name: "answers GET / with a page when the client accepts text/html",
    section: "2",
    run: async (context) => {
      const { status, headers } = await get(context, "/", {
        accept: "text/html,application/xhtml+xml,*/*;q=0.8",
      })
      expectEqual("status", status, 200)
      expectThat(
        headers.get("content-type")?.startsWith("text/html") ?? false,
        "text/html",
        headers.get("content-type"),
      )
    },
  },
  {
    name: "answers GET /version with a version text",
    section: "2",
    run: async (context) => {
      const { status, json } = await get(context, "/version")
      expectEqual("status", status, 200)
      expectShape("body", json, fields({ version: nonEmptyText }))
    },
  },
  {
    name: "answers GET /healthz with 200",
    section: "2",
    run: async (context) => expectEqual("status", (await get(context, "/healthz")).status, 200),
  },
  { name: "lists the tilesets of a map with all their fields", section: "2", run: checkTilesetFields },
  {
    name: "answers 401 to a tileset list without a token or with a bad one",
    section: "2",
    run: async (context) => {
      const { mapId } = await newAccount(context)
      for (const request of [{}, { token: "no-such-token" }]) {
        const { status, json } = await get(context, tilesetsPath(mapId), request)
        expectEqual("status", status, 401)
        expectShape("body", json, fields({ detail: nonEmptyText }))
      }
    },
  },
  {
    name: "answers 404 to the tileset list of an unknown map",
    section: "2",
    run: async (context) => {
      const { token } = await newAccount(context)
      expectEqual("status", (await get(context, tilesetsPath("no-such-map"), { token })).status, 404)
    },
  },
  { name: "serves the metadata of each tileset as one entry of the list", section: "2", run: checkMetadata },
  {
    name: "serves the picture of each tileset as PNG to holders of a token only",
    section: "2",
    run: checkPictures,
  },
  { name: "serves no file but the pictures of tilesets", section: "2", run: refuseOtherFiles },
  { name: "covers every gid of the map by one of its tilesets", section: "2", run: checkGids },
  {
    name: "answers the sprite manifest with JSON or 404",
    section: "2",
    run: async (context) => {
      const { token } = await newAccount(context)
      const { status, json } = await get(context, "/api/sprites/manifest", { token })
      if (status === 404) throw new SkipCase("the server has no sprite manifest, which is allowed")
      expectEqual("status", status, 200)
      expectThat(json !== undefined, "a JSON body", json)
    },
  },
]
