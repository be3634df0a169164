// Decides from the figures of a run which parts of the promise are broken, and writes the summary line. Pure.
import type { AttackFigures, PlayerFigures } from "./messages.ts"
import { standingNames } from "./world-watch.ts"
import type { Reading, Standing } from "./world-watch.ts"

export interface Outcome {
  readonly seconds: number
  readonly sockets: number
  readonly players: number
  readonly calm: PlayerFigures
  readonly attack: PlayerFigures
  /** Milliseconds from the end of the attack until the world's figures were as before. */
  readonly after: PlayerFigures
  readonly attackers: AttackFigures
  /** Readings of the world during the calm phase and during the attack. */
  readonly calmReadings: readonly Reading[]
  readonly attackReadings: readonly Reading[]
  readonly before: Standing
  readonly standing: Standing
  /** Milliseconds from the end of the attack until the world's figures were as before, or until the watch stopped. */
  readonly backAfterMs: number
  /** Resident memory of the world without its garbage, 15 s after the attack began and at its end; none for a short attack. */
  readonly memory: { readonly firstBytes: number; readonly lastBytes: number } | undefined
  readonly logBytes: number
}

interface Promised {
  /** Largest p99 during the attack, as a multiple of the calm one. */
  readonly p99Factor: number
  readonly newcomerMaxMs: number
  readonly memoryGrowthShare: number
  readonly memoryGrowthBytes: number
  readonly logBytesPerMinute: number
}

const mib = 1024 * 1024

const promised: Promised = {
  p99Factor: 3,
  newcomerMaxMs: 1_000,
  memoryGrowthShare: 0.1,
  memoryGrowthBytes: 16 * mib,
  logBytesPerMinute: mib,
}

/** `isTimed`: also judges figures that depend on the machine's load: latencies, and the time that sockets were kept. */
export function faultsOf(outcome: Outcome, isTimed: boolean): string[] {
  return [
    ...playerFaults(outcome),
    ...attackerFaults(outcome, isTimed),
    ...standingFaults(outcome),
    ...logFaults(outcome),
    ...(isTimed ? [...latencyFaults(outcome), ...memoryFaults(outcome)] : []),
  ]
}

function playerFaults({ players, calm, attack, after }: Outcome): string[] {
  return Object.entries({
    "before the attack": calm,
    "during the attack": attack,
    "after the attack": after,
  }).flatMap(([when, { open, reconnects, resets, errors, refused }]) => [
    ...(open === players ? [] : [`${players - open} of ${players} players are not connected ${when}`]),
    ...(reconnects === 0 ? [] : [`${reconnects} connections of players were lost ${when}`]),
    ...resets.map((cause) => `a player's session ended ${when}: ${cause}`),
    ...errors.map((error) => `an error of a player ${when}: ${error}`),
    ...refused.map((why) => `a newcomer did not get in ${when}: ${why}`),
  ])
}

function attackerFaults({ attackers }: Outcome, isTimed: boolean): string[] {
  const idle = attackers.kinds
    .filter(({ opened }) => opened === 0)
    .map(({ name }) => `no socket attacked: ${name}`)
  const kept = attackers.kinds.flatMap(({ name, heldMs, heldMaxMs = Infinity }) =>
    heldMs > heldMaxMs ? [`a socket was kept for ${Math.round(heldMs)} ms of ${heldMaxMs}: ${name}`] : [],
  )
  return [
    ...attackers.errors.map((error) => `an error of the attackers: ${error}`),
    ...idle,
    ...(isTimed ? kept : []),
  ]
}

function standingFaults({ before, standing }: Outcome): string[] {
  return standingNames.flatMap((name) =>
    standing[name] > before[name]
      ? [`${name}: ${before[name]} before the attack, ${standing[name]} after it`]
      : [],
  )
}

function logFaults({ seconds, logBytes }: Outcome): string[] {
  // A kind of violation is logged once a minute: a short attack is judged as a minute.
  const perMinute = logBytes / Math.max(1, seconds / 60)
  return perMinute <= promised.logBytesPerMinute ? [] : [`${Math.round(perMinute)} bytes of log a minute`]
}

