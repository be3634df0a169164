import { describe, expect, it } from "vitest"
import { z } from "zod"
import { HawserError, errorTable } from "../base/errors.ts"
import { defineContract } from "./contract.ts"

const game = defineContract({
  name: "game",
  errors: {
    blocked: z.object({ by: z.string().trim() }),
    full: null,
    tooFar: z.object({ metres: z.number() }).transform(({ metres }) => ({ metres: Math.round(metres) })),
    list: z.array(z.string()),
  },
})

const thrown = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe("an error of a contract", () => {
  it("carries its code and its validated details", () => {
    const error = game.error("blocked", { by: " ann " })
    expect(HawserError.is(error)).toBe(true)
    expect(error).toMatchObject({ code: "blocked", message: "blocked", details: { by: "ann" } })
    expect(error).toMatchObject({ retry: "never", category: "validation" })
    expect(game.error("tooFar", { metres: 2.6 }).details).toEqual({ metres: 3 })
  })

  it("has no details if the contract declares none", () => {
    const error = game.error("full", { message: "the room is full", retryAfterMs: 500, retry: "later" })
    expect(error).toMatchObject({
      code: "full",
      message: "the room is full",
      retryAfterMs: 500,
      retry: "later",
    })
    expect(error.details).toBeUndefined()
    // A row of a database that is passed as options must not reach the caller.
    const row = { message: "m", details: { passwordHash: "h" } }
    expect(game.error("full", row).details).toBeUndefined()
  })

  it("takes the other options of an error", () => {
    const cause = new Error("c")
    const error = game.error("blocked", { by: "ann" }, { message: "m", category: "permission", cause })
    expect(error).toMatchObject({ message: "m", category: "permission", cause, details: { by: "ann" } })
  })

  it("is recognized by its code", () => {
    const error: unknown = game.error("blocked", { by: "ann" })
    expect(game.isError(error, "blocked") && error.details.by).toBe("ann")
    expect(game.isError(error, "full")).toBe(false)
    expect(game.isError(new HawserError("forbidden"), "blocked")).toBe(false)
    for (const other of [undefined, null, "blocked", { code: "blocked" }, new Error("blocked")])
      expect(game.isError(other, "blocked")).toBe(false)
  })

  it("refuses details that do not fit, as the fault of the caller", () => {
    const wrong = thrown(() => {
      // @ts-expect-error 2322: "by" is text
      game.error("blocked", { by: 7 })
    })
    expect(wrong).toBeInstanceOf(TypeError)
    expect(HawserError.is(wrong)).toBe(false)
    expect(String(wrong)).toMatch(/the details of the error "blocked" do not fit the contract: by: .*string/)
    expect(() => game.error("list", [])).toThrow(/the details of the error "list" must be a plain object/)
  })

  it.each(["fulll", "toString", "forbidden"])("names the codes that exist in place of %s", (code) => {
    const message = `the contract "game" has no error "${code}"; it declares "blocked", "full", "tooFar", "list"`
    // @ts-expect-error 2345: no such code
    expect(() => game.error(code)).toThrow(new TypeError(message))
    // @ts-expect-error 2345: no such code
    expect(() => game.isError(new Error("e"), code)).toThrow(new TypeError(message))
    const bare = defineContract({ name: "bare" })
    // @ts-expect-error 2345: no such code
    expect(() => bare.error(code)).toThrow(/it declares none/)
  })

  it("refuses details of an asynchronous schema", () => {
    const later = defineContract({
      name: "later",
      errors: { slow: z.object({ a: z.string().refine(async () => true) }) },
    })
    expect(() => later.error("slow", { a: "" })).toThrow(
      'the schema of the details of the error "slow" returned a promise; it must validate synchronously, and must not throw',
    )
  })
})

describe("the codes of a contract", () => {
  it.each(["full", "fullRoom", "full_room", "a", "a1_B2", `a${"b".repeat(63)}`])("may be %s", (code) => {
    expect(() => defineContract({ name: "c", errors: { [code]: null } })).not.toThrow()
  })

  it.each(["", "Full", "_full", "2full", "full-room", "full room", "é", `a${"b".repeat(64)}`])(
    "may not be %j",
    (code) => {
      expect(() => defineContract({ name: "c", errors: { [code]: null } })).toThrow(
        new TypeError(
          `contract "c": the error "${code}" must be snake_case or camelCase letters and digits, 64 at most`,
        ),
      )
    },
  )

  it.each(Object.keys(errorTable))("may not be that of the table: %s", (code) => {
    expect(() => defineContract({ name: "c", errors: { [code]: null } })).toThrow(
      new TypeError(
        `contract "c": the error "${code}" is a code of Hawser; rename it, or throw new HawserError("${code}")`,
      ),
    )
  })
})
