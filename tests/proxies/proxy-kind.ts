// The port to a reverse proxy: the properties that the tests need, the same for every program. Each program has one
// adapter.
import { spawnSync } from "node:child_process"
import type { Child } from "../browsers/child.ts"
import type { Edit } from "./configuration.ts"

/** Ports, folder and target of one proxy of a test. */
export interface ProxyPlace {
  /** Folder of this proxy alone. */
  readonly folder: string
  /** Path of the configuration in this folder. */
  readonly path: string
  readonly ports: { readonly plain: number; readonly secure: number; readonly admin: number }
  /** `HOST:PORT` of the server. */
  readonly backend: string
}

export interface ProxyKind {
  readonly name: "nginx" | "haproxy" | "caddy"
  /** Name of the file in docs/deploy. */
  readonly configuration: string
  /** Reason why it cannot run here; undefined where it is installed. */
  missing(): string | undefined
  /** Replacements of ports and paths for a test. */
  placed(place: ProxyPlace): readonly Edit[]
  start(place: ProxyPlace): Child
  /** Reloads the configuration; resolves with the process that serves afterwards, as soon as it does. */
  reload(place: ProxyPlace, running: Child): Promise<Child>
  /** Status of an upgrade while no server listens behind it. */
  readonly absentStatus: 502 | 503
  /** The line with the idle timeout, in whole seconds; undefined without one. */
  readonly idle: ((seconds: number) => string) | undefined
  /** The line that bounds how long connections outlive a reload; undefined where a reload closes them at once. */
  readonly outlives: ((seconds: number) => string) | undefined
  /** Configurations that lose the header Host, each with the cause. */
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
