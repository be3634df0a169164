import { encodeOnce } from "@hawser/protocol"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { RoomShelf } from "./room-shelf.ts"
import { Room } from "./topic-room.ts"

function never(): Promise<never> {
  return new Promise(() => {})
}

function fill(shelf: RoomShelf, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) shelf.use(roomOf(shelf, `chat:${number}`))
}

function roomOf(shelf: RoomShelf, name: string): Room {
  return new Room({
    name,
    schema: undefined,
    calls: {
      join: never,
      leave: () => Promise.resolve(),
      publish: never,
      setState: never,
      requestTimeoutMs: 10_000,
      hold: (value) => encodeOnce(value),
      after: () => () => {},
    },
    isOnline: () => true,
    isClosed: () => false,
    inOrder: (work) => work(),
    onUse: (room) => shelf.use(room),
    onError: (error) => {
      throw error
    },
  })
}

describe("RoomShelf", () => {
  setFlagsFromString("--expose-gc")
  const collectGarbage = async (): Promise<void> => {
    // A WeakRef holds its target until the turn in which it was read is over.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    runInNewContext("gc()")
  }

  it("forgets rooms that nobody holds, is in or listens to", async () => {
    const shelf = new RoomShelf()
    for (let round = 0; round < 50; round += 1) {
      fill(shelf, round * 100, 100)
      await collectGarbage()
    }
    expect(shelf.size).toBeLessThan(400)
    expect(shelf.all().length).toBeLessThan(400)
  })

  it.each<[string, (room: Room) => unknown]>([
    ["joins", (room) => void room.join().catch(() => {})],
    ["listens", (room) => room.on("chatMessage", () => {})],
    ["wants to hear of gaps", (room) => room.onGap(() => {})],
    ["wants to hear of its end", (room) => room.onLeft(() => {})],
    ["listens to who is there", (room) => room.presence.subscribe(() => {})],
    ["iterates", (room) => room[Symbol.asyncIterator]()],
  ])("keeps a room of somebody who %s, and does not hold it", async (_what, begin) => {
    const shelf = new RoomShelf()
    const used: unknown[] = []
    ;(() => {
      const room = roomOf(shelf, "chat:used")
      shelf.use(room)
      fill(shelf, 0, 200)
      // Idle by now, and put on the shelf again by its use.
      used.push(begin(room))
    })()
    for (let round = 1; round < 10; round += 1) {
      fill(shelf, round * 200, 200)
      await collectGarbage()
    }
    expect(shelf.get("chat:used")?.name).toBe("chat:used")
    expect(shelf.get("chat:7")).toBeUndefined()
  })

  it("gives the same room to who still holds it", async () => {
    const shelf = new RoomShelf()
    const room = roomOf(shelf, "chat:held")
    shelf.use(room)
    fill(shelf, 0, 200)
    await collectGarbage()
    expect(shelf.get("chat:held")).toBe(room)
    expect(shelf.all()).toContain(room)
    expect(room.isUsed).toBe(false)
  })

  it("lets go of a room when its listeners have", async () => {
    const shelf = new RoomShelf()
    const stop = (() => {
      const room = roomOf(shelf, "chat:left")
      shelf.use(room)
      return [room.on("chatMessage", () => {}), room.onGap(() => {}), room.presence.subscribe(() => {})]
    })()
    for (const unsubscribe of stop.splice(0)) unsubscribe()
    fill(shelf, 0, 200)
    await collectGarbage()
    fill(shelf, 200, 200)
    expect(shelf.get("chat:left")).toBeUndefined()
  })
})
