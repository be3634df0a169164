// The command line of the chaos runs and of the chaos proxy. Exit code 0: ended by a signal; 2: the arguments cannot be used.
import { parseArgs } from "node:util"
import { directions, randomPlan, slowDrain, stops } from "./behaviour.ts"
import type { ConnectionBehaviour, Direction, LaneBehaviour, Plan } from "./behaviour.ts"
import { startChaosProxy } from "./proxy.ts"
import type { Address, ChaosConnection } from "./proxy.ts"
import { proxyKinds } from "../proxies/proxy-kinds.ts"
import { measureRestart, percentile } from "../proxies/restart.ts"
import { runChaos } from "./run-chaos.ts"

const usage = `usage: npm run chaos -- [options]
       cuts a dialogue at every byte, then runs random scenarios; exit code 1 if a message was lost

  --scenarios N            how many scenarios of 50 clients (200)
  --at-once N              how many of them at a time (4)
  --no-cuts                only the scenarios
  --minutes N              start nothing new after this number of minutes
  --seed N                 of the first scenario (0)

usage: npm run chaos -- proxy --to HOST:PORT [options]

  --listen [HOST:]PORT     where clients connect (127.0.0.1 and a free port)
  --direction DIRECTION    toServer, toClient or both: the direction of the following options (both)
  --latency MS[±MS]        delay, with jitter after ± or +- (0)
  --bandwidth BYTES        forward this number of bytes a second
  --slow-drain BYTES       the same, but without reading ahead, so that the sender gets backpressure
  --write-bytes N          size limit of one write; 1 sends byte by byte
  --coalesce MS            join chunks within this number of milliseconds
  --cut-after BYTES        stop after exactly so many bytes
  --how STOP               ${stops.join(", ")} (rst)
  --random                 draw a behaviour for each connection instead
  --seed N                 for --random and for jitter (0)

usage: npm run chaos -- restart [options]
       restarts a server behind a real proxy and prints how long its clients were disconnected

  --clients N              (200)
  --proxy NAME             nginx, haproxy or caddy, which must be installed (nginx)
  --restart MS             from the end of one server to the beginning of the next (3000)
  --silent                 the server sends no time of its return
  --help                   show this`

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const options = {
  to: { type: "string" },
  listen: { type: "string", default: "0" },
  direction: { type: "string", default: "both" },
  latency: { type: "string", default: "0" },
  bandwidth: { type: "string" },
  "slow-drain": { type: "string" },
  "write-bytes": { type: "string" },
  coalesce: { type: "string" },
  "cut-after": { type: "string" },
  how: { type: "string", default: "rst" },
  random: { type: "boolean", default: false },
  seed: { type: "string", default: "0" },
  scenarios: { type: "string", default: "200" },
  "at-once": { type: "string", default: "4" },
  "no-cuts": { type: "boolean", default: false },
  minutes: { type: "string", default: "Infinity" },
  clients: { type: "string", default: "200" },
  proxy: { type: "string", default: "nginx" },
  restart: { type: "string", default: "3000" },
  silent: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

type Values = ReturnType<typeof parse>["values"]

function wholeNumber(option: string, text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new UnusableArguments(`--${option} ${text} is not a whole number.`)
  return number
}

function addressOf(option: string, text: string): Address {
  const [, host = "127.0.0.1", port = ""] = /^(?:\[?([^\]]*)\]?:)?(\d+)$/.exec(text) ?? []
  if (port === "" || Number(port) > 65_535)
    throw new UnusableArguments(`--${option} ${text} is not HOST:PORT.`)
  return { host, port: Number(port) }
}

function latencyOf(text: string): LaneBehaviour {
  const [, latency, jitter = "0"] = /^(\d+)(?:(?:±|\+-)(\d+))?$/.exec(text) ?? []
  if (latency === undefined) throw new UnusableArguments(`--latency ${text} is not MS or MS±MS.`)
  return latency === "0" ? {} : { latencyMs: Number(latency), jitterMs: Number(jitter) }
}

