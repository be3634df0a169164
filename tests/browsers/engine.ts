// The port to a browser: the methods that the tests need, the same for every engine. Each engine has one adapter.
import { afterAll, beforeAll, beforeEach } from "vitest"

/** One tab. */
export interface Tab {
  /** Evaluates an expression in the page, awaits a promise, and returns plain data. Rejects while the page is replaced. */
  evaluate(expression: string): Promise<unknown>
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** Closes the tab as its user does: `pagehide` runs. */
  close(): Promise<void>
  /** A PNG of the page. */
  picture(): Promise<Uint8Array>
}

export interface Browser {
  /** Opens a tab that is visible. */
  open(url: string): Promise<Tab>
  /** Ends the browser as its user does. Idempotent. */
  quit(): Promise<void>
}

export interface Engine {
  readonly name: "chromium" | "firefox" | "webkit"
  /** True if a page with an open WebSocket goes into the back/forward cache. */
  readonly cachesSockets: boolean
  /** Programs and packages that this machine lacks; undefined where the engine is installed. */
  missing(): string | undefined
  launch(): Promise<Browser>
}

/**
 * Returns why tests of an engine are skipped here, or undefined.
 * @throws Error where CI is set: there every engine is installed.
 */
export function skipReason(engine: Engine): string | undefined {
  const missing = engine.missing()
  if (missing !== undefined && process.env["CI"] !== undefined) throw new Error(missing)
  return missing
}

/** Launches one browser for the tests of a file and skips them where it is missing. Call it at the top of a suite. */
export function useEngine(engine: Engine): () => Browser {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (skipReason(engine) === undefined) browser = await engine.launch()
  }, 60_000)
  afterAll(() => browser?.quit())
  beforeEach(({ skip }) => {
    const reason = skipReason(engine)
    if (reason !== undefined) skip(reason)
  })
  return () => {
    if (browser === undefined)
      throw new Error("the browser is not launched yet: it is launched when the first test begins")
    return browser
  }
}

/** Returns a function that ends something once; later calls await the same end. */
export function once(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined
  return () => (ended ??= end())
}
