import { describe, expect, it } from "vitest"
import { MiddlewareList } from "./middleware.ts"
import type { Middleware } from "./middleware.ts"

interface Context {
  readonly input: unknown
  readonly session: string
  readonly signal: AbortSignal
}

const context: Context = { input: 1, session: "ann", signal: new AbortController().signal }
const named = (use: readonly Middleware<string>[] = []) => ({ kind: "command", name: "move", use }) as const

/** Middleware that notes its entry and its exit. */
function noted(log: string[], name: string): Middleware<string> {
  return (_call, next) => {
    log.push(name)
    const result = next()
    log.push(`/${name}`)
    return result
  }
}

describe("a handler", () => {
  it("is the handler itself without middleware", () => {
    const handler = (): number => 1
    expect(new MiddlewareList<string>().around(named(), handler)).toBe(handler)
  })

  it("runs inside the middleware of the server, then of its call, in order, without a promise", () => {
    const list = new MiddlewareList<string>()
    const log: string[] = []
    list.add(noted(log, "one"))
    list.add(noted(log, "two"))
    const run = list.around(named([noted(log, "own")]), ({ input }: Context) => {
      log.push("handler")
      return input
    })
    expect(run(context)).toBe(1)
    expect(log).toEqual(["one", "two", "own", "handler", "/own", "/two", "/one"])
  })

  it("does not run once its middleware has refused the call or has answered it, also if next() is called later", async () => {
    const list = new MiddlewareList<string>()
    let runs = 0
    const late: (() => unknown)[] = []
    const around = async (middleware: (next: () => unknown) => unknown): Promise<unknown> => {
      const use: Middleware<string> = (_call, next) => (late.push(next), middleware(next))
      return await list.around(named([use]), () => (runs += 1))(context)
    }
    const refuse = (): never => {
      throw new Error("no")
    }
    await expect(around(refuse)).rejects.toThrow("no")
    await expect(around(async () => await Promise.reject(new Error("no")))).rejects.toThrow("no")
    expect([await around(() => "own"), await around(() => Promise.resolve("own"))]).toEqual(["own", "own"])
    for (const next of late)
      expect(next).toThrow(new Error('middleware of the command "move" called next() after its end'))
    expect(runs).toBe(0)
  })

  it("does not run after its call was aborted while its middleware waited", async () => {
    const list = new MiddlewareList<string>()
    const abort = new AbortController()
    const waiting: (() => void)[] = []
    const use: Middleware<string> = async (_call, next) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return await next()
    }
    let runs = 0
    const run = list.around(named([use]), () => (runs += 1))
    const outcome = Promise.resolve(run({ ...context, signal: abort.signal }))
    const refused = expect(outcome).rejects.toThrow("cancelled")
    abort.abort(new Error("cancelled"))
    for (const proceed of waiting) proceed()
    await refused
    expect(runs).toBe(0)
  })

  it("may be replaced, refused or awaited", async () => {
    const list = new MiddlewareList<string>()
    const around = (middleware: Middleware<string>): unknown =>
      list.around(named([middleware]), () => Promise.resolve(1))(context)
    expect(around(() => 2)).toBe(2)
    expect(() =>
      around(() => {
        throw new Error("no")
      }),
    ).toThrow("no")
    expect(await around(async (_call, next) => [await next()])).toEqual([1])
  })

  it("reaches middleware with the call's kind, name, input, session and signal", () => {
    const calls: unknown[] = []
    const middleware: Middleware<string> = ({ kind, name, input, session, signal }, next) => {
      calls.push([kind, name, input, session, signal])
      return next()
    }
    new MiddlewareList<string>().around(named([middleware]), () => 1)(context)
    expect(calls).toEqual([["command", "move", 1, "ann", context.signal]])
  })

  it("runs once: a second next() throws", () => {
    let runs = 0
    const twice: Middleware<string> = (_call, next) => [next(), next()]
    const run = new MiddlewareList<string>().around(named([twice]), () => (runs += 1))
    expect(() => run(context)).toThrow('middleware of the command "move" called next() twice')
    expect(runs).toBe(1)
    // Each call has its own next().
    expect(() => run(context)).toThrow("twice")
    expect(runs).toBe(2)
  })

  it("causes no unhandled rejection if a middleware drops its promise", async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on("unhandledRejection", note)
    const drop: Middleware<string> = (_call, next) => {
      void next()
      return 2
    }
    const run = new MiddlewareList<string>().around(named([drop]), () => Promise.reject(new Error("lost")))
    expect(run(context)).toBe(2)
    await new Promise((resolve) => setImmediate(resolve))
    process.off("unhandledRejection", note)
    expect(unhandled).toEqual([])
  })
})

describe("a request of a topic", () => {
  const call = { kind: "join", name: "chat", input: 1, source: context } as const

  it("has its own result, whatever the middleware returns", async () => {
    const list = new MiddlewareList<string>()
    list.add((_call, next) => {
      void next()
      return "other"
    })
    expect(await list.topic(call, () => Promise.resolve("own"))).toBe("own")
  })

  it("is forbidden if a middleware returns without next()", async () => {
    const list = new MiddlewareList<string>()
    list.add(() => true)
    await expect(list.topic(call, () => Promise.resolve("own"))).rejects.toMatchObject({
      code: "forbidden",
      message: 'middleware refused the join of "chat"',
    })
  })
})

describe("use()", () => {
  it("throws after the first connection, and for no function", () => {
    const list = new MiddlewareList<string>()
    const add: (middleware: never) => void = (middleware) => list.add(middleware)
    expect((): unknown => Reflect.apply(add, undefined, [{}])).toThrow(
      new TypeError("use() takes functions (call, next) => result, not object"),
    )
    list.seal()
    expect(() => list.add(() => 1)).toThrow(TypeError)
    expect(list.isUsed).toBe(false)
  })
})
