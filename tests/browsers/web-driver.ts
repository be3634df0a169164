// A client of WebDriver (https://www.w3.org/TR/webdriver2/), as far as the tests need it. Commands of one session run
// one after the other, because each of them first chooses its tab.
import { z } from "zod"

const failure = z.object({ value: z.object({ error: z.string(), message: z.string() }) })
const newSession = z.object({ sessionId: z.string() })
const settled = z.object({ value: z.unknown(), error: z.string().optional() })

/** The body of an asynchronous script, whose last argument takes the result. The page's policy may forbid eval. */
function scriptOf(expression: string): string {
  return `const [done] = arguments
    Promise.resolve().then(() => (${expression}))
      .then((value) => done({ value: value ?? null }), (error) => done({ value: null, error: String(error) }))`
}

export class WebDriverSession {
  readonly #url: string
  /** The window that the browser begins with. */
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
    const created = await send("POST", `${driverUrl}/session`, {
      capabilities: { alwaysMatch: capabilities },
    })
    const url = `${driverUrl}/session/${newSession.parse(created).sessionId}`
    return new WebDriverSession(url, z.string().parse(await send("GET", `${url}/window`)))
  }

  /** A window of its own: a tab behind another one is hidden. */
  async newWindow(): Promise<string> {
    const created = await this.#in(this.#first, "POST", "/window/new", { type: "window" })
    return z.object({ handle: z.string() }).parse(created).handle
  }

  async evaluate(handle: string, expression: string): Promise<unknown> {
    const script = { script: scriptOf(expression), args: [] }
    const result = settled.parse(await this.#in(handle, "POST", "/execute/async", script))
    if (result.error !== undefined) throw new Error(result.error)
    return result.value
  }

  async goto(handle: string, url: string): Promise<void> {
    await this.#in(handle, "POST", "/url", { url })
  }

  async reload(handle: string): Promise<void> {
    await this.#in(handle, "POST", "/refresh", {})
  }

  async show(handle: string): Promise<void> {
    this.#current = undefined
    await this.#in(handle, "GET", "/url")
  }

  async closeTab(handle: string): Promise<void> {
    await this.#in(handle, "DELETE", "/window")
    this.#current = undefined
  }

  async picture(handle: string): Promise<Uint8Array> {
    const png = z.string().parse(await this.#in(handle, "GET", "/screenshot"))
    return Buffer.from(png, "base64")
  }

  /** Ends the browser. */
  async end(): Promise<void> {
    await this.#run("DELETE", "")
  }

  #in(handle: string, method: string, path: string, body?: object): Promise<unknown> {
    return this.#queue(async () => {
      if (this.#current !== handle) await send("POST", `${this.#url}/window`, { handle })
      this.#current = handle
      return await send(method, this.#url + path, body)
    })
  }

  #run(method: string, path: string, body?: object): Promise<unknown> {
    return this.#queue(() => send(method, this.#url + path, body))
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}

async function send(method: string, url: string, body?: object): Promise<unknown> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(url, { method, ...sent })
  const answer: unknown = await response.json()
  if (!response.ok) {
    const { error, message } = failure.parse(answer).value
    throw new Error(`${error}: ${message}`)
  }
  return z.object({ value: z.unknown() }).parse(answer).value
}
