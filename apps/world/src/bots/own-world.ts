// A temporary world for the bots: a separate process, whose data is deleted at its end.
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Keys } from "./accounts.ts"

interface OwnWorld {
  readonly url: string
  close(): Promise<void>
}

export interface OwnWorldFiles {
  readonly keys: Keys
  start(): Promise<OwnWorld>
}

const opened = /^The world is open: (\S+)$/m

/** Creates the keys before the world starts, so that accounts can be written first. */
export function prepareOwnWorld(): OwnWorldFiles {
  const folder = mkdtempSync(join(tmpdir(), "hawser-bots-"))
  const keys = {
    databaseUrl: `file:${join(folder, "world.sqlite")}`,
    jwtSecret: randomBytes(48).toString("base64url"),
  }
  return { keys, start: () => start(keys, folder) }
}

async function start(keys: Keys, folder: string): Promise<OwnWorld> {
  // Beside this file, from source and compiled.
  const main = new URL(
    import.meta.url.endsWith(".ts") ? "../server/main.ts" : "../server/main.js",
    import.meta.url,
  )
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(main)], {
    env: {
      PATH: process.env["PATH"],
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "warn",
      DATABASE_URL: keys.databaseUrl,
      JOURNAL: join(folder, "journal"),
      JWT_SECRET: keys.jwtSecret,
    },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const ended = once(child, "close")
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.once("exit", () => {
    child.kill("SIGKILL")
    remove()
  })
  let output = ""
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      const found = opened.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
    ended.then(() => reject(new Error("the world ended before it was open")), reject)
  })
  return {
    // Not `localhost`, which may resolve to two addresses.
    url: url.replace("//localhost", "//127.0.0.1"),
    async close() {
      child.kill("SIGTERM")
      await ended
      remove()
    },
  }
}
