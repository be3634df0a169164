// Registers and logs in over HTTP, and keeps the token for this tab. Must not know the game.
import { z } from "zod"

export type LoginResult =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly text: string }

export interface Credentials {
  readonly username: string
  readonly password: string
}

const tokenKey = "hawser.token"
const loginReply = z.object({ access_token: z.string().min(1) })
const refusalReply = z.object({
  detail: z.union([z.string(), z.array(z.object({ msg: z.string(), loc: z.array(z.string()) }))]),
})

export function storedToken(): string | undefined {
  return sessionStorage.getItem(tokenKey) ?? undefined
}

export function storeToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(tokenKey)
  else sessionStorage.setItem(tokenKey, token)
}

export async function login(credentials: Credentials): Promise<LoginResult> {
  const reply = await post("/auth/login", credentials)
  if (!reply.ok) return reply
  const read = loginReply.safeParse(reply.body)
  return read.success
    ? { ok: true, token: read.data.access_token }
    : { ok: false, text: "The server's answer could not be read." }
}

/** Makes the account, then logs in with it. */
export async function register(credentials: Credentials): Promise<LoginResult> {
  const reply = await post("/auth/register", credentials)
  return reply.ok ? login(credentials) : reply
}

type Posted = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly text: string }

async function post(path: string, credentials: Credentials): Promise<Posted> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(credentials),
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok) return { ok: true, body }
    return { ok: false, text: refusalText(body) ?? `The server answered ${response.status}.` }
  } catch {
    return { ok: false, text: "The server cannot be reached." }
  }
}

/** What a refusal says, field by field. */
function refusalText(body: unknown): string | undefined {
  const read = refusalReply.safeParse(body)
  if (!read.success) return undefined
  const { detail } = read.data
  if (typeof detail === "string") return detail
  return detail
    .map(({ loc, msg }) => [loc.at(-1), msg].filter((part) => part !== undefined).join(": "))
    .join("; ")
}
