// What the tests need of a reverse proxy, whichever program it is. Each program has one adapter.
import { spawnSync } from "node:child_process"
import type { Child } from "../browsers/child.ts"
import type { Edit } from "./configuration.ts"

/** Where one proxy of a test listens, keeps its files and sends what it gets. */
export interface ProxyPlace {
  /** Of the proxy alone. */
  readonly folder: string
  /** The configuration, in this folder. */
  readonly path: string
  readonly ports: { readonly plain: number; readonly secure: number; readonly admin: number }
  /** `HOST:PORT` of the server. */
  readonly backend: string
}

export interface ProxyKind {
  readonly name: "nginx" | "haproxy" | "caddy"
  /** Name of the file in docs/deploy. */
  readonly configuration: string
  /** Why it cannot run here; undefined where it is installed. */
  missing(): string | undefined
  /** Ports and paths of a test. */
  placed(place: ProxyPlace): readonly Edit[]
  start(place: ProxyPlace): Child
  /** Reads the configuration again; resolves with the process that serves now, when it does. */
  reload(place: ProxyPlace, running: Child): Promise<Child>
  /** Status of an upgrade while nothing listens behind it. */
  readonly absentStatus: 502 | 503
  /** The line with the idle time, in whole seconds; undefined where there is none. */
  readonly idle: ((seconds: number) => string) | undefined
  /** The line that bounds how long connections outlive a reload; undefined where a reload ends them at once. */
  readonly outlives: ((seconds: number) => string) | undefined
  /** Configurations that lose the header Host, and what they lose it by. */
  readonly hostless: readonly { readonly how: string; readonly edit: Edit }[]
}

export function missingProgram(program: string, versionFlag: string): string | undefined {
  const found = spawnSync(program, [versionFlag]).error === undefined
  return found ? undefined : `needs ${program}: apt-get install ${program}`
}

/**
 * Returns why tests of a program are skipped here, or undefined.
 * @throws Error where CI is set: there each is installed.
 */
export function skipReason(missing: string | undefined): string | undefined {
  if (missing !== undefined && process.env["CI"] !== undefined) throw new Error(missing)
  return missing
}
