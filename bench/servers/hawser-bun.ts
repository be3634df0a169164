// Hawser over Bun's native WebSocket server.
import { serveWithBun } from "@hawser/server/bun"
import { serveBenchmark } from "./control.ts"
import { createBenchServer } from "./hawser-app.ts"

await serveBenchmark((settings) => serveWithBun(createBenchServer(settings), { host: "127.0.0.1" }))
