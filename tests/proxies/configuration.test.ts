// docs/deployment.md shows the same files that these tests run.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { documented } from "./configuration.ts"
import { proxyKinds } from "./proxy-kinds.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/deployment.md"), "utf8")
const files = [
  ...proxyKinds.map(({ configuration }) => configuration),
  "world.service",
  "game.socket",
  "game.service",
]

it.each(files)("door-9 shows %s of docs/deploy word for word in docs/deployment.md", (file) => {
  expect(page).toContain(`\n${documented(file)}\`\`\``)
  expect(page).toContain(`(deploy/${file})`)
})
