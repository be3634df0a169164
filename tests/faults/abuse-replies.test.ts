// Unrequested and repeated replies: the client accepts each reply once, for the pending request that it refers to.
import { contractTypes, serverMessageLimits } from "@hawser/protocol/core"
import type { ReplyFrame } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { contract, createWorld, profiles } from "./harness.ts"
import { scriptedServer } from "./scripted-server.ts"

describe.each(profiles)("a server of %s", (profile) => {
  it("abuse-A30 has no effect with a reply to an unknown request, or with a second reply", async () => {
    const world = createWorld({ profile })
    const server = scriptedServer(profile)
    const client = world.client({ dial: server.dial })
    const connected = client.connect()
    await world.clock.settle()
    server.open()
    server.send({
      kind: "welcome",
      ...{ resumed: false, sessionId: "s", resumeToken: "t", received: 0, handled: 0, digest: 0 },
      ...{ expiresInMs: null, limits: serverMessageLimits, types: contractTypes(contract) },
    })
    await connected
    const reply = (reference: ReplyFrame["reference"], text: string): void =>
      server.send({ kind: "reply", reference, outcome: { ok: true, payload: { text } } })
    const name = (count: number): ReplyFrame["reference"] => (profile === "2.0" ? `${count}` : count)
    const first = client.command("echo", { text: "a" })
    const second = client.command("echo", { text: "b" })
    await world.clock.settle()
    for (const foreign of [name(0), name(9), name(2 ** 40)]) reply(foreign, "nobody's")
    if (profile === "2.0") reply(null, "nobody's")
    reply(name(1), "one")
    for (let again = 0; again < 3; again += 1) reply(name(1), "again")
    reply(name(2), "two")
    reply(name(2), "again")
    await world.clock.settle()
    expect(await Promise.all([first, second])).toEqual([{ text: "one" }, { text: "two" }])
    expect(client.stats()).toMatchObject({ pending: 0 })
    expect(client.current.state).toBe("open")
  })
})
