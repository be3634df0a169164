// Topics whose server is killed: history, memberships and presence continue, without a storm of presence.
import { defineContract, defineTopic } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "chat",
  commands: {},
  events: { said: { payload: z.object({ text: z.string() }) } },
  topics: { chat: defineTopic({ events: ["said"], presence: z.object({ mood: z.string() }) }) },
})

function chatLives(): Lives<typeof contract, { readonly id: string }> {
  return new Lives(contract, (options) => {
    const server = createServer(contract, { authenticate: (token) => ({ id: token }), ...options })
    server.topicKind("chat", { canJoin: () => true, canPublish: () => true, history: { maxCount: 100 } })
    return server
  })
}

describe("a topic whose server is killed", () => {
  it("trap-13 keeps its members, their presence and its history, and publishes no presence for the kill", async () => {
    const process = chatLives()
    await process.start()
    const names = ["ann", "bob", "cid"]
    const members = []
    for (const [index, name] of names.entries()) {
      const client = process.client(name, index + 1)
      await process.connect(client)
      const topic = client.topic("chat:a")
      const texts: string[] = []
      topic.on("said", ({ text }) => texts.push(text))
      const joining = topic.join({ state: { mood: `${name} is fine` } })
      await process.clock.advance(200)
      await joining
      members.push({ client, topic, texts })
    }
    const [ann, bob] = members
    const said = ann?.topic.publish("said", { text: "one" })
    await process.clock.advance(200)
    await said
    const moods = (): unknown =>
      [...(bob?.topic.presence.snapshot().members ?? [])].map(({ user, away, state }) => [user, away, state])
    const before = moods()
    expect(before).toHaveLength(3)
    const changes: unknown[] = []
    bob?.topic.presence.subscribe((update) => {
      // Updates without a member tell that the list is stale, and no longer so.
      changes.push(...update.joined, ...update.changed, ...update.left)
    })
    process.kill()
    await process.start()
    await process.clock.advance(5_000)
    expect(process.server.recovery).toMatchObject({ sessions: 3, setAside: 0 })
    expect(moods()).toEqual(before)
    expect(changes).toEqual([])
    const again = ann?.topic.publish("said", { text: "two" })
    await process.clock.advance(200)
    await again
    for (const { texts } of members) expect(texts).toEqual(["one", "two"])
    const late = process.client("dan", 9)
    await process.connect(late)
    const topic = late.topic("chat:a")
    const texts: string[] = []
    topic.on("said", ({ text }) => texts.push(text))
    const joining = topic.join({ recent: 10, state: { mood: "late" } })
    await process.clock.advance(200)
    await joining
    expect(texts).toEqual(["one", "two"])
    await process.clock.advance(200)
    expect(moods()).toHaveLength(4)
  })

  it("loses a member whose window ends without a resume", async () => {
    const process = chatLives()
    await process.start()
    const [ann, bob] = ["ann", "bob"].map((name, index) => process.client(name, index + 1))
    if (ann === undefined || bob === undefined) throw new Error("no clients")
    for (const client of [ann, bob]) {
      await process.connect(client)
      const joining = client.topic("chat:a").join({ state: { mood: "fine" } })
      await process.clock.advance(200)
      await joining
    }
    process.kill()
    // Ann's device is gone without a word.
    ann.close()
    await process.start()
    await process.clock.advance(5_000)
    const members = (): string[] =>
      [...bob.topic("chat:a").presence.snapshot().members].map(({ user }) => user)
    expect(members()).toEqual(["ann", "bob"])
    await process.clock.advance(200_000)
    expect(members()).toEqual(["bob"])
  })
})
