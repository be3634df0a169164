// Requests and replies: 64 clients that send the next request after each reply, with 1 or 16 outstanding requests each.
// Also measures the latency at a fixed rate that every server here can serve. Every reply is counted, those of 4
// clients are compared.
import { LatencyHistogram } from "../latency-histogram.ts"
import { Requester } from "../load/requester.ts"
import type { Trial } from "../trial/trial.ts"
import { bytesOf, pause, until } from "../trial/trial.ts"
import { costs } from "./scenario.ts"
import type { Measurement, Pace, Scenario } from "./scenario.ts"

const clientCount = 64
const checkedCount = 4
const fixedPerSecond = 4_000
const move = { name: "move", fields: { direction: "LEFT" } } as const

/** Replies are counted from `histogram` on: undefined during warm-up. */
interface Loop {
  histogram: LatencyHistogram | undefined
  asking: boolean
}

function startLoop(requesters: readonly Requester[], outstanding: number, loop: Loop): void {
  for (const requester of requesters) {
    let answeredNow = 0
    const isChecked = requester.connection.index < checkedCount
    requester.connection.listener = {
      reply() {
        const latencyMs = requester.answer(performance.now())
        loop.histogram?.record(latencyMs)
        answeredNow += 1
        if (isChecked) requester.check()
      },
      // As many new requests as this read had replies, in one write.
      readEnded() {
        if (loop.asking) requester.send(answeredNow, performance.now())
        answeredNow = 0
      },
    }
    requester.send(outstanding, performance.now())
  }
}

async function finish(requesters: readonly Requester[]): Promise<void> {
  const waiting = (): number => requesters.reduce((sum, { outstanding }) => sum + outstanding, 0)
  await until(
    () => waiting() === 0,
    () => `${waiting()} replies did not arrive`,
  )
}

async function closedLoop(trial: Trial, outstanding: number, pace: Pace): Promise<Measurement> {
  const requesters = trial.connections.map((connection) => new Requester(connection, move, outstanding))
  const loop: Loop = { histogram: undefined, asking: true }
  startLoop(requesters, outstanding, loop)
  await pause(pace.quick ? 1_500 : 3_000)
  const histogram = new LatencyHistogram()
  const bytesBefore = bytesOf(trial)
  const close = await trial.measure()
  loop.histogram = histogram
  await pause(pace.quick ? 2_500 : 6_000)
  loop.histogram = undefined
  const window = await close()
  const bytes = bytesOf(trial) - bytesBefore
  loop.asking = false
  await finish(requesters)
  return {
    row: `request-reply-64x${outstanding}`,
    figures: {
      ...window,
      messages: histogram.count,
      perSecond: histogram.count / window.seconds,
      ...costs(window.serverCpuMs, histogram.count),
      bytesPerMessage: bytes / histogram.count,
      p50Ms: histogram.quantileMs(0.5),
      p99Ms: histogram.quantileMs(0.99),
    },
  }
}

/**
 * Latency counts from the time at which a request was due, so a late load or a stopped server does not improve the
 * figure.
 */
async function fixedRate(trial: Trial, pace: Pace): Promise<Measurement> {
  const requesters = trial.connections.map((connection) => new Requester(connection, move, 4_096))
  const loop: Loop = { histogram: undefined, asking: false }
  startLoop(requesters, 0, loop)
  const startedMs = performance.now()
  let due = 0
  const timer = setInterval(() => {
    const nowMs = performance.now()
    for (; startedMs + (due * 1000) / fixedPerSecond <= nowMs; due += 1)
      requesters[due % clientCount]?.send(1, startedMs + (due * 1000) / fixedPerSecond)
  }, 1)
  await pause(1_000)
  const histogram = new LatencyHistogram()
  const close = await trial.measure()
  loop.histogram = histogram
  await pause(pace.quick ? 2_000 : 6_000)
  loop.histogram = undefined
  const window = await close()
  clearInterval(timer)
  await finish(requesters)
  return {
    row: "request-reply-fixed",
    figures: {
      ...window,
      messages: histogram.count,
      perSecond: histogram.count / window.seconds,
      ...costs(window.serverCpuMs, histogram.count),
      p50Ms: histogram.quantileMs(0.5),
      p99Ms: histogram.quantileMs(0.99),
    },
  }
}

export const requestReply: Scenario = {
  name: "request-reply",
  title: "Requests and replies",
  purpose: "messages",
  rows: [
    { name: "request-reply-64x16", title: "64 clients, 16 requests under way each" },
    { name: "request-reply-64x1", title: "64 clients, 1 request under way each" },
    { name: "request-reply-fixed", title: `${fixedPerSecond} requests a second` },
  ],
  allowsConflation: false,
  playerCount: 0,
  async run(trial, pace) {
    await trial.connect(clientCount)
    const wide = await closedLoop(trial, 16, pace)
    const narrow = await closedLoop(trial, 1, pace)
    return pace.quick ? [wide, narrow] : [wide, narrow, await fixedRate(trial, pace)]
  },
}
