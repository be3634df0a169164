import { expect, test } from "vitest"
import { createProcessEnd } from "./process-end.ts"
import type { ProcessEndOptions } from "./process-end.ts"

function processEnd(options: Partial<ProcessEndOptions> = {}) {
  const events: string[] = []
  let exited: (code: number) => void = () => {}
  const exit = new Promise<number>((resolve) => {
    exited = resolve
  })
  const log = (_fields: object, message: string): void => void events.push(message)
  const end = createProcessEnd({
    close: async () => void events.push("closed"),
    save: async () => void events.push("saved"),
    log: { info: log, error: log, fatal: log },
    complain: (sentence) => events.push(sentence.split("\n", 1)[0] ?? ""),
    exit: exited,
    ...options,
  })
  return { ...end, events, exit }
}

const boom = new Error("boom")
const never = (): Promise<void> => new Promise(() => {})

test("ends with 0 after the world has closed at a signal", async () => {
  const { signal, exit, events } = processEnd()
  signal("SIGTERM")
  expect(await exit).toBe(0)
  expect(events).toEqual(["shutting down", "closed"])
})

test("ends at once with 1 after a second signal", async () => {
  const { signal, exit, events } = processEnd({ close: never })
  signal("SIGTERM")
  signal("SIGTERM")
  expect(await exit).toBe(1)
  expect(events).toEqual(["shutting down"])
})

test("door-5 ends with 1 and reports the reason if the world cannot close", async () => {
  const { signal, exit, events } = processEnd({
    close: () => Promise.reject(new Error("the progress of 3 players is lost")),
  })
  signal("SIGTERM")
  expect(await exit).toBe(1)
  expect(events.at(-1)).toBe("The shutdown failed: Error: the progress of 3 players is lost")
})

const fatal = [
  "an error that nothing caught ends the world",
  "The world ends, because nothing caught this: Error: boom",
]

test("door-7 reports an uncaught error, closes the world and ends with 1", async () => {
  const { crash, exit, events } = processEnd()
  crash(boom)
  expect(await exit).toBe(1)
  expect(events).toEqual([...fatal, "closed"])
})

test("door-7 saves the current progress if the world does not close, or fails to close", async () => {
  for (const close of [never, () => Promise.reject(boom)]) {
    const { crash, exit, events } = processEnd({ close, crashMs: 0 })
    crash(boom)
    expect(await exit).toBe(1)
    expect(events).toEqual([...fatal, "saved"])
  }
})

test("door-7 ends once, with 1, for any number of errors, and also during the end after a signal", async () => {
  let release: () => void = () => {}
  const closing = new Promise<void>((resolve) => {
    release = resolve
  })
  const { signal, crash, exit, events } = processEnd({ close: () => closing })
  signal("SIGTERM")
  crash(boom)
  crash(boom)
  release()
  expect(await exit).toBe(1)
  expect(events).toEqual(["shutting down", ...fatal, ...fatal])
})
