// Parses the arguments of `npm run bots`. Must not read the environment or print.
import { parseArgs } from "node:util"

export interface BotsArguments {
  readonly count: number
  /** Address of a running world; undefined: a new world is started. */
  readonly url: string | undefined
  /** Duration of the walk after all bots have entered, in seconds. */
  readonly seconds: number
}

export const usage = `npm run bots -- COUNT [--url URL] [--seconds N]

COUNT players walk in a world, each with a separate client.
  --url URL    address of a running world, for example http://localhost:8080; default: a new world is started
  --seconds N  duration of the walk; default 60
`

const countMax = 10_000
const secondsMax = 86_400

/** Returns the arguments, or a sentence that describes the fault. */
export function readArguments(words: readonly string[]): BotsArguments | string {
  try {
    const { positionals, values } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { url: { type: "string" }, seconds: { type: "string", default: "60" } },
    })
    const [count, ...others] = positionals
    if (count === undefined || others.length > 0)
      return `COUNT is missing or not one number; pass a whole number from 1 to ${countMax}`
    return {
      count: wholeNumber(count, "COUNT", countMax),
      url: values.url === undefined ? undefined : worldUrl(values.url),
      seconds: wholeNumber(values.seconds, "--seconds", secondsMax),
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function wholeNumber(text: string, name: string, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw new RangeError(`${name} is ${JSON.stringify(text)}; it must be a whole number from 1 to ${max}`)
}

/** Returns the address without a path, so that paths can be appended. */
function worldUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new TypeError(`--url is ${JSON.stringify(text)}; it must be like http://localhost:8080`)
  return new URL(text).origin
}
