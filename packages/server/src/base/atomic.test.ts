import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Atomic } from "./atomic.ts"
import { isRejected } from "./promise-state.ts"

/** A function that acts, calls others, and may throw. Its caller catches the error or not. */
interface Program {
  readonly steps: readonly (number | { readonly inner: Program; readonly catches: boolean })[]
  readonly throws: boolean
}

const program = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.record({
    steps: fc.array(
      fc.oneof({ maxDepth: 4 }, fc.nat(), fc.record({ inner: tie("program"), catches: fc.boolean() })),
      { maxLength: 5 },
    ),
    throws: fc.boolean(),
  }),
})).program

/** Returns the steps that a program leaves; undefined if it throws. */
function model({ steps, throws }: Program): number[] | undefined {
  const left: number[] = []
  for (const step of steps) {
    if (typeof step === "number") left.push(step)
    else {
      const inner = model(step.inner)
      if (inner === undefined && !step.catches) return undefined
      left.push(...(inner ?? []))
    }
  }
  return throws ? undefined : left
}

describe("an atomic function", () => {
  it("keeps the changes and effects of the parts that did not throw, in order, and no others", () => {
    fc.assert(
      fc.property(program, (whole) => {
        const atomic = new Atomic(() => {})
        const state: number[] = []
        const sent: number[] = []
        const run = ({ steps, throws }: Program): void => {
          for (const step of steps) {
            if (typeof step !== "number") {
              try {
                atomic.run(() => run(step.inner))
              } catch (error) {
                if (!step.catches) throw error
              }
              continue
            }
            state.push(step)
            atomic.onThrow(() => void state.pop())
            atomic.defer(() => void sent.push(step))
            expect(sent).toEqual([])
          }
          if (throws) throw new Error("thrown")
        }
        const left = model(whole)
        if (left === undefined) expect(() => atomic.run(() => run(whole))).toThrow("thrown")
        else atomic.run(() => run(whole))
        expect(state).toEqual(left ?? [])
        expect(sent).toEqual(left ?? [])
        expect(atomic.isOpen).toBe(false)
      }),
    )
  })

  it("runs every effect although one throws, and reports the error", () => {
    const errors: unknown[] = []
    const atomic = new Atomic((error) => errors.push(error))
    const ran: number[] = []
    const fault = new Error("effect")
    atomic.run(() => {
      atomic.defer(() => {
        throw fault
      })
      atomic.defer(() => atomic.run(() => atomic.defer(() => void ran.push(1))))
      atomic.defer(() => void ran.push(2))
    })
    expect(errors).toEqual([fault])
    expect(ran).toEqual([1, 2])
  })

  it("runs its endings once, at the end of the outermost function, also after a throw", () => {
    const atomic = new Atomic(() => {})
    const ran: string[] = []
    const failing = (): void =>
      atomic.run(() => {
        atomic.onEnd(() => void ran.push("end"))
        throw new Error("inner")
      })
    atomic.run(() => {
      expect(failing).toThrow("inner")
      expect(ran).toEqual([])
    })
    expect(ran).toEqual(["end"])
  })

  it("refuses a promise and undoes the part before its first await", async () => {
    const atomic = new Atomic(() => {})
    const undone: string[] = []
    const late = async (): Promise<void> => {
      atomic.onThrow(() => void undone.push("change"))
      await Promise.resolve()
      throw new Error("without a listener")
    }
    expect(() => atomic.run(late)).toThrow("returned a promise")
    expect(undone).toEqual(["change"])
    await Promise.resolve()
  })
})

describe("a promise", () => {
  it("is recognized as rejected at once if its function threw before the first await, and never otherwise", () => {
    const failing = async (): Promise<void> => {
      throw new Error("{ <rejected> }")
    }
    const waiting = async (): Promise<void> => {
      await Promise.resolve()
    }
    class Derived extends Promise<unknown> {}
    const rejected = [failing(), Promise.reject(new Error("x")), Derived.reject("text"), Promise.reject({})]
    for (const one of rejected) expect(isRejected(one)).toBe(true)
    for (const one of rejected) one.catch(() => {})
    const others = [waiting(), Promise.resolve("<rejected>"), Derived.resolve({ "{ <rejected>": 1 }), {}, 1]
    for (const one of others) expect(isRejected(one)).toBe(false)
  })
})
