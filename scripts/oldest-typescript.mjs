// Installs the oldest supported TypeScript, and prints the path of its compiler. It has a folder of its own because its bin
// is called `tsc`: in the root's node_modules/.bin it would replace the compiler of this clone.
import { join } from "node:path"
import { ensureInstalledIn, root } from "./prepare.mjs"

const home = join(root, "scripts/oldest-typescript")
ensureInstalledIn(home)
console.log(join(home, "node_modules/typescript/bin/tsc"))
