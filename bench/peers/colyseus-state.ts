// Colyseus, schema state: a publication changes two fields, and every client gets a patch at the next of 20 ticks a
// second.
import { Room } from "@colyseus/core"
import { schema, t } from "@colyseus/schema"
import { serveBenchmark } from "../servers/control.ts"
import { fillerText } from "../servers/filler-text.ts"
import { authenticate, startColyseus } from "./colyseus-app.ts"
import type { Publish } from "./colyseus-app.ts"

const Said = schema({ n: t.uint32(), text: t.string() }, "Said")

class StateRoom extends Room {
  override state = new Said()

  static override onAuth(token: string): Promise<unknown> {
    return authenticate(token)
  }

  override onCreate(): void {
    this.onMessage("publish", (_client, { n, textBytes }: Publish) => {
      this.state.n = n
      this.state.text = fillerText(textBytes)
      return { n }
    })
  }
}

await serveBenchmark((settings) => startColyseus(settings, StateRoom))
