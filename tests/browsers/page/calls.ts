// Calls from a page to the probe in its worker, by messages.
import { z } from "zod"
import type { Probe, ProbeMethod } from "./probe.ts"

const methods = ["start", "state", "echo", "count", "join", "publish", "talk", "connect", "stop"] as const
const methodName = z.enum(methods) satisfies z.ZodType<ProbeMethod>
const call = z.object({ id: z.number(), method: methodName, args: z.array(z.unknown()) })
const answer = z.object({ id: z.number(), value: z.unknown(), error: z.string().optional() })

interface Port {
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void
  postMessage(message: unknown): void
}

export async function callProbe(probe: Probe, method: string, args: readonly unknown[]): Promise<unknown> {
  const found: unknown = Reflect.get(probe, methodName.parse(method))
  if (typeof found !== "function") throw new TypeError(`a probe has no method ${method}`)
  const value: unknown = await Reflect.apply(found, probe, args)
  return value
}

/** In the worker. */
export function answerCalls(port: Port, probe: Probe): void {
  port.addEventListener("message", ({ data }) => {
    const { id, method, args } = call.parse(data)
    callProbe(probe, method, args).then(
      (value) => port.postMessage({ id, value }),
      (error: unknown) => port.postMessage({ id, error: String(error) }),
    )
  })
}

/** In the page. */
export function createCaller(port: Port): (method: string, args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, (result: z.infer<typeof answer>) => void>()
  let calls = 0
  port.addEventListener("message", ({ data }) => {
    const result = answer.parse(data)
    waiting.get(result.id)?.(result)
    waiting.delete(result.id)
  })
  return async (method, args) => {
    const id = (calls += 1)
    const { error, value } = await new Promise<z.infer<typeof answer>>((resolve) => {
      waiting.set(id, resolve)
      port.postMessage({ id, method, args })
    })
    if (error !== undefined) throw new Error(error)
    return value
  }
}