function latencyFaults({ calm, attack, after }: Outcome): string[] {
  const factor = attack.commands.p99Ms / calm.commands.p99Ms
  const newcomers = [...attack.newcomers, ...after.newcomers]
  const slow = newcomers.filter(({ enterMs }) => enterMs > promised.newcomerMaxMs)
  return [
    ...(factor <= promised.p99Factor ? [] : [`the p99 is ${factor.toFixed(1)} times that of the calm phase`]),
    ...(newcomers.length > 0 ? [] : ["no newcomer came during the attack"]),
    ...slow.map(({ enterMs }) => `a newcomer's log-in took ${Math.round(enterMs)} ms`),
  ]
}

function memoryMax(firstBytes: number): number {
  return firstBytes * (1 + promised.memoryGrowthShare) + promised.memoryGrowthBytes
}

function memoryFaults({ memory }: Outcome): string[] {
  return memory === undefined || memory.lastBytes <= memoryMax(memory.firstBytes)
    ? []
    : [`memory grew from ${inMib(memory.firstBytes)} to ${inMib(memory.lastBytes)} MiB`]
}

function inMib(bytes: number): string {
  return (bytes / mib).toFixed(0)
}

/** Share of one core, in percent. */
function cpuPercent(readings: readonly Reading[]): number {
  const [first, last] = [readings[0], readings.at(-1)]
  if (first === undefined || last === undefined || last.atMs === first.atMs) return 0
  return ((last.cpuMs - first.cpuMs) / (last.atMs - first.atMs)) * 100
}

/** A line for each kind of attack. */
export function kindLines({ attackers }: Outcome): string[] {
  return attackers.kinds.map(({ name, opened, outcomes, heldMs }) => {
    const ends = Object.entries(outcomes).toSorted(([, one], [, other]) => other - one)
    const listed = ends.map(([outcome, count]) => `${outcome} ×${count}`).join(", ")
    return `${String(opened).padStart(6)} ${name}: ${listed || "none ended"}; kept ${(heldMs / 1_000).toFixed(1)} s at most`
  })
}

export function lineOf(outcome: Outcome, faults: readonly string[]): string {
  const { seconds, sockets, players, calm, attack, after, attackers, logBytes } = outcome
  const opened = attackers.kinds.reduce((sum, kind) => sum + kind.opened, 0)
  const newcomers = [...attack.newcomers, ...after.newcomers]
  const slowest = (of: "enterMs" | "registerMs"): string =>
    Math.max(0, ...newcomers.map((newcomer) => newcomer[of])).toFixed(0)
  const [all, phases] = [[calm, attack, after], [calm.commands, attack.commands] as const]
  const sum = (of: (figures: PlayerFigures) => number): number =>
    all.reduce((total, one) => total + of(one), 0)
  const [p50, p99] = [phases.map(({ p50Ms }) => p50Ms), phases.map(({ p99Ms }) => p99Ms)]
  const { memory } = outcome
  return [
    `attack: ${seconds} s, ${attackers.socketsMost} sockets of ${sockets} at once, ${opened} in all; ${players} players, ${sum((one) => one.commands.count)} commands`,
    `p50 ${p50.join(" to ")} ms, p99 ${p99.join(" to ")} ms (${(attack.commands.p99Ms / calm.commands.p99Ms).toFixed(1)} of ${promised.p99Factor} times)`,
    `${sum((one) => one.reconnects)} reconnections, ${sum((one) => one.resets.length)} resets, ${sum((one) => one.errors.length)} errors`,
    `${newcomers.length} newcomers, registered in ${slowest("registerMs")} ms and in the world in ${slowest("enterMs")} ms at most, ${sum((one) => one.refused.length)} refused`,
    ...(memory === undefined
      ? []
      : [
          `memory ${inMib(memory.firstBytes)} to ${inMib(memory.lastBytes)} MiB (${inMib(memoryMax(memory.firstBytes))} at most)`,
        ]),
    `log ${(logBytes / 1_024).toFixed(1)} KiB`,
    `CPU of the world ${cpuPercent(outcome.calmReadings).toFixed(0)} to ${cpuPercent(outcome.attackReadings).toFixed(0)} %, of the attackers ${(attackers.cpuMs / seconds / 10).toFixed(0)} %`,
    `as before after ${(outcome.backAfterMs / 1_000).toFixed(1)} s; ${faults.length} faults: ${faults.length === 0 ? "good" : "BAD"}`,
  ].join("; ")
}
