// Reads the configuration from environment variables, and describes each problem with its remedy. The environment is an
// argument. Must not open the files that it names; it may create one file, the signing secret of a machine that is not
// in production.
import { join } from "node:path"
import { z } from "zod"
import { keptSecret } from "./kept-secret.ts"

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const

/** A level of the log, the quietest but `silent` first. */
type LogLevel = (typeof logLevels)[number]

/** Configuration of the world's server. */
export interface WorldConfig {
  /** TCP port; 0 lets the system choose. Default 8080. */
  readonly port: number
  /** Address to listen on. Default 0.0.0.0, every interface. */
  readonly host: string
  /** `file:<path>` or `:memory:`. Default `file:` and `world.sqlite` in the data folder. */
  readonly databaseUrl: string
  /**
   * Folder of the journal, from which the next process continues the sessions; undefined without one. Default `journal` in the
   * data folder, and none for a database in memory: the next process would not know the players of the sessions.
   */
  readonly journalFolder: string | undefined
  /** Secret that signs the login tokens; at least 32 bytes. */
  readonly jwtSecret: string
  /** Origins whose pages may connect; undefined when not configured. */
  readonly origins: readonly string[] | undefined
  /** True if `X-Forwarded-For` of a proxy is trusted. Default false. */
  readonly trustProxy: boolean
  /**
   * Resume window: time for which a player with a detached session stays in the world and can resume, in milliseconds.
   * Default 90 s: a phone that froze the page for a minute resumes in time, and the player of a closed page soon
   * leaves.
   */
  readonly resumeWindowMs: number
  /**
   * Time from the end of the players' connections to a restarted world, in milliseconds; clients reconnect then.
   * Default 3 s.
   */
  readonly restartMs: number
  /** Lifetime of a log-in token, in milliseconds. Default 30 minutes. The page renews the token before it expires. */
  readonly tokenTtlMs: number
  /** Accounts that one address may register per minute; default 6. After a rest an address may register 20 at once. */
  readonly registrationsPerMinute: number
  /** True with `NODE_ENV=production`. */
  readonly isProduction: boolean
  /** Default info. */
  readonly logLevel: LogLevel
  /** Bearer token that every reader of the metrics must present; at least 16 characters. Undefined: none is set. */
  readonly metricsToken: string | undefined
}

/** Problems that prevent a start: one or two sentences for each faulty variable. */
export interface ConfigProblems {
  readonly problems: readonly string[]
}

/** Places of files that no variable names. */
export interface ConfigOptions {
  /** Folder of the database, the journal and the kept secret. Default `./data`. */
  readonly dataDir?: string
}

type Environment = Readonly<Record<string, string | undefined>>

const minSecretBytes = 32
const leastTokenCharacters = 16

const port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, {
    error: ({ input }) =>
      `is ${JSON.stringify(input)}; set a whole number from 0 to 65535 (0 = any free port).`,
  })
  .transform(Number)

const host = z.string().refine((text) => /^[\w.:-]+$/.test(text), {
  error: ({ input }) => `is ${JSON.stringify(input)}; set an address or a host name, for example 127.0.0.1.`,
})

const databaseUrl = z.string().superRefine((text, context) => {
  if (text === ":memory:" || /^file:[^?#]*[^?#/\\]$/.test(text)) return
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]
  const problem =
    scheme === undefined || scheme.toLowerCase() === "file"
      ? "is neither a `file:` URL with the path of a file nor `:memory:`"
      : `has the scheme "${scheme}", and only SQLite is supported`
  context.addIssue({ code: "custom", message: `${problem}; set for example file:./data/world.sqlite.` })
})

/** A path has a slash, so that `on`, `false` or a misspelt `of` creates no folder of that name. */
const journal = z.string().refine((text) => text === "off" || /[/\\]/.test(text), {
  error: ({ input }) =>
    `is ${JSON.stringify(input)}; set off, or a folder with a slash in its path, for example ./data/journal.`,
})

const jwtSecret = z.string().superRefine((text, context) => {
  const bytes = Buffer.byteLength(text)
  if (bytes >= minSecretBytes) return
  const message = `has ${bytes} bytes and needs at least ${minSecretBytes}; set the output of: openssl rand -base64 48`
  context.addIssue({ code: "custom", message })
})

const origins = z.string().transform((text, context): readonly string[] => {
  const listed = text.split(",").map((origin) => origin.trim())
  for (const origin of listed) {
    if (isOrigin(origin)) continue
    const message = `lists ${JSON.stringify(origin)}, which is no origin; separate origins like https://world.example by commas.`
    context.addIssue({ code: "custom", message })
  }
  return listed
})

const trustProxy = z
  .enum(["true", "false"], {
    error: ({ input }) => `is ${JSON.stringify(input)}; set true behind a proxy that you run, else false.`,
  })
  .transform((text) => text === "true")

/** Maximum resume window. After an hour the send buffer of a detached session has long overflowed. */
const resumeWindowMaxSeconds = 3_600

/** A whole number within bounds. The error sentence names the bounds and an example. */
function count({
  min,
  max,
  example,
}: {
  readonly min: number
  readonly max: number
  readonly example: number
}) {
  return z
    .string()
    .refine((text) => /^[1-9]\d{0,5}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: ({ input }) =>
        `is ${JSON.stringify(input)}; set a whole number from ${min} to ${max}, for example ${example}.`,
    })
    .transform(Number)
}

