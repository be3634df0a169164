import { expect, it } from "vitest"
import { readArguments } from "./arguments.ts"

it("reads the count, the address and the duration", () => {
  expect(readArguments(["1000"])).toEqual({ count: 1_000, url: undefined, seconds: 60 })
  expect(readArguments(["3", "--url", "http://localhost:8080/", "--seconds", "5"])).toEqual({
    count: 3,
    url: "http://localhost:8080",
    seconds: 5,
  })
})

it.each([
  [[], "COUNT is missing or not one number"],
  [["1", "2"], "COUNT is missing or not one number"],
  [["0"], 'COUNT is "0"'],
  [["many"], 'COUNT is "many"'],
  [["5", "--seconds", "-1"], "--seconds"],
  [["5", "--url", "world"], '--url is "world"'],
  [["5", "--loud"], "--loud"],
])("describes the fault of %j", (words, text) => {
  expect(readArguments(words)).toContain(text)
})
