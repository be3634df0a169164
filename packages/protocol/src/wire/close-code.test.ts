import { describe, expect, it } from "vitest"
import { errorTable } from "../base/errors.ts"
import { closeCode, retryAfterClose } from "./close-code.ts"

describe("close codes", () => {
  it("are unique and allowed in a close frame, except 1006", () => {
    const codes = Object.values(closeCode)
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(code < 1015 || (code >= 4000 && code < 5000), String(code)).toBe(true)
  })

  it("include every close code of the error table", () => {
    const codes = new Set<number>(Object.values(closeCode))
    for (const [name, row] of Object.entries(errorTable)) {
      if (row.close !== undefined) expect(codes.has(row.close), name).toBe(true)
    }
  })

  it.each([
    [4403, "never"],
    [4409, "never"],
    [4401, "afterReauth"],
    [1008, "afterReauth"],
    ...[1000, 1001, 1002, 1003, 1006, 1012, 4400, 4408, 4410, 4413, 4429, 4500, 4503, 0, 3000, 4999].map(
      (code) => [code, "later"] as const,
    ),
  ] as const)("retry after %d: %s", (code, retry) => {
    expect(retryAfterClose(code)).toBe(retry)
  })
})
