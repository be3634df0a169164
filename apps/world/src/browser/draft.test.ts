import { createClient } from "@hawser/client"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { world as contract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { createDraft } from "./draft.ts"
import { Speech, nothingUnsaid } from "./speech.ts"
import { createStore } from "./store.ts"
import type { TextSlot } from "./text-slot.ts"

/** A storage that outlives a page. */
function memorySlot(): TextSlot {
  let text: string | undefined
  return {
    read: () => text,
    write: (next) => {
      text = next
    },
  }
}

const line = (message: string) => ({ channel: "local", message, recipient: "" }) as const

test("door-6 keeps a player's text for the same player, in any case of the name, and clears it for another one", () => {
  const draft = createDraft(memorySlot())
  draft.belongsTo("Ann")
  draft.line.set(line("half"))
  draft.keep({ unsent: [line("one")], uncertain: line("two") })
  draft.belongsTo("ann")
  expect(draft.line.value).toEqual(line("half"))
  expect(draft.take()).toEqual({ unsent: [line("one")], uncertain: line("two") })
  expect(draft.take()).toEqual({ unsent: [], uncertain: undefined })
  draft.keep({ unsent: [line("one")], uncertain: undefined })
  draft.belongsTo("Bob")
  expect(draft.line.value.message).toBe("")
  expect(draft.take().unsent).toEqual([])
})

test("keeps the half-typed line and the waiting lines of one player over a reload, and gives the lines once", () => {
  const slot = memorySlot()
  const draft = createDraft(slot)
  draft.belongsTo("Ann")
  draft.line.set(line("half"))
  draft.keep({ unsent: [line("one")], uncertain: line("two") })

  const reloaded = createDraft(slot)
  reloaded.belongsTo("ann")
  expect(reloaded.line.value).toEqual(line("half"))
  expect(reloaded.take()).toEqual({ unsent: [line("one")], uncertain: line("two") })
  // A duplicated tab copies the storage while this page lives: it gets the half-typed line, and sends nothing again.
  const duplicate = createDraft(slot)
  duplicate.belongsTo("Ann")
  expect(duplicate.line.value).toEqual(line("half"))
  expect(duplicate.take()).toEqual({ unsent: [], uncertain: undefined })
})

test("stores nothing of a player who has logged out, and gives another player nothing of the stored text", () => {
  const slot = memorySlot()
  const draft = createDraft(slot)
  draft.belongsTo("Ann")
  draft.line.set(line("half"))
  draft.keep({ unsent: [line("one")], uncertain: undefined })
  const other = createDraft(slot)
  other.belongsTo("Bob")
  expect([other.line.value.message, other.take().unsent.length, slot.read()]).toEqual(["", 0, undefined])

  draft.clear()
  draft.keep({ unsent: [line("late")], uncertain: undefined })
  expect(slot.read()).toBeUndefined()
})

test("ignores a stored text that is not a draft, or beyond its bounds", () => {
  const stored = { owner: "ann", line: line("half"), unsent: Array.from({ length: 33 }, () => line("one")) }
  for (const text of ["", "{", JSON.stringify({ owner: "ann" }), JSON.stringify(stored)]) {
    const slot = memorySlot()
    slot.write(text)
    const draft = createDraft(slot)
    draft.belongsTo("Ann")
    expect([draft.line.value.message, draft.take().unsent.length]).toEqual(["", 0])
  }
})

test("door-6 passes unsent lines to the next session, and reports none as lost", () => {
  // The client waits for its token, and all lines wait with it.
  const token = (): Promise<string> => new Promise(() => {})
  const client = createClient(contract, { url: "ws://127.0.0.1:1/ws", token, webSocket: WebSocket })
  onTestFinished(() => client.close())
  const added: Omit<NewChatLine, "atMs">[] = []
  const unsaid = createStore(nothingUnsaid)
  const options = { client, addTo: (one: Omit<NewChatLine, "atMs">) => void added.push(one), unsaid }
  const speech = new Speech(options)
  for (const message of ["one", "two", "three"]) speech.say(line(message))
  const left = speech.stop()
  expect(left).toEqual({ unsent: [line("one"), line("two"), line("three")], uncertain: undefined })

  const next = new Speech(options)
  next.resume({ ...left, uncertain: line("zero") })
  expect(unsaid.value.count).toBe(3)
  expect(added).toEqual([
    {
      kind: "error",
      text: 'It is unknown whether "zero" was said. The page or your log-in ended before the world\'s answer.',
    },
  ])
  next.stop()
})