function laneOf(values: Values): LaneBehaviour {
  const how = stops.find((stop) => stop === values.how)
  if (how === undefined) throw new UnusableArguments(`--how ${values.how} is none of ${stops.join(", ")}.`)
  const optional = (option: "bandwidth" | "slow-drain" | "write-bytes" | "coalesce" | "cut-after") =>
    values[option] === undefined ? undefined : wholeNumber(option, values[option])
  const bytesPerSecond = optional("bandwidth")
  const drain = optional("slow-drain")
  const writeBytes = optional("write-bytes")
  const coalesceMs = optional("coalesce")
  const afterBytes = optional("cut-after")
  for (const [option, value] of Object.entries({
    bandwidth: bytesPerSecond,
    "slow-drain": drain,
    "write-bytes": writeBytes,
  })) {
    if (value === 0) throw new UnusableArguments(`--${option} must be at least 1.`)
  }
  return {
    ...latencyOf(values.latency),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(drain === undefined ? {} : slowDrain(drain)),
    ...(writeBytes === undefined ? {} : { writeBytes }),
    ...(coalesceMs === undefined ? {} : { coalesceMs }),
    ...(afterBytes === undefined ? {} : { stop: { afterBytes, how } }),
  }
}

function planOf(values: Values): Plan {
  if (values.random) return randomPlan()
  const lane = laneOf(values)
  const chosen: readonly Direction[] =
    values.direction === "both"
      ? directions
      : directions.filter((direction) => direction === values.direction)
  if (chosen.length === 0)
    throw new UnusableArguments(`--direction ${values.direction} is none of ${directions.join(", ")}, both.`)
  const behaviour: ConnectionBehaviour = Object.fromEntries(chosen.map((direction) => [direction, lane]))
  return () => behaviour
}

function report(connection: ChaosConnection): void {
  const { index, toServer, toClient, behaviour } = connection
  console.log(`#${index} opened ${JSON.stringify(behaviour)}`)
  connection.closed.then(
    () => {
      const shown = [toServer, toClient].map(
        (lane) => `${lane.forwardedBytes} of ${lane.receivedBytes} bytes`,
      )
      console.log(`#${index} closed, to the server ${shown[0]}, to the client ${shown[1]}`)
    },
    (error: unknown) => console.error(`#${index} failed`, error),
  )
}

async function restart({ clients, proxy, restart: restartMs, silent }: Values): Promise<void> {
  const kind = proxyKinds.find(({ name }) => name === proxy)
  if (kind === undefined) throw new UnusableArguments(`--proxy ${proxy} is none of nginx, haproxy, caddy.`)
  const missing = kind.missing()
  if (missing !== undefined) throw new UnusableArguments(`--proxy ${proxy} ${missing}.`)
  const figures = await measureRestart({
    kind,
    clients: wholeNumber("clients", clients),
    restartMs: wholeNumber("restart", restartMs),
    isHinted: !silent,
  })
  const { backMs, dials } = figures
  const [median, late, last] = [0.5, 0.95, 1].map((share) => Math.round(percentile(backMs, share)))
  console.log(
    `${backMs.length} of ${clients} clients back by ${proxy}: median ${median} ms, p95 ${late} ms, last ${last} ms, ${dials} dials`,
  )
}

async function main(words: readonly string[]): Promise<void> {
  const { values, positionals } = parse(words)
  if (values.help) return console.log(usage)
  if (positionals.length === 0) {
    const minutes = Number(values.minutes)
    if (!(minutes > 0)) throw new UnusableArguments(`--minutes ${values.minutes} is not a number above 0.`)
    const seed = wholeNumber("seed", values.seed)
    const scenarios = wholeNumber("scenarios", values.scenarios)
    const atOnce = wholeNumber("at-once", values["at-once"])
    if (scenarios === 0 || atOnce === 0)
      throw new UnusableArguments("--scenarios and --at-once must be at least 1.")
    process.exitCode = (await runChaos({ minutes, seed, scenarios, atOnce, cuts: !values["no-cuts"] }))
      ? 0
      : 1
    return
  }
  if (positionals.join(" ") === "restart") return await restart(values)
  if (positionals.join(" ") !== "proxy") throw new UnusableArguments("The commands are: proxy, restart")
  if (values.to === undefined) throw new UnusableArguments("--to HOST:PORT is missing.")
  const proxy = await startChaosProxy({
    to: addressOf("to", values.to),
    listen: addressOf("listen", values.listen),
    plan: planOf(values),
    seed: wholeNumber("seed", values.seed),
    onConnection: report,
  })
  console.log(`chaos proxy: ${proxy.host}:${proxy.port} to ${values.to}`)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void proxy.close())
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
