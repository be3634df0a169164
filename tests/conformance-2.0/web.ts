// Plain HTTP against the server under test.
import type { CaseContext } from "./case.ts"
import { WAIT_MS } from "./limits.ts"

export interface WebAnswer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** The body read as JSON; undefined if it is not JSON. */
  readonly json: unknown
}

export interface WebRequest {
  readonly accept?: string
  readonly token?: string
  readonly body?: BodyInit
  readonly contentType?: string
}

export async function get(context: CaseContext, path: string, request: WebRequest = {}): Promise<WebAnswer> {
  return await fetchAnswer(context, path, { method: "GET", ...request })
}

export async function postJson(context: CaseContext, path: string, content: unknown): Promise<WebAnswer> {
  const body = JSON.stringify(content)
  return await fetchAnswer(context, path, { method: "POST", body, contentType: "application/json" })
}

export async function postForm(
  context: CaseContext,
  path: string,
  form: Record<string, string>,
): Promise<WebAnswer> {
  // URLSearchParams makes fetch send application/x-www-form-urlencoded by itself.
  return await fetchAnswer(context, path, { method: "POST", body: new URLSearchParams(form) })
}

async function fetchAnswer(
  context: CaseContext,
  path: string,
  { method, accept, token, body, contentType }: WebRequest & { readonly method: string },
): Promise<WebAnswer> {
  const headers = new Headers()
  if (accept !== undefined) headers.set("accept", accept)
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`)
  if (contentType !== undefined) headers.set("content-type", contentType)
  const response = await fetch(`${context.httpUrl}${path}`, {
    method,
    headers,
    signal: AbortSignal.timeout(WAIT_MS),
    ...(body === undefined ? {} : { body }),
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, json: jsonOf(bytes) }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return value
  } catch {
    return undefined
  }
}
