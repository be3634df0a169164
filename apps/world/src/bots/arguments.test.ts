import { expect, it } from "vitest"
import { readArguments } from "./arguments.ts"

it("reads how many, where and for how long", () => {
  expect(readArguments(["1000"])).toEqual({ count: 1_000, url: undefined, seconds: 60 })
  expect(readArguments(["3", "--url", "http://localhost:8080/", "--seconds", "5"])).toEqual({
    count: 3,
    url: "http://localhost:8080",
    seconds: 5,
  })
})

it.each([
  [[], "say how many"],
  [["1", "2"], "say how many"],
  [["0"], 'COUNT is "0"'],
  [["many"], 'COUNT is "many"'],
  [["5", "--seconds", "-1"], "--seconds"],
  [["5", "--url", "world"], '--url is "world"'],
  [["5", "--loud"], "--loud"],
])("says what is wrong with %j", (words, text) => {
  expect(readArguments(words)).toContain(text)
})
