export { createMemoryNetwork } from "./memory-transport.ts"
export type { MemoryLink, MemoryNetwork, MemoryNetworkOptions } from "./memory-transport.ts"
export { seededRandom } from "./seeded-random.ts"
export { SimulatedClock } from "./simulated-clock.ts"
