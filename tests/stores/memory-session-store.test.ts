// The memory store keeps the rules of a session store: as it is, and behind a delay, as a store outside of the process has it.
import { memoryStore } from "@hawser/server"
import { sessionStoreSuite } from "./session-store-suite.ts"

sessionStoreSuite("memory", memoryStore)

sessionStoreSuite("memory, answering later", (host) => {
  const store = memoryStore(host)
  return {
    claim: async (sessionId, userId) => {
      await Promise.resolve()
      return store.claim(sessionId, userId)
    },
    open: async (newcomer) => {
      await Promise.resolve()
      return store.open(newcomer)
    },
  }
})
