import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { readConfig } from "./config.ts"

const secret = "s".repeat(32)
let dataDir = ""

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "hawser-config-"))
})

afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

function problemsOf(env: Record<string, string>): readonly string[] {
  const config = readConfig(env, { dataDir })
  return "problems" in config ? config.problems : []
}

test("uses the defaults for unset and empty variables", () => {
  expect(readConfig({ JWT_SECRET: secret, PORT: "", ORIGINS: " ", PATH: "/bin" }, { dataDir })).toEqual({
    port: 8080,
    host: "0.0.0.0",
    databaseUrl: `file:${dataDir}/world.sqlite`,
    journalFolder: `${dataDir}/journal`,
    jwtSecret: secret,
    origins: undefined,
    trustProxy: false,
    resumeWindowMs: 90_000,
    restartMs: 3_000,
    tokenTtlMs: 1_800_000,
    registrationsPerMinute: 6,
    isProduction: false,
    logLevel: "info",
    metricsToken: undefined,
  })
})

test("uses the set values", () => {
  const env = {
    NODE_ENV: "production",
    PORT: "0",
    HOST: "::1",
    DATABASE_URL: ":memory:",
    JWT_SECRET: secret,
    ORIGINS: "https://world.example, http://localhost:5173",
    TRUST_PROXY: "true",
    RESUME_WINDOW_SECONDS: "3600",
    RESTART_SECONDS: "5",
    TOKEN_SECONDS: "15",
    REGISTRATIONS_PER_MINUTE: "600",
    LOG_LEVEL: "debug",
    METRICS_TOKEN: "bWV0cmljcy+/dG9rZW4=",
  }
  expect(readConfig(env, { dataDir })).toEqual({
    port: 0,
    host: "::1",
    databaseUrl: ":memory:",
    journalFolder: undefined,
    jwtSecret: secret,
    origins: ["https://world.example", "http://localhost:5173"],
    trustProxy: true,
    resumeWindowMs: 3_600_000,
    restartMs: 5_000,
    tokenTtlMs: 15_000,
    registrationsPerMinute: 600,
    isProduction: true,
    logLevel: "debug",
    metricsToken: "bWV0cmljcy+/dG9rZW4=",
  })
})

test.each([
  ["PORT", "65536", "a whole number from 0 to 65535"],
  ["PORT", "-1", "a whole number"],
  ["PORT", "80a", '"80a"'],
  ["HOST", "http://x/", "set an address"],
  ["DATABASE_URL", "postgres://localhost/world", 'has the scheme "postgres", and only SQLite is supported'],
  ["DATABASE_URL", "world.sqlite", "neither a `file:` URL"],
  ["DATABASE_URL", "file:", "neither a `file:` URL"],
  ["DATABASE_URL", "file:./data/", "neither a `file:` URL"],
  ["DATABASE_URL", "file:x?mode=ro", "neither a `file:` URL"],
  ["JOURNAL", "false", "set off, or a folder with a slash in its path, for example ./data/journal"],
  ["JWT_SECRET", "short-secret", "has 12 bytes and needs at least 32"],
  ["ORIGINS", "https://a.example,b.example", '"b.example", which is no origin'],
  ["ORIGINS", "https://a.example/", "no origin"],
  ["ORIGINS", "*", "no origin"],
  ["TRUST_PROXY", "yes", "set true behind a proxy"],
  ["RESUME_WINDOW_SECONDS", "0", "a whole number from 1 to 3600"],
  ["RESUME_WINDOW_SECONDS", "3601", "a whole number"],
  ["RESUME_WINDOW_SECONDS", "90s", '"90s"'],
  ["RESTART_SECONDS", "0", "a whole number from 1 to 60, for example 3"],
  ["TOKEN_SECONDS", "9", "a whole number from 10 to 86400, for example 1800"],
  ["REGISTRATIONS_PER_MINUTE", "0", "a whole number from 1 to 60000"],
  ["LOG_LEVEL", "loud", "set one of fatal, error"],
  ["METRICS_TOKEN", "short-secret", "has 12 characters and needs at least 16"],
  ["METRICS_TOKEN", "short-secret and more", "has a character that no Bearer token may have"],
])("refuses %s=%s with advice", (name, value, expected) => {
  const problems = problemsOf({ JWT_SECRET: secret, [name]: value })
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(new RegExp(`^${name} `))
  expect(problems[0]).toContain(expected)
  expect(problems[0]).not.toContain("short-secret")
})

test("keeps the journal in the data folder, in another folder, or not at all", () => {
  const folderOf = (env: Record<string, string>): unknown =>
    readConfig({ JWT_SECRET: secret, ...env }, { dataDir })
  expect(folderOf({})).toMatchObject({ journalFolder: join(dataDir, "journal") })
  expect(folderOf({ JOURNAL: "/var/lib/world" })).toMatchObject({ journalFolder: "/var/lib/world" })
  expect(folderOf({ JOURNAL: "off" })).toMatchObject({ journalFolder: undefined })
  expect(folderOf({ DATABASE_URL: ":memory:", JOURNAL: "off" })).toMatchObject({ journalFolder: undefined })
  expect(folderOf({ DATABASE_URL: ":memory:", JOURNAL: "./data/journal" })).toEqual({
    problems: [expect.stringContaining("sessions would survive and their players not; set JOURNAL to off")],
  })
})

test("reports every problem at once, and writes nothing", () => {
  expect(problemsOf({ PORT: "x", LOG_LEVEL: "x" }).map((problem) => problem.split(" ")[0])).toEqual([
    "PORT",
    "LOG_LEVEL",
  ])
  expect(existsSync(join(dataDir, "jwt-secret"))).toBe(false)
})

test("requires a secret in production", () => {
  expect(problemsOf({ NODE_ENV: "production" })).toEqual([
    expect.stringMatching(/^JWT_SECRET is not set, which NODE_ENV=production requires; set at least 32/),
  ])
})

test("creates a secret once, readable by its owner only", () => {
  const nested = join(dataDir, "new")
  const first = readConfig({}, { dataDir: nested })
  const path = join(nested, "jwt-secret")
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(nested).mode & 0o777).toBe(0o700)
  expect(first).toMatchObject({ jwtSecret: readFileSync(path, "utf8") })
  expect(readConfig({}, { dataDir: nested })).toEqual(first)
})

test("reports a kept secret that is too short, and a folder that cannot be created", () => {
  writeFileSync(join(dataDir, "jwt-secret"), "short")
  expect(problemsOf({})).toEqual([expect.stringContaining("holds fewer than 32 bytes; delete that file")])
  const config = readConfig({}, { dataDir: join(dataDir, "jwt-secret") })
  expect(config).toEqual({ problems: [expect.stringMatching(/^JWT_SECRET is not set and none can be kept/)] })
})
