import { HawserError } from "@hawser/client"
import type { ClientStatus, PendingRequest } from "@hawser/client"
import { expect, test } from "vitest"
import { world } from "../contract.ts"
import { Speech, nothingUnsaid } from "./speech.ts"
import type { ChatInput } from "./speech.ts"
import { createStore } from "./store.ts"

const line = (message: string): ChatInput => ({ channel: "local", message, recipient: "" })

interface Call {
  readonly message: string
  state: PendingRequest["state"]
  readonly accept: () => Promise<void>
  readonly refuse: (error: HawserError) => Promise<void>
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A client whose connection and answers the test decides. */
function talk() {
  let status: ClientStatus = { state: "open" }
  let onStatus = (_status: ClientStatus): void => {}
  let pending: Call[] = []
  const calls: Call[] = []
  const errors: string[] = []
  const unsaid = createStore(nothingUnsaid)
  const speech = new Speech({
    client: {
      get current() {
        return status
      },
      command: (_name, { message }) =>
        new Promise((resolve, reject) => {
          const settle = async (work: () => void): Promise<void> => {
            pending = pending.filter((other) => other !== call)
            work()
            await turn()
          }
          const call: Call = {
            message,
            state: status.state === "open" ? "sent" : "waiting",
            accept: () => settle(() => resolve({ message })),
            refuse: (error) => settle(() => reject(error)),
          }
          calls.push(call)
          pending.push(call)
        }),
      pending: () => pending.map(({ state }) => ({ name: "chatSend", state })),
      onStatus: (listener) => {
        onStatus = listener
        return () => {}
      },
    },
    addTo: ({ text }) => void errors.push(text),
    unsaid,
  })
  const become = (next: ClientStatus): void => {
    status = next
    onStatus(next)
  }
  return {
    speech,
    calls,
    errors,
    unsaid,
    become,
    said: () => calls.map(({ message }) => message),
    /** Another page has taken over: the client ends, and its requests reject. */
    replace: async (): Promise<void> => {
      const error = new HawserError("replaced")
      become({ state: "closed", error })
      for (const { state, refuse } of [...pending])
        await refuse(state === "sent" ? new HawserError("connection_lost", { cause: error }) : error)
    },
  }
}

const away: ClientStatus = { state: "reconnecting", attempt: 1, delayMs: 0, waiting: false, error: undefined }

test("holds the waiting lines of a page that was replaced, and says them after Play here", async () => {
  const { speech, calls, errors, unsaid, become, said, replace } = talk()
  become(away)
  for (const message of ["one", "two", "three"]) speech.say(line(message))
  await replace()
  expect([errors, unsaid.value.count, said()]).toEqual([[], 3, ["one"]])

  become({ state: "connecting", attempt: 0 })
  become({ state: "open" })
  for (const index of [1, 2, 3]) await calls[index]?.accept()
  expect(said()).toEqual(["one", "one", "two", "three"])
  expect([errors, unsaid.value.count]).toEqual([[], 0])
})

test("does not say a line twice that was under way at the takeover, and names it with the cause", async () => {
  const { speech, errors, unsaid, become, said, replace } = talk()
  speech.say(line("one"))
  speech.say(line("two"))
  await replace()
  expect(errors).toEqual(['It is unknown whether "one" was said. You were playing somewhere else.'])
  expect(unsaid.value.count).toBe(1)
  become({ state: "open" })
  expect(said()).toEqual(["one", "two"])
})

test("refuses a line after the client's end, so that the input keeps it", async () => {
  const { speech, errors, unsaid, replace } = talk()
  await replace()
  expect(speech.say(line("one"))).toBe(false)
  expect([errors, unsaid.value.count]).toEqual([[], 0])
})

test("names the line that the server refuses", async () => {
  const { speech, calls, errors } = talk()
  speech.say(line("one"))
  const message = "only moderators and admins may use the global channel"
  await calls[0]?.refuse(world.error("chat_permission_denied", { message }))
  expect(errors).toEqual(['"one" was not said. Only moderators and admins may use the global channel.'])
})

test("sends a line again whose time limit passed before a connection took it", async () => {
  const { speech, calls, errors, unsaid, become } = talk()
  become(away)
  speech.say(line("one"))
  await calls[0]?.refuse(new HawserError("timeout"))
  expect([errors, unsaid.value.count]).toEqual([[], 1])
  speech.stop()
})

test("reports a line as unknown whose answer did not come in time", async () => {
  const { speech, calls, errors, become } = talk()
  become(away)
  speech.say(line("one"))
  for (const call of calls) call.state = "sent"
  become({ state: "open" })
  await calls[0]?.refuse(new HawserError("timeout"))
  expect(errors).toEqual(['It is unknown whether "one" was said. The world did not answer in time.'])
})

test("leaves a line without an answer as uncertain, and the others as unsent, when the page is left", async () => {
  const { speech, calls, errors, unsaid, said } = talk()
  speech.say(line("one"))
  speech.say(line("two"))
  const left = speech.setAside()
  expect(left).toEqual({ unsent: [line("two")], uncertain: line("one") })
  expect(unsaid.value.count).toBe(0)
  // The page returns from the browser's cache, and the answer arrives late.
  speech.resume(left)
  await calls[0]?.accept()
  expect(said()).toEqual(["one", "two"])
  expect(errors).toEqual([
    'It is unknown whether "one" was said. The page or your log-in ended before the world\'s answer.',
  ])
})

test("refuses a line beyond 32 waiting ones, and names it", () => {
  const { speech, errors, become } = talk()
  become(away)
  for (let count = 0; count < 32; count += 1) expect(speech.say(line(`line ${count}`))).toBe(true)
  expect(speech.say(line("one"))).toBe(false)
  expect(errors).toEqual(['32 lines wait already: "one" was not said.'])
})
