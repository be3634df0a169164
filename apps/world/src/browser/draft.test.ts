import { createClient } from "@hawser/client"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { world as contract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { createDraft } from "./draft.ts"
import { createSpeech, nothingUnsaid } from "./speech.ts"
import { createStore } from "./store.ts"

const line = (message: string) => ({ channel: "local", message, recipient: "" }) as const

test("door-6 keeps a player's words for the same player, in any case of the name, and not for another", () => {
  const draft = createDraft()
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

test("door-6 hands the lines that no connection took to the next session, and says of none that it was lost", () => {
  // It waits for its token, and all that is said waits with it.
  const token = (): Promise<string> => new Promise(() => {})
  const client = createClient(contract, { url: "ws://127.0.0.1:1/ws", token, webSocket: WebSocket })
  onTestFinished(() => client.close())
  const added: Omit<NewChatLine, "atMs">[] = []
  const unsaid = createStore(nothingUnsaid)
  const options = { client, addTo: (one: Omit<NewChatLine, "atMs">) => void added.push(one), unsaid }
  const speech = createSpeech(options)
  for (const message of ["one", "two", "three"]) speech.say(line(message))
  const left = speech.stop()
  expect(left).toEqual({ unsent: [line("one"), line("two"), line("three")], uncertain: undefined })

  const next = createSpeech(options)
  next.resume({ ...left, uncertain: line("zero") })
  expect(unsaid.value.count).toBe(3)
  expect(added).toEqual([
    { kind: "error", text: 'The connection was away for too long: nobody knows whether "zero" was said.' },
  ])
  next.stop()
})
