// What the tests need of a browser, whichever it is. One folder of adapters, one suite.

/** One tab. Closing and reloading are those of a user. */
export interface Tab {
  /** Evaluates an expression in the page. A promise is awaited; the value must be plain data. */
  evaluate(expression: string): Promise<unknown>
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** Brings the tab to the front, and thereby hides the one before it. */
  show(): Promise<void>
  close(): Promise<void>
  /** A PNG of the page. */
  picture(): Promise<Uint8Array>
}

export interface Browser {
  open(url: string): Promise<Tab>
  /** Ends the browser as a user does: its pages are closed, not killed. */
  quit(): Promise<void>
}

export interface Engine {
  readonly name: "chromium" | "firefox" | "webkit"
  /** Whether a page with an open WebSocket goes into the back/forward cache. */
  readonly cachesSockets: boolean
  /** Why there can be no browser of this engine here; undefined where it is installed. */
  missing(): string | undefined
  launch(): Promise<Browser>
}
