// Makes the plan of one run from a seed: bounds, network conditions, frequencies. All times are shortened, so that many
// events happen in few steps.
import { defaultClientLimits, defaultServerLimits } from "@hawser/protocol"
import type { ClientLimits, ServerLimits } from "@hawser/protocol"
import type { Weather } from "@hawser/protocol/testing"

export type Draw = ReturnType<typeof drawFrom>

/** Common kinds of draws from a source of numbers. */
export function drawFrom(random: () => number) {
  return {
    random,
    chance: (share: number): boolean => random() < share,
    between: (least: number, most: number): number => least + random() * (most - least),
    whole: (least: number, most: number): number => least + Math.floor(random() * (most - least + 1)),
    /** Draws logarithmically: 1 to 2 is as likely as 10 to 20 and 100 to 200. */
    scale: (least: number, most: number): number =>
      Math.round(Math.exp(Math.log(least) + random() * (Math.log(most) - Math.log(least)))),
    /** Draws the time to the next event, with a mean of `meanMs`. */
    gap: (meanMs: number): number => -Math.log(1 - random()) * meanMs,
    pick: <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)],
  }
}

export interface Plan {
  readonly server: ServerLimits
  readonly client: ClientLimits
  readonly clientCount: number
  /** Longest delay of a client between two attempts. */
  readonly backoffMaxMs: number
  readonly backoffBaseMs: number
  /** Mean times between two actions of the application, and between two faults. */
  readonly actionEveryMs: number
  readonly faultEveryMs: number
  readonly weather: Weather
  /** Life of an access token; undefined: unlimited. */
  readonly tokenLifeMs: number | undefined
  /** Longest duration of `authenticate`; 0: it answers at once. */
  readonly authenticateMs: number
  readonly tokenFunctionMs: number
  /** Longest delay of the session store, in milliseconds; 0: it answers at once. */
  readonly storeMs: number
  readonly padBytes: number
  readonly sessionsPerUser: number
  readonly sharedUser: boolean
  readonly graveFaultShare: number
}

/** Limits of a client whose dials only its strategy delays. */
const boundlessDials = { dialBurst: 1_000, dialsPerMinute: 1_000_000 }

export function planOf(draw: Draw): Plan {
  const { chance, whole, scale } = draw
  const quick = chance(0.8)
  const server = serverLimits(draw)
  const client = clientLimits(draw)
  // Dials and renewals share a budget: tokens that expire sooner would leave no client connected.
  const leastLifeMs = (10 * 60_000) / client.dialsPerMinute
  return {
    server,
    client,
    clientCount: whole(2, 5),
    backoffMaxMs: scale(100, 4_000),
    backoffBaseMs: scale(5, 250),
    actionEveryMs: scale(2, 60),
    faultEveryMs: scale(60, 3_000),
    weather: weatherOf(draw),
    tokenLifeMs: chance(0.4) ? Math.max(scale(1_000, 20_000), leastLifeMs) : undefined,
    authenticateMs: quick ? 0 : scale(1, 400),
    tokenFunctionMs: chance(0.7) ? 0 : scale(1, 400),
    padBytes: chance(0.7) ? scale(1, 60) : scale(60, 2_000),
    sessionsPerUser: chance(0.5) ? 1 : whole(2, 4),
    sharedUser: chance(0.25),
    graveFaultShare: chance(0.4) ? 0 : draw.between(0.02, 0.3),
    storeMs: chance(0.7) ? 0 : scale(1, 400),
  }
}

/** Durability of a journal. */
export type JournalMode = "kill" | "power"

/** One seed of eight runs on a journal, and one of three of these in mode `power`. The other seeds do not depend on it. */
export function journalModeOf(seed: number): JournalMode | undefined {
  if (seed % 8 !== 6) return undefined
  return seed % 12 === 2 ? "power" : "kill"
}

function deliveryLimits({ chance, scale, whole }: Draw) {
  const tight = chance(0.12)
  return {
    sendBufferMaxCount: tight ? whole(4, 40) : scale(100, 1_024),
    sendBufferMaxBytes: tight ? scale(1_000, 20_000) : scale(20_000, 1_048_576),
    socketHighWaterBytes: chance(0.5) ? scale(100, 2_000) : scale(2_000, 262_144),
    volatileHighWaterBytes: chance(0.5) ? scale(20, 500) : scale(500, 65_536),
    volatileSlots: chance(0.2) ? whole(1, 3) : 256,
    ackEveryCount: chance(0.5) ? whole(1, 8) : 128,
    ackEveryBytes: chance(0.5) ? scale(50, 2_000) : 65_536,
    syncEveryCount: chance(0.5) ? whole(1, 20) : 256,
    syncEveryMs: scale(200, 10_000),
    ackDelayMs: scale(5, 500),
  }
}

