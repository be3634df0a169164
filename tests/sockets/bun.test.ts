// Bun only: the application's own server, on which Hawser is mounted.
import { connect } from "node:net"
import { expect, it, onTestFinished } from "vitest"
import { openRawSession, startServer, upgradeRequest } from "./harness.ts"
import { describeOver } from "./transports.ts"

async function pageOf(port: number): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })
  return { status: response.status, text: await response.text() }
}

/** First line of the answer to a request that is sent unchanged. */
function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  return new Promise((resolve) => {
    let text = ""
    socket.on("error", () => {})
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      if (text.includes("\r\n\r\n")) socket.destroy()
    })
    socket.on("close", () => resolve(text.split("\r\n", 1)[0] ?? ""))
    socket.write(request)
  })
}

describeOver(["bun"], (transport) => {
  it("serves both the application's page and the WebSocket, and leaves the page at close()", async () => {
    const world = await startServer(transport, { mounted: true })
    const peer = await openRawSession(world, "hawser.1")
    expect(await pageOf(world.port)).toEqual({ status: 200, text: "mine" })
    await world.close()
    expect((await peer.closed).code).toBe(4503)
    expect(await pageOf(world.port)).toEqual({ status: 200, text: "mine" })
    expect(await answerTo(world.port, upgradeRequest(world.port, []))).toBe(
      "HTTP/1.1 503 Service Unavailable",
    )
  })

  it.each([
    ["a route", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["another path", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK"],
  ])("answers on %s of the application a request without an upgrade", async (_where, request, answer) => {
    const world = await startServer(transport, { mounted: true })
    expect(await answerTo(world.port, request)).toBe(answer)
  })
})
