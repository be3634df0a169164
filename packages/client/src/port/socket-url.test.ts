import { defineContract } from "@hawser/protocol"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createClient } from "../client.ts"
import type { WebSocketConstructor } from "../transport/web-socket.ts"
import { isRelative, socketUrl } from "./socket-url.ts"

function containing(text: string): unknown {
  return expect.stringContaining(text)
}

function openPage(baseURI: string): void {
  vi.stubGlobal("document", { baseURI })
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("socketUrl", () => {
  it.each([
    ["ws://localhost:8080/ws", "ws://localhost:8080/ws"],
    ["wss://example.com/ws?room=1", "wss://example.com/ws?room=1"],
    ["http://localhost:8080/ws", "ws://localhost:8080/ws"],
    ["https://example.com", "wss://example.com/"],
    ["WSS://Example.com:443/a b", "wss://example.com/a%20b"],
    ["ws://[::1]:8080/", "ws://[::1]:8080/"],
  ])("surprise-A4 makes %s an address of a WebSocket", (address, url) => {
    expect(socketUrl(address)).toBe(url)
  })

  it.each([
    ["https://example.com/game/index.html", "/ws", "wss://example.com/ws"],
    ["https://example.com/game/index.html", "ws", "wss://example.com/game/ws"],
    ["http://localhost:5173/", "/ws?x=1", "ws://localhost:5173/ws?x=1"],
    ["https://example.com/#top", "//other.example/ws", "wss://other.example/ws"],
    ["https://example.com/", "ws://localhost:1/ws", "ws://localhost:1/ws"],
  ])("surprise-A4 in the page %s resolves %s", (page, address, url) => {
    openPage(page)
    expect(socketUrl(address)).toBe(url)
  })

  it("surprise-A4 resolves against the location of a worker", () => {
    vi.stubGlobal("location", { href: "https://example.com/worker.js" })
    expect(socketUrl("/ws")).toBe("wss://example.com/ws")
  })

  it.each([
    ["", 'is "": pass an address'],
    ["   ", 'is "   ": pass an address'],
    ["localhost:1", 'has no scheme: write "ws://…"'],
    ["example.com:8080/ws", "has no scheme"],
    ["127.0.0.1:9100/ws", "has no scheme"],
    ["[::1]:9100", "has no scheme"],
    ["ftp://example.com/", 'has the scheme "ftp:"'],
    ["file:///etc/hosts", 'has the scheme "file:"'],
    ["/ws", "is relative, and there is no page"],
    ["ws", "is relative, and there is no page"],
    ["ws://", "is no URL"],
    ["ws://a b/", "is no URL"],
    ["ws://h:99999/", "is no URL"],
    ["ws://h/ws#x", "has a fragment"],
    ["ws://h/ws#", "has a fragment"],
  ])("surprise-A4 refuses %j with a sentence that says so", (address, sentence) => {
    expect(() => socketUrl(address)).toThrow(TypeError)
    expect(() => socketUrl(address)).toThrow(sentence)
  })

  it.each([undefined, null, 42, {}])("surprise-A4 refuses %j, which is no text", (address) => {
    const make = (): unknown => Reflect.apply(socketUrl, undefined, [address])
    expect(make).toThrow(TypeError)
    expect(make).toThrow("the url is")
  })

  it.each(["file:///home/ann/index.html", "about:blank", "blob:https://example.com/1"])(
    "surprise-A4 refuses a relative address in the page %s",
    (page) => {
      openPage(page)
      expect(() => socketUrl("/ws")).toThrow(TypeError)
    },
  )
})

describe("isRelative", () => {
  it.each([
    ["/ws", true],
    ["ws", true],
    ["ws://h/", false],
    ["localhost:1", false],
    ["ws://", false],
  ])("tells of %s: %s", (address, expected) => {
    expect(isRelative(address)).toBe(expected)
  })
})

describe("createClient", () => {
  const contract = defineContract({ name: "urls" })
  class NoSocket {}
  // oxlint-disable-next-line typescript/consistent-type-assertions -- never dialled
  const webSocket = NoSocket as unknown as WebSocketConstructor

  it.each(["localhost:1", "/ws", "", "ws://h/ws#x", "ftp://h/"])(
    "surprise-A4 throws at once for the url %j, connecting by itself or not",
    (url) => {
      expect(() => createClient(contract, { url, token: "ann", webSocket })).toThrow(TypeError)
      // A relative one may still find a page.
      if (url !== "/ws")
        expect(() => createClient(contract, { url, token: "ann", webSocket, autoConnect: false })).toThrow(
          TypeError,
        )
    },
  )

  it("surprise-A4 leaves the url of another transport alone", () => {
    const dial = (): never => {
      throw new Error("never dialled")
    }
    expect(() =>
      createClient(contract, { url: "memory:", token: "ann", dial, autoConnect: false }),
    ).not.toThrow()
  })

  it("surprise-A4 works with autoConnect false where there is no page and no WebSocket yet", async () => {
    vi.stubGlobal("WebSocket", undefined)
    expect(() => createClient(contract, { url: "ws://h/ws", token: "ann" })).toThrow("no global WebSocket")
    const errors: unknown[] = []
    const client = createClient(contract, {
      url: "/ws",
      token: "ann",
      autoConnect: false,
      reconnect: false,
      onError: (error) => errors.push(error),
    })
    await expect(client.connect()).rejects.toMatchObject({
      code: "connection_failed",
      retry: "never",
      message: containing("is relative, and there is no page"),
    })
    openPage("https://example.com/")
    await expect(client.connect()).rejects.toMatchObject({
      code: "connection_failed",
      message: containing("no global WebSocket"),
    })
    expect(errors).toHaveLength(1)
    const dialled: string[] = []
    vi.stubGlobal(
      "WebSocket",
      class {
        constructor(url: string) {
          dialled.push(url)
        }
        addEventListener(): void {}
        close(): void {}
      },
    )
    const connected = client.connect().catch(() => {})
    await vi.waitFor(() => expect(dialled).toEqual(["wss://example.com/ws"]))
    client.close()
    await connected
  })
})
