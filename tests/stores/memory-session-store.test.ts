// The memory store passes the suite of session stores: directly, and with a delay, as of a store outside the process.
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
    putBack: (record) => store.putBack(record),
  }
})
