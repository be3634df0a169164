// `npm run bots -- COUNT [--url URL] [--seconds N]`: this number of players walk in a world, each by a real client.
// Without a URL the command starts a world. Runs the built packages, as `npm start` does, and in this process.
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { endWithParent, ensureBuilt, ensureInstalled, world } from "./prepare.mjs"

endWithParent()
ensureInstalled()
ensureBuilt()

const main = join(world, "dist/bots/main.js")
process.argv[1] = main
await import(pathToFileURL(main).href)
