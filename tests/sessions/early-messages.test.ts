// Messages before WELCOME (docs/protocol.md: C1, V5): they are delivered only on the connection that received them.
import { createClient } from "@hawser/client"
import { SimulatedClock, unwatched } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { contract, profiles } from "../faults/harness.ts"
import { scriptedServer } from "../faults/scripted-server.ts"
import { clientProfile } from "./client-profile.ts"

it.each(profiles)(
  "early messages are dropped when a listener of one of them cuts the connection: %s",
  async (profile) => {
    const clock = new SimulatedClock()
    const server = scriptedServer(profile)
    const client = createClient(contract, {
      url: "memory:",
      token: "ann",
      ...clientProfile(profile),
      clock,
      dial: server.dial,
      autoConnect: false,
      random: () => 0.5,
    })
    const received: string[] = []
    client.on("note", ({ text }) => {
      received.push(text)
      if (text === "b") client.cut()
    })
    unwatched(client.connect())
    await clock.settle()
    server.open()
    for (const text of ["a", "b", "c"]) server.send({ kind: "event", type: "note", payload: { text } })
    expect(received).toEqual([])
    server.welcome()
    expect(received).toEqual(["a", "b"])
    client.close()
  },
)
