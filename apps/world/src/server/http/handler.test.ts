import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { Server } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sql } from "kysely"
import { z } from "zod"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { DatabaseBusy } from "../store/busy.ts"
import { openDatabase } from "../store/database.ts"
import type { WorldDatabase } from "../store/database.ts"
import { createLoginStore } from "../store/login-store.ts"
import { createPlayerStore } from "../store/player-store.ts"
import { defaultDoorLimits } from "./door-limits.ts"
import type { DoorLimits } from "./door-limits.ts"
import { createApp, createHttpHandler, worldRoutes } from "./handler.ts"
import type { HttpOptions } from "./handler.ts"
import { createHashQueue } from "./hash-queue.ts"
import { createPasswords } from "./passwords.ts"
import type { Passwords } from "./passwords.ts"
import { createRenewalTokens } from "./renewal-tokens.ts"
import { createTokens } from "./tokens.ts"

const password = "correct horse"
const anyText: unknown = expect.any(String)
const startMs = 1_800_000_000_000
let nowMs = startMs
let monotonicMs = 0
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47])
const grass = {
  id: "grass",
  imageSource: "grass.png",
  firstGid: 1,
  lastGid: 64,
  tileWidth: 32,
  tileHeight: 32,
  tileCount: 64,
  columns: 8,
  spacing: 0,
  margin: 0,
}
const tokens = createTokens({ secret: "k".repeat(32), now: () => nowMs })
const renewalTokens = createRenewalTokens("k".repeat(32))
const realPasswords = createPasswords()
/** The defaults, but three threads on every machine, and bounds that a test can reach. */
const doorLimits: DoorLimits = { ...defaultDoorLimits(4), hashesMaxCount: 3, hashesPerLine: 2 }

let pageDir = ""
let db: WorldDatabase
let server: Server
let origin = ""
let port = 0
let isOpen = true
let troubles: string[] = []
let isFull = false
let trustProxy = false
let storeFails = false
let storeIsBusy = false
let hashedCount = 0
let verified: (string | undefined)[] = []
let beforeVerify = (): Promise<void> => Promise.resolve()
let errors: unknown[] = []
let renewals: string[] = []

const passwords: Passwords = {
  hash(given) {
    hashedCount += 1
    return realPasswords.hash(given)
  },
  async verify(given, kept) {
    verified.push(kept)
    await beforeVerify()
    return realPasswords.verify(given, kept)
  },
}

function options(): HttpOptions {
  const store = createPlayerStore(db, { nowMs: () => nowMs })
  return {
    store: {
      register: (player) => store.register(player),
      findById: (id) => store.findById(id),
      findByName(name) {
        if (storeIsBusy) return Promise.reject(new DatabaseBusy(2_000, new Error("database is locked")))
        return storeFails ? Promise.reject(new Error("disk on fire")) : store.findByName(name)
      },
    },
    passwords,
    tokens,
    spawn: {
      mapId: "meadow",
      x: 25,
      y: 30,
      maxHp: 10,
      appearance: { hair: "buzzcut" },
      skills: { mining: 0 },
    },
    totalLevel: (skills) => 7 + Object.keys(skills).length,
    isAtCapacity: (role) => isFull && role === "player",
    isOpen: () => isOpen,
    troubles: () => troubles,
    status: () => ({
      motd: "Ahoy",
      maxPlayers: 400,
      currentPlayers: 3,
      tick: { averageMs: 2.5, p50Ms: 2, p99Ms: 9 },
    }),
    version: "0.1.0",
    metrics: () => Promise.resolve({ text: "up 1\n", contentType: "text/plain" }),
    metricsToken: undefined,
    metricsForThisMachine: true,
    doorLimits,
    hashes: createHashQueue(doorLimits),
    logins: createLoginStore(db, { nowMs: () => nowMs }),
    renewalTokens,
    onRenewal: (outcome) => renewals.push(outcome),
    tilesets: {
      list: (mapId) => (mapId === "meadow" ? [grass] : undefined),
      find: (id) => (id === "grass" ? grass : undefined),
      image: (file) => (file === "grass.png" ? { bytes: png, contentType: "image/png" } : undefined),
    },
    pageDir,
    trustProxy,
    onFault: (err, path) => errors.push({ err, path }),
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
  }
}

