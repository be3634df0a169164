// Section 2: registering and logging in over HTTP.
import { SkipCase, type CaseContext, type ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, listAt, mapAt, numberAt, textAt } from "./expect.ts"
import { registeredShape } from "./http-shapes.ts"
import { newAccount, randomName, randomPassword } from "./player.ts"
import {
  anyList,
  either,
  exactly,
  expectShape,
  fields,
  int,
  list,
  nonEmptyText,
  present,
  text,
} from "./shape.ts"
import { postForm, postJson, type WebAnswer } from "./web.ts"

async function registerOnce(
  context: CaseContext,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<WebAnswer> {
  return await postJson(context, "/auth/register", {
    username: randomName(),
    password: randomPassword(),
    ...extra,
  })
}

/** Requires 422 with FastAPI's list of details, one of which is about the field. */
function expectUnprocessable(answer: WebAnswer, field: string): void {
  expectEqual("status", answer.status, 422)
  const item = fields({ type: nonEmptyText, loc: list(either(text, int)), msg: nonEmptyText })
  expectShape("body", answer.json, fields({ detail: list(item) }))
  const details = listAt(answer.json, "detail")
  const isAboutField = details.some((detail) => listAt(detail, "loc").includes(field))
  expectThat(isAboutField, `a detail whose loc includes ${field}`, details)
}

async function refuseBadRegistration(context: CaseContext): Promise<void> {
  expectUnprocessable(await registerOnce(context, { username: "ab" }), "username")
  expectUnprocessable(await registerOnce(context, { username: "u".repeat(51) }), "username")
  expectUnprocessable(await registerOnce(context, { password: "short-7" }), "password")
  expectUnprocessable(await registerOnce(context, { password: "p".repeat(129) }), "password")
  expectUnprocessable(await postJson(context, "/auth/register", { username: randomName() }), "password")
}

async function refuseTakenName(context: CaseContext): Promise<void> {
  const { username } = await newAccount(context)
  const answer = await registerOnce(context, { username })
  expectEqual("status", answer.status, 400)
  expectShape("body", answer.json, fields({ detail: nonEmptyText }))
}

function expectLoggedIn(answer: WebAnswer): void {
  expectEqual("status", answer.status, 200)
  expectShape("body", answer.json, fields({ access_token: nonEmptyText, token_type: exactly("bearer") }))
}

function expectUnauthorized(answer: WebAnswer): void {
  expectEqual("status", answer.status, 401)
  expectEqual("WWW-Authenticate", answer.headers.get("www-authenticate"), "Bearer")
  expectShape("body", answer.json, fields({ detail: nonEmptyText }))
}

/** One of the first two parts of a JWT. */
function tokenPart(token: string, index: number): unknown {
  const part: unknown = JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString("utf8"))
  return part
}

async function checkToken(context: CaseContext): Promise<void> {
  const { username, token } = await newAccount(context)
  expectEqual("alg of the token", at(tokenPart(token, 0), "alg"), "HS256")
  expectEqual("sub of the token", textAt(tokenPart(token, 1), "sub"), username)
  const minutes = (numberAt(tokenPart(token, 1), "exp") - Date.now() / 1_000) / 60
  expectThat(minutes > 28 && minutes < 32, "an exp 30 minutes from now", `${minutes} minutes`)
}

export const httpAccountCases: readonly ConformanceCase[] = [
  {
    name: "answers a registration with 201 and the fifteen fields of the account",
    section: "2",
    run: async (context) => {
      const username = randomName()
      const answer = await registerOnce(context, { username })
      expectEqual("status", answer.status, 201)
      expectShape("body", answer.json, registeredShape)
      expectEqual("username", at(answer.json, "username"), username)
      expectThat(
        !Object.keys(mapAt(answer.json)).some((key) => /password/i.test(key)),
        "no password in the answer",
        answer.json,
      )
    },
  },
  {
    name: "ignores unknown keys of a registration, such as email",
    section: "2",
    run: async (context) =>
      expectEqual("status", (await registerOnce(context, { email: "a@example.org" })).status, 201),
  },
  {
    name: "accepts a user name of 50 characters and a password of 72",
    section: "2",
    run: async (context) => {
      const longest = { username: randomName().padEnd(50, "x"), password: randomPassword().padEnd(72, "x") }
      expectEqual("status", (await registerOnce(context, longest)).status, 201)
      expectLoggedIn(await postForm(context, "/auth/login", longest))
    },
  },
  {
    name: "refuses a registration under a taken name with 400 and a detail text",
    section: "2",
    run: refuseTakenName,
  },
  {
    name: "refuses a bad registration with 422 and a list of details",
    section: "2",
    run: refuseBadRegistration,
  },
  {
    name: "includes input and ctx in the 422 about a user name that is too short",
    section: "2",
    run: async (context) => {
      const answer = await registerOnce(context, { username: "ab" })
      expectShape("body", answer.json, fields({ detail: anyList }))
      expectShape("detail", listAt(answer.json, "detail")[0], fields({ input: exactly("ab"), ctx: present }))
    },
  },
  {
    name: "logs in with a form and answers with an access_token of type bearer",
    section: "2",
    run: async (context) => {
      const { username, password } = await newAccount(context)
      expectLoggedIn(await postForm(context, "/auth/login", { username, password }))
    },
  },
  {
    name: "logs in with JSON as with a form",
    section: "2",
    run: async (context) => {
      const { username, password } = await newAccount(context)
      expectLoggedIn(await postJson(context, "/auth/login", { username, password }))
    },
  },
  {
    name: "answers 401 with WWW-Authenticate: Bearer to a wrong password",
    section: "2",
    run: async (context) => {
      const { username } = await newAccount(context)
      expectUnauthorized(await postForm(context, "/auth/login", { username, password: randomPassword() }))
      expectUnauthorized(await postJson(context, "/auth/login", { username, password: randomPassword() }))
    },
  },
  {
    name: "answers 401 with WWW-Authenticate: Bearer to an unknown user",
    section: "2",
    run: async (context) =>
      expectUnauthorized(
        await postForm(context, "/auth/login", { username: randomName(), password: randomPassword() }),
      ),
  },
  {
    name: "issues an HS256 token with sub = user name that expires in 30 minutes",
    section: "2",
    run: checkToken,
  },
  {
    name: "answers 403 to the login of a banned player and 429 at capacity",
    section: "2",
    run: () =>
      Promise.reject(new SkipCase("needs a banned account and 500 players; tried by the world's own tests")),
  },
]
