import { generateKeyPairSync } from "node:crypto"
import fs from "node:fs"
import { Socket } from "node:net"
import { EncryptJWT, SignJWT, UnsecuredJWT } from "jose"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { checkedUser, jwt } from "./authenticate.ts"
import type { JwtOptions } from "./authenticate.ts"

const secret = "0123456789abcdef0123456789abcdef"
const key = new TextEncoder().encode(secret)
const options: JwtOptions = { secret, issuer: "hawser", audience: "game", type: "at+jwt" }
const context = { address: "memory", signal: new AbortController().signal }
const seconds = (): number => Math.floor(Date.now() / 1000)

interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: Uint8Array
}

/** Returns a valid token with the test's changes; a claim of undefined is left out. */
function token({ header = {}, claims = {}, key: signingKey = key }: TokenParts = {}): Promise<string> {
  const all = { sub: "u1", iss: "hawser", aud: "game", exp: seconds() + 600, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: "HS256", typ: "at+jwt", ...header }).sign(signingKey)
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** The user's id, or the code of the refusal. */
async function verdict(text: string, changed: Partial<JwtOptions> = {}): Promise<string> {
  try {
    const user = await jwt({ ...options, ...changed })(text, context)
    return user.id
  } catch (error) {
    expect(error).toHaveProperty("name", "HawserError")
    return error instanceof Error && "code" in error ? String(error.code) : "no error"
  }
}

const invalid = "auth_token_invalid"
const expired = "auth_token_expired"

describe("a good token", () => {
  it("becomes a user with its claims and its expiry", async () => {
    const exp = seconds() + 600
    const user = await jwt(options)(await token({ claims: { exp, role: "admin" } }), context)
    expect(user).toMatchObject({
      id: "u1",
      expiresAtMs: exp * 1000,
      claims: { role: "admin", iss: "hawser" },
    })
  })

  it("passes with claims that no option checks", async () => {
    const text = await token({ header: { typ: undefined }, claims: { iss: undefined, aud: ["other"] } })
    expect(await verdict(text)).toBe(invalid)
    const plain = jwt({ secret })
    expect(await plain(text, context)).toMatchObject({ id: "u1" })
  })

  it("passes with one of several audiences", async () => {
    expect(await verdict(await token({ claims: { aud: ["x", "game"] } }))).toBe("u1")
  })

  it("passes with a key pair and its algorithm only", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
    const signed = await new SignJWT({ sub: "u2", exp: seconds() + 60 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey)
    const verify = jwt({ key: publicKey, algorithm: "ES256" })
    expect(await verify(signed, context)).toMatchObject({ id: "u2" })
    const pem = Buffer.from(publicKey.export({ type: "spki", format: "pem" }))
    const confused = await token({ key: pem })
    await expect(verify(confused, context)).rejects.toMatchObject({ code: invalid })
  })
})

