// Hawser over `ws`, its default transport.
import { serveBenchmark } from "./control.ts"
import { createBenchServer } from "./hawser-app.ts"

await serveBenchmark((settings) => createBenchServer(settings).listen({ host: "127.0.0.1" }))
