import { expect, it } from "vitest"
import { Hooks } from "./hooks.ts"

it("runs all hooks in the order of their addition, also if one throws", () => {
  const heard: string[] = []
  const errors: unknown[] = []
  const hooks = new Hooks<string>("onSession", (error) => errors.push(error))
  const fault = new Error("a fault of the hook")
  hooks.add((value) => heard.push(`first ${value}`))
  hooks.add(() => {
    throw fault
  })
  hooks.add((value) => heard.push(`last ${value}`))
  hooks.run("x")
  expect(heard).toEqual(["first x", "last x"])
  expect(errors).toEqual([fault])
})

it("reports the rejection of an asynchronous hook", async () => {
  const errors: unknown[] = []
  const hooks = new Hooks<string>("onSession", (error) => errors.push(error))
  const fault = new Error("a fault of the hook, later")
  hooks.add(async () => {
    await Promise.resolve()
    throw fault
  })
  hooks.add(() => Promise.resolve("unused"))
  hooks.run("x")
  expect(errors).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual([fault])
})

it("leaves out an unsubscribed hook from the next run on", () => {
  const heard: string[] = []
  const hooks = new Hooks<string>("onSession", () => {})
  const stopOther = hooks.add((value) => {
    heard.push(`one ${value}`)
    stopLater()
  })
  const stopLater = hooks.add((value) => heard.push(`other ${value}`))
  hooks.run("x")
  hooks.run("y")
  stopOther()
  hooks.run("z")
  expect(heard).toEqual(["one x", "other x", "one y"])
})
