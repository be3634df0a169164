// Atomic changes of durable replicas whose server is killed: the next process has all of a change or nothing of it.
import { defineContract, defineReplica, integer } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const transfer = z.object({ from: z.string(), to: z.string(), gold: z.int() })
const contract = defineContract({
  name: "vault",
  commands: { pay: { input: transfer, output: z.int() } },
  replicas: { purses: defineReplica({ fields: { gold: integer() }, durable: true }) },
})
type User = { readonly id: string }

it("restores no change that a throw has undone, and every change that a reply has told", async () => {
  const errors: unknown[] = []
  const lives = new Lives<typeof contract, User>(contract, (life) => {
    const server = createServer(contract, {
      authenticate: (id: string) => ({ id }),
      allowLoopbackOrigins: true,
      onError: (error) => errors.push(error),
      ...life,
    })
    const purses = server.replica("purses")
    server.command("pay", ({ input: { from, to, gold } }) => {
      const payer = purses.get(from)?.gold ?? 0
      purses.set(from, { gold: payer - gold })
      if (to === "nobody") purses.remove(from)
      else purses.set(to, { gold: (purses.get(to)?.gold ?? 0) + gold })
      if (payer < gold || to === "nobody") throw new RangeError("refused")
      return payer - gold
    })
    server.onSession(({ session }) => void purses.view(session))
    return server
  })
  await lives.start()
  lives.server.replica("purses").set("a", { gold: 10 })
  const client = lives.client("ann")
  await lives.connect(client)
  let expected = { a: 10, b: 0 }
  for (let life = 0; life < 3; life += 1) {
    const requests = [
      client.command("pay", { from: "a", to: "b", gold: 2 }),
      client.command("pay", { from: "b", to: "a", gold: 50 }),
      client.command("pay", { from: "a", to: "c", gold: 50 }),
      client.command("pay", { from: "a", to: "nobody", gold: 1 }),
    ]
    const outcomes = Promise.allSettled(requests)
    await lives.clock.advance(60)
    expect((await outcomes).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
    ])
    expected = { a: expected.a - 2, b: expected.b + 2 }
    lives.kill()
    await lives.start()
    const restored = Object.fromEntries(
      [...lives.server.replica("purses")].map(([id, { gold }]) => [id, gold]),
    )
    expect(restored).toEqual(expected)
    await lives.clock.advance(3_000)
  }
  expect(errors).toHaveLength(9)
})
