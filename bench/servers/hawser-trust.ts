// Hawser over `ws` with the option `trustOutput`: the cost of validating results and payloads is the difference to `hawser`.
import { serveBenchmark } from "./control.ts"
import { createBenchServer } from "./hawser-app.ts"

await serveBenchmark((settings) =>
  createBenchServer(settings, { trustOutput: true }).listen({ host: "127.0.0.1" }),
)
