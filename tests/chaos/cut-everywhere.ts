// A scripted dialogue of 40 frames is cut at every byte, in both directions. After each cut both applications must have
// the same messages as without it.
import type { Direction, Stop } from "./behaviour.ts"
import { scripted } from "./behaviour.ts"
import { Dialogue } from "./dialogue.ts"
import type { ChaosServer } from "./dialogue.ts"
import { startChaosProxy } from "./proxy.ts"

export interface Cut {
  readonly direction: Direction
  readonly afterBytes: number
  readonly how: Stop
}

/** 20 commands, their replies and 20 events: rounds of five, so that frames are joined and single. */
const rounds = [5, 1, 5, 1, 5, 1, 1, 1]

/** Sizes of the whole dialogue in bytes, so that every offset is known. */
export async function measureDialogue(server: ChaosServer, user: string): Promise<Record<Direction, number>> {
  const proxy = await startChaosProxy({ to: server.address })
  const dialogue = new Dialogue(server, proxy, { user })
  await speak(dialogue)
  const [connection] = proxy.connections
  const lengths = {
    toServer: connection?.toServer.receivedBytes ?? 0,
    toClient: connection?.toClient.receivedBytes ?? 0,
  }
  dialogue.client.close()
  await proxy.close()
  return lengths
}

/** Faults, one line each. */
export async function tryCut(server: ChaosServer, user: string, cut: Cut): Promise<string[]> {
  const { direction, afterBytes, how } = cut
  const proxy = await startChaosProxy({
    to: server.address,
    plan: scripted([{ [direction]: { stop: { afterBytes, how } } }]),
  })
  const dialogue = new Dialogue(server, proxy, {
    user,
    limits: {
      dialTimeoutMs: 300,
      welcomeTimeoutMs: 300,
      dialTimeoutMaxMs: 1_200,
      probeAfterMs: 150,
      probeTimeoutMs: 150,
    },
  })
  await speak(dialogue)
  const faults = [...dialogue.faults(), ...dialogue.resets.map((cause) => `the session was reset: ${cause}`)]
  const { handled } = server.recordOf(user)
  if (handled.length !== 20) faults.push(`${handled.length} commands were handled, not 20`)
  if (dialogue.received.length !== 20) faults.push(`${dialogue.received.length} events were received, not 20`)
  dialogue.client.close()
  await proxy.close()
  return faults
}

async function speak(dialogue: Dialogue): Promise<void> {
  let spoken = 0
  for (const count of rounds) {
    // An expired command is not executed, so the timeout allows for a loaded machine.
    const replies = Array.from({ length: count }, () => dialogue.say("x".repeat((spoken += 1) % 7)))
    await Promise.all(replies)
  }
}
