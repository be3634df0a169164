// The page of the browser tests: one probe in the page, another in a worker on demand, and the state that the browser
// decides. Tests reach it by the global `hawser`.
import "./no-eval.ts"
import { callProbe, createCaller } from "./calls.ts"
import { Probe } from "./probe.ts"

const probe = new Probe()
const violations: string[] = []
/** Times that the page came out of the back/forward cache. */
let restored = 0
/** The longest time during which no timer of the page ran. */
let longestPauseMs = 0
let callWorker: ReturnType<typeof createCaller> | undefined

document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  violations.push(`${violatedDirective} ${blockedURI}`),
)
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) restored += 1
})

function startWorker(): ReturnType<typeof createCaller> {
  const worker = new Worker("/worker.js", { type: "module" })
  worker.addEventListener("error", ({ message }) => violations.push(`worker: ${message}`))
  return createCaller(worker)
}

/**
 * Tries to compile text, which the policy forbids; leaves a violation. Expressions of a driver may be exempt, so the
 * page tries.
 */
function tryEval(): boolean {
  try {
    const made: unknown = Reflect.construct(Function, ["return true"])
    return typeof made === "function"
  } catch {
    return false
  }
}

const mayEval = tryEval()

function measurePauses(): void {
  let lastMs = performance.now()
  setInterval(() => {
    const nowMs = performance.now()
    longestPauseMs = Math.max(longestPauseMs, nowMs - lastMs)
    lastMs = nowMs
  }, 1_000)
}

/** Writes a call and its result on the page, for pictures. */
async function shown(what: string, result: Promise<unknown>): Promise<unknown> {
  const line = document.createElement("p")
  line.textContent = `${what} …`
  document.body.append(line)
  const value = await result
  line.textContent = `${what} → ${value === undefined ? "done" : JSON.stringify(value)}`.slice(0, 300)
  return value
}

const hawser = {
  page: (method: string, args: readonly unknown[]): Promise<unknown> =>
    shown(`page ${method}`, callProbe(probe, method, args)),
  worker(method: string, args: readonly unknown[]): Promise<unknown> {
    callWorker ??= startWorker()
    return shown(`worker ${method}`, callWorker(method, args))
  },
  measurePauses,
  /** State that the browser decides. */
  surroundings: () => ({
    violations,
    restored,
    longestPauseMs,
    visibility: document.visibilityState,
    mayEval,
  }),
}

Object.assign(globalThis, { hawser })
