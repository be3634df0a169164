// Builds the page, and serves it and the board on one port: 8090, or that of the environment variable PORT.
import { createServer } from "@hawser/server"
import { Server as HttpServer } from "node:http"
import { build, defaultClientConditions, preview, type InlineConfig } from "vite"
import { contract, strokesMaxCount } from "./contract.ts"

const server = createServer(contract, {
  // A name without a password: for an example only. See `jwt()` and `authenticate` in the README of @hawser/server.
  authenticate: (name) => ({ id: name }),
})
server.topicKind("board", {
  canJoin: () => true,
  canPublish: () => true,
  // A page that opens later gets these strokes, and one that was away those that it missed.
  history: { maxCount: strokesMaxCount, maxAgeMs: 24 * 3_600_000, maxBytes: 16 * 1024 * 1024 },
})

const page: InlineConfig = {
  root: import.meta.dirname,
  configFile: false,
  logLevel: "warn",
  // Inside the repository: our packages from source, so that nothing must be built before.
  resolve: { conditions: ["@hawser/source", ...defaultClientConditions] },
  preview: { host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8090), strictPort: true },
}
await build(page)
const { httpServer, resolvedUrls } = await preview(page)
if (httpServer instanceof HttpServer) server.attach(httpServer)
console.log(`The board is at ${resolvedUrls?.local[0]}`)
