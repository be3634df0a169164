import { HawserError } from "@hawser/server"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { parseTiledMap } from "../../rules/map.ts"
import { createProfile20 } from "./profile20.ts"

const mapFile = new URL("../../../assets/map.json", import.meta.url)
const profile20 = createProfile20({
  map: parseTiledMap(JSON.parse(readFileSync(mapFile, "utf8"))),
  motd: "",
  seen: () => expect.unreachable("no session exists"),
  players: () => [],
  wallClockMs: () => 0,
})

it.each([
  "attack",
  "toggleAutoRetaliate",
  "updateAppearance",
  "inventoryMove",
  "inventorySort",
  "itemDrop",
  "itemPickup",
  "itemEquip",
  "itemUnequip",
  "adminGive",
])("offers no %s, and says so", (name) => {
  const request = (): unknown => profile20.requests?.[name]?.({})
  expect(request).toThrow(HawserError)
  expect(request).toThrow(`does not offer "${name}"`)
})
