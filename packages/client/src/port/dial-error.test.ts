import { describe, expect, it } from "vitest"
import { dialError } from "./dial-error.ts"

const address = "ws://localhost:9000/ws"

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

  it("names a known cause", () => {
    expect(dialError(address, 1006, { cause: new Error("bad handshake") }).message).toContain(
      "never opened: bad handshake (close code 1006)",
    )
    expect(dialError(address, 1006, { cause: undefined, httpStatus: 400 }).message).toContain(
      "An older one needs the server's option `profile20`",
    )
  })
})
