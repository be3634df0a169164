// `npm start`: installs and builds missing parts, then runs the world's server in this process, so that signals,
// standard streams and the exit code are the server's.
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { endWithParent, ensureBuilt, ensureInstalled, world } from "./prepare.mjs"

endWithParent()
ensureInstalled()
ensureBuilt({ browser: true })

const main = join(world, "dist/server/main.js")
process.argv[1] = main
await import(pathToFileURL(main).href)
