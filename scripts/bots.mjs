// `npm run bots -- COUNT [--url URL] [--seconds N]`: that many players walk about in a world, each by a real client;
// without a URL in one that is started for them. Runs what is built, as `npm start` does, and in this very process.
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { endWithParent, ensureBuilt, ensureInstalled, world } from "./prepare.mjs"

endWithParent()
ensureInstalled()
ensureBuilt()

const main = join(world, "dist/bots/main.js")
process.argv[1] = main
await import(pathToFileURL(main).href)
