import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Encoded, encodeOnce, encodedArray, encodedMap } from "./encoded.ts"
import { outgoing, outgoingPayload } from "./outgoing.ts"
import { UnsendableError, unsendable } from "./unsendable.ts"

const Person = z.object({ name: z.string().trim() })
const Late = Person.refine(async () => true)

const errorOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe("a value that leaves", () => {
  it("is the validated one, without the members that the schema lacks", () => {
    const row = { name: " ann ", passwordHash: "secret" }
    expect(outgoing(Person, row, undefined)).toEqual({ name: "ann" })
    expect(outgoingPayload("met", { payload: Person }, row)).toEqual({ name: "ann" })
  })

  it("is refused with the issues of its schema", () => {
    const error = errorOf(() => outgoing(Person, { name: 7 }, undefined))
    expect(error).toBeInstanceOf(UnsendableError)
    expect(error).toMatchObject({
      code: "invalid_input",
      path: "name",
      details: { issues: [{ path: "name" }] },
    })
    const named = unsendable('the event "met"', error)
    expect(named).toMatchObject({ details: { path: "name", issues: [{ path: "name" }] }, cause: error })
    expect(String(named)).toMatch(/the event "met" cannot be sent: name: .*string/)
  })

  it("is a promise for an asynchronous schema", async () => {
    await expect(outgoing(Late, { name: " ann " }, undefined)).resolves.toEqual({ name: "ann" })
    const refused = z.object({ name: z.string() }).refine(async ({ name }) => name !== "")
    await expect(outgoing(refused, { name: "" }, undefined)).rejects.toMatchObject({ code: "invalid_input" })
    expect(() => outgoingPayload("met", { payload: Late }, { name: "" })).toThrow(
      new TypeError(
        'the schema of event "met" returned a promise; it must validate synchronously, and must not throw',
      ),
    )
  })

  it("is unchanged where it is trusted", () => {
    const row = { name: 7 }
    expect(outgoing(Person, row, true)).toBe(row)
    expect(outgoingPayload("met", { payload: Person, trustOutput: true }, row)).toBe(row)
    const parts = encodedArray([row])
    expect(outgoing(Person, parts, true)).toBe(parts)
  })
})

describe("a value that is encoded once", () => {
  const ann = encodeOnce(Person, { name: " ann " })

  it("is validated by its schema, once", () => {
    expect(ann.value).toEqual({ name: "ann" })
    expect(outgoing(Person, ann, undefined)).toBe(ann)
    expect(outgoingPayload("met", { payload: Person }, ann)).toBe(ann)
    // @ts-expect-error 2322: a name is text
    expect(() => encodeOnce(Person, { name: 7 })).toThrow(
      /^the value of encodeOnce cannot be sent: name: .*string/,
    )
    expect(() => encodeOnce(Late, { name: "" })).toThrow(/^the schema of encodeOnce returned a promise/)
  })

  it("is refused where another schema, or none, has validated it", () => {
    const other = encodeOnce(z.looseObject({ name: z.string() }), { name: "ann", passwordHash: "secret" })
    const message = (found: string): string =>
      `the encoded value is ${found}: use encodeOnce with the schema of the contract, or set trustOutput`
    expect(() => outgoing(Person, other, undefined)).toThrow(new TypeError(message("of another schema")))
    const composed = message("a composition that no schema has validated")
    for (const parts of [encodedMap({ name: "ann" }), encodedArray([ann]), new Encoded(1)]) {
      expect(() => outgoing(Person, parts, undefined)).toThrow(new TypeError(composed))
      expect(() => outgoingPayload("met", { payload: Person }, parts)).toThrow(new TypeError(composed))
    }
  })
})
