import { createClient } from "@hawser/client"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { world as contract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { createDraft } from "./draft.ts"
import { createSpeech, nothingUnsaid } from "./speech.ts"
import { createStore } from "./store.ts"

const line = (message: string) => ({ channel: "local", message, recipient: "" }) as const

test("door-6 keeps a player's text for the same player, in any case of the name, and clears it for another one", () => {
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

test("door-6 passes unsent lines to the next session, and reports none as lost", () => {
  // The client waits for its token, and all lines wait with it.
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
    { kind: "error", text: 'The connection was away for too long: it is unknown whether "zero" was said.' },
  ])
  next.stop()
})