function serverLimits(draw: Draw): ServerLimits {
  const { chance, scale, whole } = draw
  const busy = chance(0.15)
  return {
    ...defaultServerLimits,
    ...deliveryLimits(draw),
    resumeWindowMs: chance(0.6) ? scale(4_000, 120_000) : scale(200, 4_000),
    takeoversMax: chance(0.7) ? 5 : whole(1, 3),
    takeoverWindowMs: scale(1_000, 10_000),
    ackProgressMs: scale(1_000, 30_000),
    tokenRefreshBeforeMs: scale(100, 2_000),
    tokenGraceMs: scale(100, 2_000),
    queriesAtOnce: chance(0.6) ? 8 : whole(1, 4),
    inboxHighWater: chance(0.5) ? whole(1, 6) : 64,
    userMessagesPerSecond: busy ? scale(20, 200) : 1_000_000,
    userMessageBurst: busy ? whole(2, 20) : 1_000_000,
    userBytesPerSecond: 1_000_000_000,
    userByteBurst: 1_000_000_000,
    throttledMaxMs: chance(0.5) ? 10_000 : 1_000_000,
    requestTimeoutMs: scale(300, 10_000),
    requestTimeoutMaxMs: 60_000,
    handlerGraceMs: scale(50, 2_000),
    // Other tests cover eviction; here a repetition must find its first outcome.
    idempotencyMs: 1_000_000_000,
    pingAfterMs: scale(500, 20_000),
    pongTimeoutMs: scale(500, 10_000),
    pongTimeoutMaxMs: scale(2_000, 20_000),
    authTimeoutMs: scale(1_000, 5_000),
    shutdownMs: scale(500, 4_000),
    closeTimeoutMs: scale(100, 1_000),
    // Below the time that the last phase of a run takes: the timer of held deltas ends in it.
    replicaDeltaMaxMs: scale(50, 1_000),
    replicaDeltaMaxBytes: chance(0.3) ? scale(100, 400) : 4_096,
    replicaTickMs: scale(5, 200),
    stateWindowMs: scale(20, 2_000),
    stateStartBytes: chance(0.5) ? scale(20, 500) : 16_384,
  }
}

function clientLimits(draw: Draw): ClientLimits {
  const { chance, scale, whole } = draw
  return {
    ...defaultClientLimits,
    ...deliveryLimits(draw),
    ...(chance(0.75) ? boundlessDials : { dialBurst: whole(1, 4), dialsPerMinute: scale(12, 120) }),
    dialTimeoutMs: scale(300, 8_000),
    welcomeTimeoutMs: scale(300, 8_000),
    tokenTimeoutMs: scale(500, 8_000),
    dialTimeoutMaxMs: scale(1_000, 16_000),
    sendQueueMaxCount: chance(0.3) ? whole(2, 20) : 1_024,
    requestTimeoutMs: scale(500, 30_000),
    probeAfterMs: scale(500, 30_000),
    probeTimeoutMs: scale(300, 5_000),
    probeTimeoutMaxMs: scale(2_000, 20_000),
    wakeProbeMs: scale(200, 2_000),
    unansweredMs: scale(300, 5_000),
    prolongedOutageMs: scale(500, 15_000),
    sleepMs: 5_000,
    stableAfterMs: scale(200, 10_000),
  }
}

function weatherOf({ chance, between, scale }: Draw): Weather {
  const stormy = chance(0.5)
  return {
    latencyMs: { least: 0, most: stormy ? scale(5, 2_000) : scale(1, 60) },
    dialMs: { least: 0, most: stormy ? scale(5, 3_000) : scale(1, 50) },
    refusedShare: stormy ? between(0, 0.3) : 0,
    lostShare: stormy ? between(0, 0.15) : 0,
    resetShare: between(0, 1),
    slowShare: chance(0.4) ? between(0.1, 0.9) : 0,
    slowBytesPerMs: scale(1, 200) / 10,
    windowBytes: chance(0.5) ? scale(300, 4_000) : 65_536,
    sendBufferBytes: chance(0.3) ? scale(1_000, 200_000) : 0,
    jitterMs: stormy ? scale(1, 100) : 0,
    segmentLossShare: chance(0.3) ? between(0.01, 0.2) : 0,
  }
}
