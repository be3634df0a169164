// Names and values of hooks that the contract lacks must not compile.
import { createClient as createFull, queryOptions } from "@hawser/client"
import { createClient, topics } from "@hawser/client/core"
import { createHooks } from "@hawser/react"
import { contract } from "./contract.fixture.ts"

const client = createFull(contract, { url: "/ws", token: "t" })
const { Provider, useClient, useCommand, useEvent, usePresence, useRecord, useReplica, useStream, useTopic } =
  createHooks(contract)

export function useEverything(room: string, isOpen: boolean) {
  const name: string = useClient().current.state
  useEvent("weather", ({ windMetresPerSecond }, { topic }) => console.log(windMetresPerSecond + 1, topic))
  // @ts-expect-error 2345: "weather"
  useEvent("wether", () => {})
  // @ts-expect-error 2339: a payload has a kind
  useEvent("weather", ({ knd }) => console.log(knd))
  const { run } = useCommand("move")
  const moved: Promise<{ x: number }> = run({ direction: "UP" })
  // @ts-expect-error 2345: "move"
  useCommand("look")
  // @ts-expect-error 2322: "UP"
  const wrong = run({ direction: "UPP" })
  const { items } = useStream("history", { days: 2 }, { size: 5 })
  const at: Date | undefined = items[0]?.at
  // @ts-expect-error 2345: "history"
  useStream("histories", {})
  // @ts-expect-error 2322: a number of days
  useStream("history", { days: "2" })
  // @ts-expect-error 2353: a stream of hooks ends with its component
  useStream("history", { days: 2 }, { signal: AbortSignal.abort() })
  return [name, moved, wrong, at, useTopics(room, isOpen)]
}

function useTopics(room: string, isOpen: boolean) {
  const { log, members, send } = useTopic(isOpen ? `chat:${room}` : null, { state: { since: 5 }, recent: 20, log: 9 })
  const [item] = log
  if (item?.kind === "message" && item.event === "chatMessage") console.log(item.payload.sentAtMs.getTime())
  const since: Date | undefined = members[0]?.state.since
  const sent: Promise<unknown> = send("chatMessage", { text: "ahoy", sentAtMs: 5 })
  // @ts-expect-error 2322: the text is a string
  const unsent = send("chatMessage", { text: 1, sentAtMs: 5 })
  // @ts-expect-error 2345: "chat"
  useTopic("chatter:a")
  // @ts-expect-error 2554: members of a chat show a state
  useTopic("chat:a")
  // @ts-expect-error 2345: the state is missing
  useTopic("chat:a", { recent: 20 })
  // @ts-expect-error 2561: "recent"
  useTopic("lobby", { recents: 20 })
  const lobby = useTopic("lobby")
  // @ts-expect-error 2345: the lobby has no weather
  const unpublished = lobby.send("weather", { kind: "rain", windMetresPerSecond: 1 })
  const { self, setState } = usePresence("chat:a")
  const own: Date | undefined = self?.state.since
  // @ts-expect-error 2322: the number, before others get a Date of it
  const unset = setState({ since: new Date() })
  return [since, sent, unsent, unpublished, own, unset]
}

export function useReplicas() {
  // @ts-expect-error 2345: the contract has no replicas
  const players = useReplica("players")
  // @ts-expect-error 2345: likewise
  const player = useRecord("players", "ann")
  return [players, player]
}

export function useLook() {
  const { queryFn } = queryOptions(client, "look", {})
  const names: Promise<{ names: string[] }> = queryFn({ signal: AbortSignal.abort() })
  // @ts-expect-error 2345: "look"
  const unknown = queryOptions(client, "move", {})
  // @ts-expect-error 2554: the input is missing
  const without = queryOptions(client, "look")
  return [names, unknown, without]
}

export const elements = [
  Provider({ client }),
  // @ts-expect-error 2741: the client is missing
  Provider({}),
]

const chatting = createHooks<typeof contract, "topics">(contract)
export const chattingElements = [
  chatting.Provider({ client: createClient(contract, { url: "/ws", token: "t", use: [topics()] }) }),
  // @ts-expect-error 2322: the feature topics is missing
  chatting.Provider({ client: createClient(contract, { url: "/ws", token: "t" }) }),
]
// @ts-expect-error 2339: the feature streams is missing
export const streamHook = chatting.useStream