async function start(): Promise<void> {
  server = createServer(createHttpHandler(options()))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  port = typeof address === "object" && address !== null ? address.port : 0
  origin = `http://127.0.0.1:${port}`
}

async function stop(): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

beforeAll(() => {
  pageDir = mkdtempSync(join(tmpdir(), "hawser-page-"))
})

afterAll(() => rmSync(pageDir, { recursive: true, force: true }))

beforeEach(async () => {
  isOpen = true
  troubles = []
  isFull = false
  trustProxy = false
  storeFails = false
  storeIsBusy = false
  hashedCount = 0
  verified = []
  beforeVerify = () => Promise.resolve()
  errors = []
  renewals = []
  nowMs = startMs
  monotonicMs = 0
  db = await openDatabase(":memory:")
  await start()
})

afterEach(async () => {
  await stop()
  await db.destroy()
})

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  const init = { method: "POST", body: text, headers: { "Content-Type": "application/json", ...headers } }
  return fetch(`${origin}${path}`, init)
}

const register = (body: unknown) => post("/auth/register", body)
const login = (username: string, given = password) => post("/auth/login", { username, password: given })

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${origin}${path}`, { headers })
}

/** Sends a path unchanged. `fetch` normalizes paths. */
function rawGet(path: string): Promise<string> {
  return raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
}

/** Resolves to all received text when the server ends the connection. */
function raw(sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
    socket.on("error", reject).on("end", () => resolve(text))
    socket.write(sent)
  })
}

async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  const body: unknown = await response.json()
  return { status: response.status, body }
}

describe("POST /auth/register", () => {
  test("answers 201 with all fields, and ignores further keys", async () => {
    const response = await register({ username: "Anna_1-x", password, email: "a@example.org" })
    expect(response.headers.get("x-content-type-options")).toBe("nosniff")
    expect(response.headers.get("cache-control")).toBe("no-store")
    expect(await answerOf(response)).toEqual({
      status: 201,
      body: {
        id: 1,
        username: "Anna_1-x",
        x: 25,
        y: 30,
        map_id: "meadow",
        current_hp: 10,
        max_hp: 10,
        role: "player",
        is_banned: false,
        is_online: false,
        facing_direction: "DOWN",
        animation_state: "idle",
        total_level: 8,
        timeout_until: null,
        appearance: { hair: "buzzcut" },
      },
    })
  })

  test("answers 400 for a taken name, in any case and also in a race", async () => {
    const both = await Promise.all([
      register({ username: "Bob", password }),
      register({ username: "BOB", password }),
    ])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400])
    expect(await answerOf(await register({ username: "bob", password }))).toEqual({
      status: 400,
      body: { detail: "Username already registered" },
    })
  })

  test.each([
    ["ab", "string_too_short", { min_length: 3 }],
    ["a".repeat(51), "string_too_long", { max_length: 50 }],
    ["has space", "string_pattern_mismatch", { pattern: "^[A-Za-z0-9_-]+$" }],
    ["ünïcode", "string_pattern_mismatch", { pattern: "^[A-Za-z0-9_-]+$" }],
  ])("answers 422 for the name %s", async (username, type, ctx) => {
    const response = await register({ username, password })
    const detail = [{ type, loc: ["body", "username"], msg: anyText, input: username, ctx }]
    expect(await answerOf(response)).toEqual({ status: 422, body: { detail } })
  })

  test("door-7 answers 422 for a name of authority", async () => {
    const detail = [
      {
        type: "value_error",
        loc: ["body", "username"],
        msg: "This name is reserved; choose another",
        input: "Adm1n",
        ctx: { error: "reserved" },
      },
    ]
    const answer = await answerOf(await register({ username: "Adm1n", password }))
    expect(answer).toEqual({ status: 422, body: { detail } })
  })

  test.each([
    ["letters", "a".repeat(16_000), "a".repeat(98)],
    ["control characters", "\u0007".repeat(2_000), "\u0007".repeat(16)],
    ["faces", "😀".repeat(2_000), "😀".repeat(24)],
  ])("door-7 repeats at most 100 bytes of a name of many %s", async (_, username, echoed) => {
    const response = await register({ username, password })
    const text = await response.text()
    expect(response.status).toBe(422)
    expect(JSON.parse(text)).toMatchObject({ detail: [{ input: echoed }] })
    expect(Buffer.byteLength(JSON.stringify(echoed))).toBeLessThanOrEqual(100)
    expect(Buffer.byteLength(text)).toBeLessThan(300)
  })

  test.each([
    ["tooshrt", "string_too_short", { min_length: 8 }],
    ["p".repeat(129), "string_too_long", { max_length: 128 }],
    [["array-secret"], "string_type", {}],
    [undefined, "missing", {}],
  ])("answers 422 for the password %s without repeating it", async (given, type, ctx) => {
    const response = await register({ username: "Carl", password: given })
    const text = await response.text()
    expect(response.status).toBe(422)
    const detail = [{ type, loc: ["body", "password"], msg: anyText, input: null, ctx }]
    expect(JSON.parse(text)).toEqual({ detail })
    for (const part of ["tooshrt", "ppp", "array-secret"]) expect(text).not.toContain(part)
  })

  test.each(["", '{"password":"leaked-word"', "username=a&password=leaked-word"])(
    "answers 422 for the malformed body %s without repeating it",
    async (body) => {
      const response = await register(body)
      const text = await response.text()
      expect(response.status).toBe(422)
      expect(JSON.parse(text)).toMatchObject({
        detail: [{ type: "json_invalid", loc: ["body"], input: null }],
      })
      expect(text).not.toContain("leaked-word")
    },
  )

  test.each(["null", "[]", '"leaked-word"', "7"])(
    "answers 422 for the body %s, which is no object",
    async (body) => {
      const response = await register(body)
      expect(await answerOf(response)).toEqual({
        status: 422,
        body: { detail: [expect.objectContaining({ type: "dict_type", loc: ["body"], input: null })] },
      })
    },
  )

  test("answers 413 for a body above 16 KiB", async () => {
    const fits = JSON.stringify({ username: "Dora", password })
    const room = 16 * 1024 - fits.length
    expect((await register(fits + " ".repeat(room))).status).toBe(201)
    expect(await answerOf(await register(fits + " ".repeat(room + 1)))).toEqual({
      status: 413,
      body: { detail: "The request is larger than 16 KiB" },
    })
  })
})

test("answers 413 to a body with a huge Content-Length without waiting for it, and closes the connection", async () => {
  const head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
  expect(await raw(head)).toMatch(/^HTTP\/1.1 413 /)
})

describe("POST /auth/login", () => {
  beforeEach(() => register({ username: "Anna", password }))

  test("answers a token to JSON and to a form, for the name as registered", async () => {
    const form = new URLSearchParams({ grant_type: "password", username: "anna", password })
    for (const response of [
      await login("Anna"),
      await fetch(`${origin}/auth/login`, { method: "POST", body: form }),
    ]) {
      const { status, body } = await answerOf(response)
      expect({ status, body }).toEqual({
        status: 200,
        body: { access_token: anyText, token_type: "bearer" },
      })
      const token =
        typeof body === "object" && body !== null && "access_token" in body ? body.access_token : ""
      expect(await tokens.verify(String(token))).toBe("Anna")
    }
  })

  test("answers a wrong password and an unknown name alike, after the same work", async () => {
    const answers = []
    for (const response of [await login("Anna", "wrong horse"), await login("nobody")]) {
      expect(response.headers.get("www-authenticate")).toBe("Bearer")
      answers.push(await answerOf(response))
    }
    expect(answers[0]).toEqual({ status: 401, body: { detail: "Incorrect username or password" } })
    expect(answers[1]).toEqual(answers[0])
    expect(verified).toEqual([expect.stringMatching(/^\$argon2id/), undefined])
  })

  test("answers 422 for a missing field", async () => {
    const { status, body } = await answerOf(await post("/auth/login", { username: "Anna" }))
    expect(status).toBe(422)
    expect(body).toMatchObject({ detail: [{ type: "missing", loc: ["body", "password"], input: null }] })
  })

  test("answers 403 to a banned player with the right password only", async () => {
    await db.updateTable("players").set({ is_banned: 1 }).execute()
    expect(await answerOf(await login("Anna"))).toEqual({
      status: 403,
      body: { detail: "This account is banned" },
    })
    expect((await login("Anna", "wrong horse")).status).toBe(401)
  })

  test("answers 403 until a timeout is over", async () => {
    await db
      .updateTable("players")
      .set({ timeout_until_ms: nowMs + 1 })
      .execute()
    expect(await answerOf(await login("Anna"))).toEqual({
      status: 403,
      body: { detail: "This account is timed out until 2027-01-15T08:00:00.001Z" },
    })
    await db.updateTable("players").set({ timeout_until_ms: nowMs }).execute()
    expect((await login("Anna")).status).toBe(200)
  })

  test("answers 429 if the world is full, but not to moderators", async () => {
    isFull = true
    const response = await login("Anna")
    expect(response.status).toBe(429)
    expect(response.headers.get("retry-after")).toBe("300")
    await db.updateTable("players").set({ role: "moderator" }).execute()
    expect((await login("Anna")).status).toBe(200)
  })

  test("answers 429 after 5 failed logins, also to the right password", async () => {
    for (let failed = 0; failed < 5; failed += 1)
      expect((await login("Anna", "wrong horse")).status).toBe(401)
    const response = await login("anna")
    expect(response.status).toBe(429)
    expect(response.headers.get("retry-after")).toBe("12")
    expect((await login("nobody")).status).toBe(401)
  })

  test("trusts a proxy's header only if configured, and then its last address", async () => {
    const from = (address: string) =>
      post("/auth/login", { username: "Anna", password: "wrong horse" }, { "X-Forwarded-For": address })
    for (let failed = 0; failed < 5; failed += 1) expect((await from(`10.0.0.${failed}`)).status).toBe(401)
    expect((await from("10.0.0.9")).status).toBe(429)

    await stop()
    trustProxy = true
    await start()
    for (let failed = 0; failed < 5; failed += 1) expect((await from(`${failed}, 10.0.0.1`)).status).toBe(401)
    expect((await from("9, 10.0.0.1")).status).toBe(429)
    expect((await from("10.0.0.1, 10.0.0.2")).status).toBe(401)
  })
})

describe("POST /auth/session/NAME/renew", () => {
  /** Returns the cookie that an answer sets, and its attributes. */
  function cookieIn(response: Response): { readonly pair: string; readonly attributes: readonly string[] } {
    const [pair = "", ...attributes] = (response.headers.get("set-cookie") ?? "").split("; ")
    return { pair, attributes }
  }

  async function stayingLogin(name = "Anna"): Promise<string> {
    const response = await post("/auth/login", { username: name, password, renewable: true })
    expect(await answerOf(response)).toMatchObject({ status: 200, body: { token_type: "bearer" } })
    return cookieIn(response).pair
  }

  const renew = (cookie: string, name = "anna") => post(`/auth/session/${name}/renew`, "", { Cookie: cookie })

  beforeEach(() => register({ username: "Anna", password }))

  test("door-6 sets a cookie only for a renewable log-in, for its path alone and unreadable by scripts", async () => {
    expect((await login("Anna")).headers.get("set-cookie")).toBeNull()
    expect((await post("/auth/login", { username: "Anna", password, renewable: "yes" })).status).toBe(200)
    const response = await post("/auth/login", { username: "anna", password, renewable: true })
    const { pair, attributes } = cookieIn(response)
    expect(pair).toMatch(/^hawser_login_\w{8}=[\w-]{22}\.1\.[\w-]{43}$/)
    expect(attributes).toEqual(["Path=/auth/session/anna", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"])
  })

  test("door-6 answers a fresh token and the next cookie, each cookie valid once", async () => {
    const first = await stayingLogin()
    const response = await renew(first)
    const { status, body } = await answerOf(response)
    expect({ status, body }).toEqual({ status: 200, body: { access_token: anyText, token_type: "bearer" } })
    const token = typeof body === "object" && body !== null && "access_token" in body ? body.access_token : ""
    expect(await tokens.verify(String(token))).toBe("Anna")
    const second = cookieIn(response).pair
    expect(second).not.toBe(first)
    const third = cookieIn(await renew(second)).pair
    expect((await renew(first)).status).toBe(401)
    const refused = await renew(third)
    expect(await answerOf(refused)).toEqual({
      status: 401,
      body: { detail: "You are not logged in any more; log in again" },
    })
    expect(cookieIn(refused).attributes).toContain("Max-Age=0")
    expect(renewals).toEqual(["renewed", "renewed", "reused", "unknown"])
  })

  test("door-6 refuses a missing cookie, one of another player, and a forged one", async () => {
    await register({ username: "Bob", password })
    const ofBob = await stayingLogin("Bob")
    const forged = `${ofBob.slice(0, -2)}AA`
    for (const response of [
      await renew(""),
      await renew("hawser_login=1"),
      await renew(forged, "bob"),
      await renew(`${ofBob}; ${ofBob}`, "bob"),
      await renew(ofBob),
    ])
      expect(response.status).toBe(401)
    expect((await renew(ofBob, "nobody-at-all")).status).toBe(401)
    expect((await renew(ofBob, "%3B%20Domain=x")).status).toBe(404)
    expect((await get("/auth/session/bob/renew")).status).toBe(405)
  })

  test("door-6 refuses a player who was banned since the log-in", async () => {
    const cookie = await stayingLogin()
    await db.updateTable("players").set({ is_banned: 1 }).execute()
    expect(await answerOf(await renew(cookie))).toEqual({
      status: 403,
      body: { detail: "This account is banned" },
    })
  })

  test("door-6 ends a log-in on request", async () => {
    const cookie = await stayingLogin()
    const response = await post("/auth/session/anna/end", "", { Cookie: cookie })
    expect(response.status).toBe(200)
    expect(cookieIn(response).attributes).toContain("Max-Age=0")
    expect((await renew(cookie)).status).toBe(401)
    expect((await post("/auth/session/anna/end", "")).status).toBe(200)
  })

  test("door-6 allows 6 renewals of a log-in at once, and then one every 5 s", async () => {
    let cookie = await stayingLogin()
    for (let time = 0; time < 6; time += 1) cookie = cookieIn(await renew(cookie)).pair
    const response = await renew(cookie)
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "5"])
    monotonicMs = 5_000
    expect((await renew(cookie)).status).toBe(200)
  })

  test("door-6 marks the cookie as secure behind a trusted proxy with TLS", async () => {
    await stop()
    trustProxy = true
    await start()
    const attributesBy = async (headers: Record<string, string>) =>
      cookieIn(await post("/auth/login", { username: "Anna", password, renewable: true }, headers)).attributes
    expect(await attributesBy({ "X-Forwarded-Proto": "https" })).toContain("Secure")
    expect(await attributesBy({ "X-Forwarded-Proto": "https, http" })).not.toContain("Secure")
  })
})

test("door-5 lets players log in without a cookie while the database accepts no writes", async () => {
  await register({ username: "Anna", password })
  await sql`pragma query_only = on`.execute(db)
  const response = await post("/auth/login", { username: "Anna", password, renewable: true })
  expect([response.status, response.headers.get("set-cookie")]).toEqual([200, null])
  expect((await register({ username: "Bob", password })).status).toBe(503)
  expect(errors).toMatchObject([
    { path: "/auth/login", err: { code: "SQLITE_READONLY" } },
    { path: "/auth/register", err: { code: "SQLITE_READONLY" } },
  ])
})

test("door-5 answers 503 while the database is locked", async () => {
  storeIsBusy = true
  const response = await post("/auth/login", { username: "Anna", password })
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"])
  expect(errors).toEqual([])
})

test("door-3 limits registrations of one address, in every spelling that a proxy may write", async () => {
  await stop()
  trustProxy = true
  await start()
  let spelling = 0
  const from = (address: string) => {
    spelling += 1
    return post("/auth/register", { username: `anna-${spelling}`, password }, { "X-Forwarded-For": address })
  }
  const statuses: number[] = []
  for (let time = 0; time < 30; time += 1) {
    const spelled = [`203.0.113.7:${time + 1}`, `${time}.1.1.1, 203.0.113.7`, "::ffff:203.0.113.7"][time % 3]
    statuses.push((await from(spelled ?? "")).status)
  }
  expect(statuses.filter((status) => status === 201)).toHaveLength(20)
  expect(statuses.filter((status) => status === 429)).toHaveLength(10)
  const walk: number[] = []
  for (let host = 1; host <= 30; host += 1) walk.push((await from(`2001:db8::${host}`)).status)
  expect(walk.filter((status) => status === 201)).toHaveLength(20)
  expect((await from("2001:db8:0:1::1")).status).toBe(201)
  // A refused request costs no hash.
  expect(hashedCount).toBe(41)
}, 60_000)

test("answers 429 while too many passwords of the address are being hashed, and 201 afterwards", async () => {
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const bothAtWork = new Promise<void>((resolve) => {
    beforeVerify = () => {
      if (verified.length === 2) resolve()
      return held
    }
  })
  const both = Promise.all([login("anna"), login("bob")])
  await bothAtWork
  const response = await login("carl")
  expect([response.status, response.headers.get("retry-after")]).toEqual([429, "1"])
  // The other kind of the same address has a separate line.
  expect((await register({ username: "Dora", password })).status).toBe(201)
  release()
  expect((await both).map(({ status }) => status)).toEqual([401, 401])
  expect((await register({ username: "Carl", password })).status).toBe(201)
})

describe("routes without a log-in", () => {
  test("answers the status", async () => {
    expect(await answerOf(await get("/status?x=1"))).toEqual({
      status: 200,
      body: {
        status: "ok",
        motd: "Ahoy",
        capacity: {
          max_players: 400,
          current_players: 3,
          available_slots: 397,
          over_capacity: false,
          utilization_percent: 0.8,
          admin_overrides_active: false,
        },
        performance: { avg_tick_time_ms: 2.5, tick_time_p50_ms: 2, tick_time_p99_ms: 9 },
      },
    })
  })

  test("answers health, version and a sign of life", async () => {
    expect(await answerOf(await get("/healthz"))).toEqual({ status: 200, body: { status: "ok" } })
    expect(await answerOf(await get("/readyz"))).toEqual({ status: 200, body: { status: "ok" } })
    isOpen = false
    expect(await answerOf(await get("/healthz"))).toEqual({ status: 503, body: { status: "unavailable" } })
    expect(await answerOf(await get("/readyz"))).toEqual({
      status: 503,
      body: { status: "unavailable", reasons: ["closing"] },
    })
    expect(await answerOf(await get("/version"))).toEqual({ status: 200, body: { version: "0.1.0" } })
    expect(await answerOf(await get("/"))).toEqual({ status: 200, body: { status: "ok" } })
  })

  test("door-5 reports troubles at /readyz, while /healthz stays 200", async () => {
    troubles = ["players' progress cannot be saved"]
    expect(await answerOf(await get("/readyz"))).toEqual({
      status: 503,
      body: { status: "unavailable", reasons: troubles },
    })
    expect((await get("/healthz")).status).toBe(200)
  })

  test("shows the metrics to its machine, but not through a proxy there", async () => {
    const reply = await get("/metrics")
    expect([reply.status, await reply.text()]).toEqual([200, "up 1\n"])
    expect((await get("/metrics", { "X-Forwarded-For": "203.0.113.7" })).status).toBe(403)
  })

  test("answers 404 for an unknown path", async () => {
    for (const path of ["/nothing", "/assets", "/auth/login/", "/status/x"]) {
      expect(await answerOf(await get(path))).toEqual({ status: 404, body: { detail: "Not Found" } })
    }
    expect((await post("/nothing", {})).status).toBe(404)
  })

  test("answers 405 with the allowed methods, and HEAD without a body", async () => {
    const wrong = await get("/auth/login")
    expect(wrong.headers.get("allow")).toBe("POST")
    expect(await answerOf(wrong)).toEqual({ status: 405, body: { detail: "Method Not Allowed" } })
    expect((await post("/status", {})).headers.get("allow")).toBe("GET, HEAD")
    const head = await fetch(`${origin}/version`, { method: "HEAD" })
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "19", ""])
  })

  test("answers 400 for a path that cannot be decoded, and for a target without a path", async () => {
    expect((await get("/%ff")).status).toBe(400)
    expect(await rawGet("ftp://elsewhere/status")).toMatch(/^HTTP\/1.1 400 /)
  })

  test("answers a target in absolute form by its path", async () => {
    expect(await rawGet("http://elsewhere/status")).toMatch(/^HTTP\/1.1 200 /)
    expect(await rawGet("http://elsewhere/nothing")).toMatch(/^HTTP\/1.1 404 /)
  })
})

describe("the page", () => {
  const html = { Accept: "text/html,*/*;q=0.8" }

  test("shows how to build it if it is missing", async () => {
    const response = await get("/", html)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain("npm run build")
  })

  describe("when built", () => {
    beforeAll(() => {
      mkdirSync(join(pageDir, "assets", "art"), { recursive: true })
      writeFileSync(join(pageDir, "index.html"), "<h1>World</h1>")
      writeFileSync(join(pageDir, "favicon.ico"), "icon")
      writeFileSync(join(pageDir, ".env"), "hidden")
      writeFileSync(join(pageDir, "assets", "index-B7cD_9xQ.js"), "run()")
      writeFileSync(join(pageDir, "assets", "world-tilesets.png"), png)
      writeFileSync(join(pageDir, "assets", "art", "odd.bin"), png)
      writeFileSync(join(pageDir, "..", "hawser-outside.txt"), "outside")
    })

    afterAll(() => rmSync(join(pageDir, "..", "hawser-outside.txt")))

    test("door-7 has a content security policy that forbids frames, and is revalidated each time", async () => {
      const response = await get("/", html)
      expect(await response.text()).toBe("<h1>World</h1>")
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        vary: "Accept",
        "x-content-type-options": "nosniff",
        "content-security-policy":
          "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; " +
          "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
          "object-src 'none'",
      })
      expect((await get("/index.html")).headers.get("content-security-policy")).not.toBeNull()
    })

    test.each([
      ["/assets/index-B7cD_9xQ.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
      ["/assets/world-tilesets.png", "image/png", "no-cache"],
      ["/assets/art/odd.bin", "application/octet-stream", "no-cache"],
      ["/favicon.ico", "image/x-icon", "no-cache"],
    ])("serves %s", async (path, type, caching) => {
      for (let time = 0; time < 2; time += 1) {
        const response = await get(path)
        expect(response.status).toBe(200)
        expect(response.headers.get("content-type")).toBe(type)
        expect(response.headers.get("cache-control")).toBe(caching)
        expect((await response.arrayBuffer()).byteLength).toBe(path.endsWith(".js") ? 5 : 4)
      }
      expect((await post(path, {})).headers.get("allow")).toBe("GET, HEAD")
    })

    test.each([
      "/../hawser-outside.txt",
      "/assets/../../hawser-outside.txt",
      "/%2e%2e/hawser-outside.txt",
      "/..%2fhawser-outside.txt",
      "/..%5chawser-outside.txt",
      "//hawser-outside.txt",
      "/.env",
      "/favicon.ico%00.png",
      "/favicon.ico/x",
      `/${"x".repeat(300)}`,
    ])("does not serve %s", async (path) => {
      expect(await rawGet(path)).toMatch(/^HTTP\/1.1 404 /)
      expect(errors).toEqual([])
    })
  })
})

describe("routes behind a token", () => {
  const grassWire = {
    id: "grass",
    type: "manual",
    image_source: "grass.png",
    first_gid: 1,
    last_gid: 64,
    tile_width: 32,
    tile_height: 32,
    tile_count: 64,
    columns: 8,
    spacing: 0,
    margin: 0,
  }

  async function getAs(path: string): Promise<Response> {
    return get(path, { Authorization: `Bearer ${await tokens.issue("Anna")}` })
  }

  test.each([
    ["/api/maps/meadow/tilesets", 200, [grassWire]],
    ["/api/maps/nowhere/tilesets", 404, { detail: "Map not found" }],
    ["/api/tilesets/grass/metadata", 200, grassWire],
    ["/api/tilesets/none/metadata", 404, { detail: "Tileset not found" }],
    ["/api/tilesets/none.png", 404, { detail: "Tileset not found" }],
    ["/api/tilesets/..%2fsecret.png", 400, { detail: "Not the name of a tileset's image" }],
    ["/api/sprites/manifest", 200, { sprites: {} }],
    ["/api/sprites-status", 200, { status: "ok", sprite_count: 0 }],
    ["/api/sprites/body/human.png", 404, { detail: "Sprite not found" }],
  ])("answers %s with %i", async (path, status, body) => {
    expect(await answerOf(await getAs(path))).toEqual({ status, body })
    for (const response of [await get(path), await get(path, { Authorization: "Bearer a.b.c" })]) {
      expect(response.headers.get("www-authenticate")).toBe("Bearer")
      expect(await answerOf(response)).toEqual({
        status: 401,
        body: { detail: "Could not validate credentials" },
      })
    }
  })

  test("answers the image of a tileset", async () => {
    const response = await getAs("/api/tilesets/grass.png")
    expect(response.headers.get("content-type")).toBe("image/png")
    expect(Buffer.from(await response.arrayBuffer())).toEqual(png)
    expect((await get("/api/tilesets/grass.png")).status).toBe(401)
  })
})

describe("GET /openapi.json", () => {
  const operations = z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()) }))
  const schema = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })
  const documentSchema = z.object({
    openapi: z.literal("3.1.0"),
    info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
    paths: z.record(z.string(), operations),
    components: z.object({
      schemas: z.record(z.string(), schema),
      securitySchemes: z.record(z.string(), z.looseObject({ type: z.string() })),
    }),
  })
  const read = async () => documentSchema.parse(await (await get("/openapi.json")).json())

  test("contains each route of the app, and no other", async () => {
    const app = createApp(
      worldRoutes(options(), () => Promise.resolve(undefined)),
      () => Promise.resolve(undefined),
      () => {},
    )
    const routed = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{.*?\}(?=\/|$))?/g, "{$1}")}`)
    const { paths } = await read()
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described).toEqual(routed)
    expect(described).toHaveLength(new Set(described).size)
    expect(described).toEqual(
      expect.arrayContaining([
        "POST /auth/register",
        "POST /auth/login",
        "POST /auth/session/{name}/renew",
        "POST /auth/session/{name}/end",
        "GET /status",
        "GET /healthz",
        "GET /metrics",
        "GET /ws",
        "GET /api/maps/{mapId}/tilesets",
        "GET /api/tilesets/{file}",
        "GET /openapi.json",
      ]),
    )
  })

  test("has the fields of requests and answers, each status, and unique names of operations", async () => {
    const { paths, components, info } = await read()
    const fieldsOf = (name: string) => Object.keys(components.schemas[name]?.properties ?? {})
    expect(fieldsOf("NewCredentials")).toEqual(["username", "password"])
    expect(fieldsOf("LoginCredentials")).toEqual(["username", "password", "renewable"])
    expect(fieldsOf("Token")).toEqual(["access_token", "token_type"])
    expect(fieldsOf("Refusal")).toEqual(["detail"])
    expect(components.schemas["NewCredentials"]).toMatchObject({
      required: ["username", "password"],
      properties: { username: { minLength: 3, maxLength: 50 }, password: { minLength: 8, maxLength: 128 } },
    })
    const statusesOf = (path: string) => Object.keys(paths[path]?.["post"]?.responses ?? {})
    expect(statusesOf("/auth/register")).toEqual(["201", "400", "413", "422", "429", "503", "default"])
    expect(statusesOf("/auth/login")).toEqual(["200", "401", "403", "413", "422", "429", "503", "default"])
    expect(components.securitySchemes["loginCookie"]).toEqual({
      type: "apiKey",
      in: "cookie",
      name: renewalTokens.cookieName,
    })
    expect(info.version).toBe("0.1.0")
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  test("refers to schemas that it has, and to each of them", async () => {
    const document = await read()
    const text = JSON.stringify(document)
    const referred = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
    expect(referred).toEqual(new Set(Object.keys(document.components.schemas)))
  })
})

test("answers an unexpected failure with 500, and logs it once without the query", async () => {
  storeFails = true
  const response = await post("/auth/login?token=x", { username: "Anna", password })
  expect(await answerOf(response)).toEqual({ status: 500, body: { detail: "Internal server error" } })
  expect(errors).toEqual([{ err: new Error("disk on fire"), path: "/auth/login" }])
})

test("does not report an aborted request as a failure, and continues", async () => {
  const seen = new Promise((resolve) => server.once("request", (request) => request.once("close", resolve)))
  const socket = connect(port, "127.0.0.1")
  server.once("request", () => socket.destroy())
  socket.write("POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
  await seen
  expect((await get("/version")).status).toBe(200)
  expect(errors).toEqual([])
})
