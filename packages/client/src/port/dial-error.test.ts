import { afterEach, describe, expect, it, vi } from "vitest"
import { adviceOn } from "./dial-advice.browser.ts"
import { dialError, dialHint } from "./dial-error.ts"

const address = "ws://localhost:9000/ws"

afterEach(() => vi.unstubAllGlobals())

describe("the error of a socket that never opened", () => {
  it("lists what to check if the cause has no text, as that of Node's own WebSocket", () => {
    for (const failure of [undefined, { cause: new Error("") }, { cause: "" }]) {
      const { message } = dialError(address, 1006, failure)
      expect(message).toContain("never opened: close code 1006, and nothing else is known here. Check: ")
      for (const words of [
        "does the server run, at localhost:9000?",
        "the path /ws",
        "`origins`",
        "the package ws",
      ])
        expect(message).toContain(words)
    }
  })

  it("lists the points of a page, with its origin, and no advice for Node", () => {
    vi.stubGlobal("location", new URL("https://example.com/board"))
    vi.stubGlobal("navigator", { onLine: false })
    const { message } = dialError(address, 1006, undefined)
    for (const words of ["allow https://example.com", "connect-src", "use wss:", "The browser is offline."])
      expect(message).toContain(words)
    expect(message).not.toContain("the package ws")
    expect(dialHint(address)).toContain(
      "hawser: the connection to ws://localhost:9000/ws never opened, and a page",
    )
  })

  it("has no hint for a console outside of a page", () => {
    expect(dialHint(address)).toBeUndefined()
  })

  it("has no cause with advice in a bundle for browsers", () => {
    const place = { where: address, host: "localhost:9000", path: "/ws" }
    expect(adviceOn({ cause: undefined, httpStatus: 404 }, place)).toBeUndefined()
  })

  it("names a known cause", () => {
    expect(dialError(address, 1006, { cause: new Error("bad handshake") }).message).toContain(
      "never opened: bad handshake (close code 1006)",
    )
    expect(dialError(address, 1006, { cause: undefined, httpStatus: 400 }).message).toContain(
      "An older one needs the server's option `profile20`",
    )
  })
})
