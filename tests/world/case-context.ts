// Context of the conformance suite's helpers for a running world. Their connections end with the test.
import { onTestFinished } from "vitest"
import type { CaseContext } from "../conformance-2.0/case.ts"
import type { WorldProcess } from "./start-world.ts"

export function caseContext(world: WorldProcess): CaseContext {
  return { url: world.webSocketUrl, httpUrl: world.url, onEnd: (cleanup) => onTestFinished(cleanup) }
}
