// Colyseus, messages: `room.request` is answered by the return value of a handler, events are broadcast.
import { Room } from "@colyseus/core"
import { serveBenchmark } from "../servers/control.ts"
import { fillerText } from "../servers/filler-text.ts"
import { authenticate, moved, startColyseus } from "./colyseus-app.ts"
import type { Move, Publish } from "./colyseus-app.ts"

class MessagesRoom extends Room {
  static override onAuth(token: string): Promise<unknown> {
    return authenticate(token)
  }

  override onCreate(): void {
    this.onMessage("move", (_client, move: Move) => moved(move))
    this.onMessage("publish", (_client, { n, count, textBytes }: Publish) => {
      const text = fillerText(textBytes)
      for (let i = 0; i < count; i += 1) this.broadcast("said", { n: n + i, text })
      return { n }
    })
  }
}

await serveBenchmark((settings) => startColyseus(settings, MessagesRoom))
