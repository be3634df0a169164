// The steps of a release: versions in the manifests, the changelog, and a rehearsal of the publication.
import { execFileSync, spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { packageNames, root } from "./packed.ts"

const scripts = join(root, "scripts")

function evaluate(expression: string): unknown {
  const names = "published, versionFault, withRelease, withVersion"
  const program = `import { ${names} } from "./release.mjs"; console.log(JSON.stringify(${expression}) ?? null)`
  const options = { cwd: scripts, encoding: "utf8", stdio: "pipe" } as const
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], options))
}

describe("a release", () => {
  it("publishes each package after those that it depends on", () => {
    expect(evaluate("published")).toEqual(packageNames)
  })

  it("pins our packages exactly, and leaves the ranges of others", () => {
    const manifest = {
      version: "0.1.0",
      dependencies: { "@hawser/protocol": "0.1.0", ws: "^8.0.0" },
      devDependencies: { "@hawser/server": "0.1.0" },
    }
    expect(evaluate(`withVersion(${JSON.stringify(manifest)}, "0.2.0")`)).toEqual({
      version: "0.2.0",
      dependencies: { "@hawser/protocol": "0.2.0", ws: "^8.0.0" },
      devDependencies: { "@hawser/server": "0.2.0" },
    })
  })

  it.each([
    { version: "0.1.0", before: "0.1.0", fault: null },
    { version: "0.2.0", before: "0.1.9", fault: null },
    { version: "1.0.0", before: "0.10.2", fault: null },
    { version: "0.1.9", before: "0.2.0", fault: "0.1.9 is lower than the current version 0.2.0" },
    { version: "v1", before: "0.2.0", fault: `a version is three numbers, such as 0.2.0, not "v1"` },
  ])("judges $version after $before", ({ version, before, fault }) => {
    expect(evaluate(`versionFault("${version}", "${before}")`)).toBe(fault)
  })

  it("moves the unreleased changes under the version", () => {
    const text = "# Changelog\n\n## Unreleased\n\n### Added\n\n- One.\n\n## 0.1.0 (2026-01-01)\n"
    expect(evaluate(`withRelease(${JSON.stringify(text)}, "0.2.0", "2026-02-01")`)).toBe(
      "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-01)\n\n### Added\n\n- One.\n\n## 0.1.0 (2026-01-01)\n",
    )
  })

  it("refuses a changelog without unreleased changes", () => {
    const text = "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-01-01)\n\n- One.\n"
    expect(() => evaluate(`withRelease(${JSON.stringify(text)}, "0.2.0", "2026-02-01")`)).toThrow(
      "no changes under ## Unreleased",
    )
  })

  it("is rehearsed by npm for every package", { timeout: 60_000 }, () => {
    const args = ["release.mjs", "publish", "--dry-run", "--offline"]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: scripts, encoding: "utf8" })
    expect([status, stdout.match(/^\+ @hawser\/\w+/gm)], stderr).toEqual([
      0,
      packageNames.map((name) => `+ @hawser/${name}`),
    ])
  })
})