describe("a bad token", () => {
  it.each<[string, TokenParts]>([
    ["another HMAC", { header: { alg: "HS512" }, key: new Uint8Array(64).fill(7) }],
    ["the right key under another algorithm", { header: { alg: "HS384" }, key: new Uint8Array(48).fill(7) }],
    ["another key", { key: new Uint8Array(32).fill(7) }],
    ["abuse-A14 no exp", { claims: { exp: undefined } }],
    ["an exp of text", { claims: { exp: "tomorrow" } }],
    ["an exp of null", { claims: { exp: null } }],
    ["abuse-A18 an exp of 1e308", { claims: { exp: 1e308 } }],
    ["abuse-A18 an exp of digits as text", { claims: { exp: "99999999999" } }],
    ["surprise-A4 an exp above the largest number of milliseconds", { claims: { exp: 2 ** 53 / 1_000 + 1 } }],
    ["no sub", { claims: { sub: undefined } }],
    ["an empty sub", { claims: { sub: "" } }],
    ["a sub that is a number", { claims: { sub: 42 } }],
    ["a sub that is a map", { claims: { sub: { id: "u1" } } }],
    ["abuse-A15 another audience", { claims: { aud: "shop" } }],
    ["abuse-A15 no audience", { claims: { aud: undefined } }],
    ["abuse-A16 another issuer", { claims: { iss: "evil" } }],
    ["no issuer", { claims: { iss: undefined } }],
    ["abuse-A17 another type", { header: { typ: "JWT" } }],
    ["no type", { header: { typ: undefined } }],
    ["an nbf in the future", { claims: { nbf: seconds() + 300 } }],
    ["an nbf of text", { claims: { nbf: "now" } }],
  ])("is refused: %s", async (_, parts) => {
    expect(await verdict(await token(parts))).toBe(invalid)
  })

  it("abuse-A8 is refused: alg none", async () => {
    const claims = { sub: "u1", iss: "hawser", aud: "game", exp: seconds() + 600 }
    expect(await verdict(new UnsecuredJWT(claims).encode())).toBe(invalid)
    for (const alg of ["none", "None", "nOnE", "NONE", ""]) {
      expect(await verdict(`${base64({ alg, typ: "at+jwt" })}.${base64(claims)}.`), alg).toBe(invalid)
    }
  })

  it("abuse-A10 is refused: a changed header, payload or signature", async () => {
    const [header = "", payload = "", signature = ""] = (await token()).split(".")
    const claims = { sub: "admin", iss: "hawser", aud: "game", exp: seconds() + 600 }
    for (const changed of [
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${base64(claims)}.${signature}`,
      `${base64({ alg: "HS256", typ: "at+jwt", x: 1 })}.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${payload}.${"A".repeat(signature.length)}`,
      `${header}.${payload}.${signature}.${signature}`,
    ]) {
      expect(await verdict(changed), changed).toBe(invalid)
    }
  })

  it.each(["", ".", "..", "...", "a.b.c", "null", "{}", "\u0000", "한.한.한", "x".repeat(8000)])(
    "is refused: <%.20s>",
    async (text) => {
      expect(await verdict(text)).toBe(invalid)
    },
  )

  it("abuse-A11 is refused: an unknown critical extension", async () => {
    const head = base64({ alg: "HS256", typ: "at+jwt", crit: ["x"], x: 1 })
    const [, payload = "", signature = ""] = (await token()).split(".")
    expect(await verdict(`${head}.${payload}.${signature}`)).toBe(invalid)
  })

  it("abuse-A9 is refused: an HMAC with the public key of an RSA pair for its secret", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 })
    const verify = jwt({ key: publicKey, algorithm: "RS256" })
    const spelled = [
      publicKey.export({ type: "spki", format: "pem" }),
      publicKey.export({ type: "spki", format: "der" }),
      publicKey.export({ type: "pkcs1", format: "pem" }),
    ]
    for (const exported of spelled) {
      const confused = await token({ key: Buffer.from(exported) })
      await expect(verify(confused, context)).rejects.toMatchObject({ code: invalid })
    }
  })

  it("abuse-A12 abuse-A13 opens no file and no connection for any kid, jku, x5u or jwk", async () => {
    const spies = [
      vi.spyOn(fs, "open"),
      vi.spyOn(fs, "openSync"),
      vi.spyOn(fs, "readFile"),
      vi.spyOn(fs, "readFileSync"),
      vi.spyOn(fs.promises, "readFile"),
      vi.spyOn(Socket.prototype, "connect"),
      vi.spyOn(globalThis, "fetch"),
    ]
    onTestFinished(() => void vi.restoreAllMocks())
    const own = new Uint8Array(32).fill(9)
    const address = { jku: "https://evil.test/keys", x5u: "https://evil.test/cert" }
    for (const kid of [
      "../../dev/null",
      "/etc/passwd",
      "' OR 1=1 --",
      "k".repeat(10_240),
      "__proto__",
      7,
      null,
    ]) {
      expect(await verdict(await token({ header: { ...address, kid }, key: own }))).toBe(invalid)
      expect(await verdict(await token({ header: { ...address, kid } }))).toBe("u1")
    }
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  it("abuse-A19 is refused: encrypted, compressed, or of a megabyte", async () => {
    const encrypted = await new EncryptJWT({ sub: "u1", iss: "hawser", aud: "game" })
      .setProtectedHeader({ alg: "dir", enc: "A128CBC-HS256", typ: "at+jwt" })
      .setExpirationTime("10m")
      .encrypt(key)
    expect(await verdict(encrypted)).toBe(invalid)
    expect(
      await verdict(await token({ header: { zip: "DEF", crit: ["zip"] } }).catch(() => "not signed")),
    ).toBe(invalid)
    const [, payload = "", signature = ""] = (await token()).split(".")
    const zipped = base64({ alg: "HS256", typ: "at+jwt", zip: "DEF" })
    expect(await verdict(`${zipped}.${payload}.${signature}`)).toBe(invalid)
    const mebibyte = "A".repeat(1 << 20)
    for (const text of [mebibyte, `${mebibyte}..`, `${zipped}.${mebibyte}.${signature}`])
      expect(await verdict(text)).toBe(invalid)
  })

  it("abuse-A13 is not helped by jku, jwk, x5u or kid: only the given key counts", async () => {
    const own = new Uint8Array(32).fill(9)
    const jwk = { kty: "oct", k: Buffer.from(own).toString("base64url") }
    const junk = { jku: "https://evil.test/keys", x5u: "https://evil.test/cert", jwk, kid: "../../dev/null" }
    expect(await verdict(await token({ header: junk, key: own }))).toBe(invalid)
    expect(await verdict(await token({ header: junk }))).toBe("u1")
  })
})

describe("time", () => {
  // A later check cannot change the first outcome of a pair, so the real clock need not be stopped.
  it("abuse-A18 expires a token after the tolerance", async () => {
    expect(await verdict(await token({ claims: { exp: seconds() - 30 } }))).toBe(expired)
    expect(await verdict(await token({ claims: { exp: seconds() - 20 } }))).toBe("u1")
    expect(await verdict(await token({ claims: { exp: seconds() } }), { clockToleranceSeconds: 0 })).toBe(
      expired,
    )
  })

  it("abuse-A18 takes an nbf within the tolerance", async () => {
    expect(await verdict(await token({ claims: { nbf: seconds() + 30 } }))).toBe("u1")
    expect(await verdict(await token({ claims: { nbf: seconds() + 60 } }))).toBe(invalid)
  })

  it("tolerates 60 s at most, also with a larger option", async () => {
    const far = { clockToleranceSeconds: 1e9 }
    expect(await verdict(await token({ claims: { exp: seconds() - 60 } }), far)).toBe(expired)
    expect(await verdict(await token({ claims: { exp: seconds() - 45 } }), far)).toBe("u1")
  })

  it("reports a forged expired token as invalid, not as expired", async () => {
    const text = await token({ claims: { exp: seconds() - 600 }, key: new Uint8Array(32).fill(7) })
    expect(await verdict(text)).toBe(invalid)
  })
})

describe("mistakes in the options", () => {
  it.each<[JwtOptions, RegExp]>([
    [{}, /either `secret` or `key`/],
    [{ secret: "short" }, /5 bytes; HS256 needs at least 32/],
    [{ secret: new Uint8Array(31) }, /31 bytes/],
    [{ secret, key: generateKeyPairSync("ed25519").publicKey }, /either/],
    [{ key: generateKeyPairSync("ed25519").publicKey }, /name the `algorithm`/],
    [{ secret: "x".repeat(32), algorithm: "ES256" }, /a secret is for HS256, HS384 or HS512, not ES256/],
  ])("throw at once (%#)", (given, message) => {
    expect(() => jwt(given)).toThrow(message)
  })
})

describe("the cause of a refused token", () => {
  /** The sentence of the cause, which `onRefused` gets. */
  async function cause(text: string, changed: Partial<JwtOptions> = {}): Promise<string> {
    const refused: unknown = await Promise.resolve(jwt({ ...options, ...changed })(text, context)).catch(
      (error: unknown) => error,
    )
    expect(refused).toHaveProperty("message", expect.not.stringContaining("claim"))
    return refused instanceof Error && refused.cause instanceof Error ? refused.cause.message : "no cause"
  }

  it("names the claim, its value and the option", async () => {
    expect(await cause(await token({ claims: { aud: "shop" } }))).toBe(
      'the aud of the token is "shop"; the option audience of jwt is "game"',
    )
    expect(await cause(await token({ claims: { aud: ["a", "b"] } }))).toBe(
      'the aud of the token is ["a", "b"]; the option audience of jwt is "game"',
    )
    expect(await cause(await token({ claims: { iss: "me" } }))).toBe(
      'the iss of the token is "me"; the option issuer of jwt is "hawser"',
    )
    expect(await cause(await token({ header: { typ: "JWT" } }))).toBe(
      'the typ of the token is another one; the option type of jwt is "at+jwt"',
    )
    expect(await cause(await token({ claims: { sub: undefined } }))).toBe("the token has no claim sub")
    expect(await cause(await token({ claims: { sub: "" } }))).toBe(
      "the claim sub is an empty text; it must be the user's id",
    )
    expect(await cause(await token({ claims: { exp: seconds() - 600 } }))).toMatch(
      /^the claim exp is \d+, which has passed$/,
    )
  })

  it("names another secret, another algorithm and text that is no token", async () => {
    expect(await cause(await token({ key: new TextEncoder().encode("x".repeat(32)) }))).toContain(
      "signed with another secret or key",
    )
    expect(
      await cause(await token({ header: { alg: "HS512" }, key: new TextEncoder().encode("x".repeat(64)) })),
    ).toContain("not signed with HS256, the only algorithm that jwt accepts")
    expect(await cause("hello")).toBe("this is no JSON Web Token with a signature")
  })

  it("names an exp in milliseconds, which would never expire", async () => {
    const exp = Date.now() + 600_000
    expect(await cause(await token({ claims: { exp } }))).toBe(
      `the claim exp is ${exp}, which is too large for seconds since 1970; is it in milliseconds?`,
    )
  })
})

describe("a result of authenticate that is no user", () => {
  it.each([
    [undefined, "nothing"],
    [null, "nil"],
    ["ann", '"ann"'],
    [{ name: "ann", sub: "1" }, "an object without `id` (its members: name, sub)"],
    [{ id: 5 }, "an object whose `id` is 5"],
    [{ id: "" }, "an object whose `id` is an empty text"],
  ])("is described: %j", (returned, words) => {
    const check: unknown = checkedUser
    const call = (): unknown =>
      typeof check === "function" ? Reflect.apply(check, undefined, [returned]) : undefined
    expect(call).toThrow(
      new TypeError(
        `authenticate returned ${words}; return the user, an object whose \`id\` is a text that is not empty, or throw`,
      ),
    )
  })
})
