// Methods of features that a client did not choose must not compile.
import { createClient, replicas, streams, topics } from "@hawser/client/core"
import { createClient as createFull } from "@hawser/client"
import type { Client } from "@hawser/client"
import { contract } from "./contract.fixture.ts"

const options = { url: "wss://game.example/ws", token: "t" }

export async function features(): Promise<void> {
  const bare = createClient(contract, options)
  await bare.command("move", { direction: "UP" })
  // @ts-expect-error 2339: the feature topics is missing
  bare.topic("chat:global")
  // @ts-expect-error 2339: the feature streams is missing
  bare.stream("count", { to: 3 })
  const chatting = createClient(contract, { ...options, use: [topics()] })
  // @ts-expect-error 2554: the state is missing: the topic has its types
  await chatting.topic("chat:global").join()
  // @ts-expect-error 2339: the feature replicas is missing
  chatting.replica("players")
  const everything: Client<typeof contract> = createClient(contract, {
    ...options,
    use: [streams(), replicas(), topics()],
  })
  everything.topic("chat:global")
  everything.topic("board:7").replica("cursors")
  // @ts-expect-error 2339: the feature replicas is missing
  chatting.topic("board:7").replica("cursors")
  // @ts-expect-error 2322: a name is no feature
  createClient(contract, { ...options, use: ["topics"] })
  // @ts-expect-error 2353: this client has all features
  createFull(contract, { ...options, use: [topics()] })
}
