// The part of a WebDriver client (https://www.w3.org/TR/webdriver2/) that the tests need. Commands of a session run one
// after another: each first selects its window.
import { z } from "zod"

const failure = z.object({ value: z.object({ error: z.string(), message: z.string() }) })
const newSession = z.object({ sessionId: z.string() })
const settled = z.object({ value: z.unknown(), error: z.string().optional() })

/** Body of an asynchronous script. It holds the expression itself, because the page's policy may forbid `eval`. */
function scriptOf(expression: string): string {
  return `const [done] = arguments
    Promise.resolve().then(() => (${expression}))
      .then((value) => done({ value: value ?? null }), (error) => done({ value: null, error: String(error) }))`
}

interface Command {
  readonly method: "GET" | "POST" | "DELETE"
  /** Path within the session, or a whole URL of the driver. */
  readonly path: string
  readonly body?: object | undefined
}

export class WebDriverSession {
  readonly #url: string
  /** The browser's first window. */
  readonly #first: string
  #last: Promise<unknown> = Promise.resolve()
  #current: string | undefined

  private constructor(url: string, first: string) {
    this.#url = url
    this.#first = first
  }

  /** Waits until the driver listens. */
  static async open(driverUrl: string, capabilities: object): Promise<WebDriverSession> {
    for (let tries = 0; ; tries += 1) {
      try {
        await fetch(`${driverUrl}/status`)
        break
      } catch (error) {
        if (tries === 200) throw error
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    }
    const created = await send({
      method: "POST",
      path: `${driverUrl}/session`,
      body: { capabilities: { alwaysMatch: capabilities } },
    })
    const url = `${driverUrl}/session/${newSession.parse(created).sessionId}`
    return new WebDriverSession(url, z.string().parse(await send({ method: "GET", path: `${url}/window` })))
  }

  /** Opens a separate window: a tab behind another one is hidden. */
  async newWindow(): Promise<string> {
    const created = await this.#in(this.#first, {
      method: "POST",
      path: "/window/new",
      body: { type: "window" },
    })
    return z.object({ handle: z.string() }).parse(created).handle
  }

  async evaluate(handle: string, expression: string): Promise<unknown> {
    const body = { script: scriptOf(expression), args: [] }
    const result = settled.parse(await this.#in(handle, { method: "POST", path: "/execute/async", body }))
    if (result.error !== undefined) throw new Error(result.error)
    return result.value
  }

  async goto(handle: string, url: string): Promise<void> {
    await this.#in(handle, { method: "POST", path: "/url", body: { url } })
  }

  async reload(handle: string): Promise<void> {
    await this.#in(handle, { method: "POST", path: "/refresh", body: {} })
  }

  async close(handle: string): Promise<void> {
    await this.#in(handle, { method: "DELETE", path: "/window" })
    this.#current = undefined
  }

  async picture(handle: string): Promise<Uint8Array> {
    const png = z.string().parse(await this.#in(handle, { method: "GET", path: "/screenshot" }))
    return Buffer.from(png, "base64")
  }

  /** Ends the browser. */
  async end(): Promise<void> {
    await this.#queue(() => send({ method: "DELETE", path: this.#url }))
  }

  #in(handle: string, { method, path, body }: Command): Promise<unknown> {
    return this.#queue(async () => {
      if (this.#current !== handle)
        await send({ method: "POST", path: `${this.#url}/window`, body: { handle } })
      this.#current = handle
      return await send({ method, path: this.#url + path, body })
    })
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}

async function send({ method, path, body }: Command): Promise<unknown> {
  const response = await fetch(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (!response.ok) {
    const { error, message } = failure.parse(answer).value
    throw new Error(`${error}: ${message}`)
  }
  return z.object({ value: z.unknown() }).parse(answer).value
}