const resumeWindowSeconds = count({ min: 1, max: resumeWindowMaxSeconds, example: 90 })

/** Below 10 s clients would renew all the time. A stolen token is valid for its whole lifetime. */
const tokenSeconds = count({ min: 10, max: 86_400, example: 1_800 })

/** A stop of more than a minute is no restart; the page should then show that the world is unavailable. */
const restartSeconds = count({ min: 1, max: 60, example: 3 })

const registrationsPerMinute = count({ min: 1, max: 60_000, example: 6 })

const logLevel = z.enum(logLevels, {
  error: ({ input }) => `is ${JSON.stringify(input)}; set one of ${logLevels.join(", ")}.`,
})

const metricsToken = z.string().superRefine((text, context) => {
  const isBearer = /^[\w.~+/=-]*$/.test(text)
  if (isBearer && text.length >= leastTokenCharacters) return
  const problem = isBearer
    ? `has ${text.length} characters and needs at least ${leastTokenCharacters}`
    : "has a character that no Bearer token may have"
  context.addIssue({ code: "custom", message: `${problem}; set the output of: openssl rand -base64 24` })
})

const variables = z.object({
  PORT: port.optional(),
  HOST: host.optional(),
  DATABASE_URL: databaseUrl.optional(),
  JOURNAL: journal.optional(),
  JWT_SECRET: jwtSecret.optional(),
  ORIGINS: origins.optional(),
  TRUST_PROXY: trustProxy.optional(),
  RESUME_WINDOW_SECONDS: resumeWindowSeconds.optional(),
  RESTART_SECONDS: restartSeconds.optional(),
  TOKEN_SECONDS: tokenSeconds.optional(),
  REGISTRATIONS_PER_MINUTE: registrationsPerMinute.optional(),
  LOG_LEVEL: logLevel.optional(),
  METRICS_TOKEN: metricsToken.optional(),
})

/**
 * Reads `PORT`, `HOST`, `DATABASE_URL`, `JOURNAL`, `JWT_SECRET`, `ORIGINS`, `TRUST_PROXY`, `RESUME_WINDOW_SECONDS`,
 * `RESTART_SECONDS`, `TOKEN_SECONDS`, `REGISTRATIONS_PER_MINUTE`, `LOG_LEVEL`, `METRICS_TOKEN` and `NODE_ENV`. An empty
 * variable counts as unset. Without `JWT_SECRET` a random secret is created once and kept in the data folder; in
 * production a missing secret is a problem. If there is any problem, nothing is written.
 */
export function readConfig(env: Environment, options: ConfigOptions = {}): WorldConfig | ConfigProblems {
  const dataDir = options.dataDir ?? "./data"
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim() !== ""))
  const read = variables.safeParse(given)
  const problems = read.success
    ? []
    : read.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`)
  const isProduction = given["NODE_ENV"] === "production"
  if (given["JWT_SECRET"] === undefined && isProduction) {
    problems.push(
      `JWT_SECRET is not set, which NODE_ENV=production requires; set at least ${minSecretBytes} random bytes, ` +
        "for example the output of: openssl rand -base64 48",
    )
  }
  if (read.success && keepsSessionsOnly(read.data)) {
    problems.push(
      "JOURNAL is a folder and DATABASE_URL is :memory:, so sessions would survive and their players not; " +
        "set JOURNAL to off, or DATABASE_URL to a file.",
    )
  }
  if (!read.success || problems.length > 0) return { problems }
  const databaseUrl = read.data.DATABASE_URL ?? `file:${dataDir}/world.sqlite`
  const secret = read.data.JWT_SECRET ?? keptSecret(join(dataDir, "jwt-secret"), minSecretBytes)
  if (typeof secret !== "string") return { problems: [secret.problem] }
  return {
    port: read.data.PORT ?? 8080,
    host: read.data.HOST ?? "0.0.0.0",
    databaseUrl,
    journalFolder: journalFolder(read.data.JOURNAL, { databaseUrl, dataDir }),
    jwtSecret: secret,
    origins: read.data.ORIGINS,
    trustProxy: read.data.TRUST_PROXY ?? false,
    resumeWindowMs: (read.data.RESUME_WINDOW_SECONDS ?? 90) * 1_000,
    restartMs: (read.data.RESTART_SECONDS ?? 3) * 1_000,
    tokenTtlMs: (read.data.TOKEN_SECONDS ?? 1_800) * 1_000,
    registrationsPerMinute: read.data.REGISTRATIONS_PER_MINUTE ?? 6,
    isProduction,
    logLevel: read.data.LOG_LEVEL ?? "info",
    metricsToken: read.data.METRICS_TOKEN,
  }
}

function keepsSessionsOnly({ JOURNAL, DATABASE_URL }: z.infer<typeof variables>): boolean {
  return JOURNAL !== undefined && JOURNAL !== "off" && DATABASE_URL === ":memory:"
}

function journalFolder(
  set: string | undefined,
  { databaseUrl, dataDir }: { readonly databaseUrl: string; readonly dataDir: string },
): string | undefined {
  if (set === "off") return undefined
  return set ?? (databaseUrl === ":memory:" ? undefined : join(dataDir, "journal"))
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
}
