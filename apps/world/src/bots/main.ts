// `npm run bots`: environment, command line, exit code.
import { accountsByKeys, accountsByRegistering, isThisMachine, keysOfThisMachine } from "./accounts.ts"
import type { TokenOf } from "./accounts.ts"
import { readArguments, usage } from "./arguments.ts"
import type { BotsArguments } from "./arguments.ts"
import { isAdmitted, runCrowd } from "./crowd.ts"
import { askForTicks } from "./figures.ts"
import { prepareOwnWorld } from "./own-world.ts"

const mapFile = new URL("../../assets/map.json", import.meta.url)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const words = process.argv.slice(2)
const asked = words.includes("--help") ? undefined : readArguments(words)
if (asked === undefined) {
  print(usage)
} else if (typeof asked === "string") {
  process.stderr.write(`${asked}\n\n${usage}`)
  process.exitCode = 2
} else {
  process.exitCode = await run(asked).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  })
}

async function run({ count, url, seconds }: BotsArguments): Promise<number> {
  const own = url === undefined ? prepareOwnWorld() : undefined
  const tokenOf =
    own === undefined && url !== undefined
      ? await tokensFor(url, count)
      : own && (await accountsByKeys(own.keys, mapFile, count))
  const world = await own?.start()
  const at = world?.url ?? url
  if (at === undefined || tokenOf === undefined) throw new Error("there is no world to walk in")
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))
  print(`${count} bots, ${seconds} s, in ${world === undefined ? at : `a world of their own at ${at}`}`)
  const { line, failed, firstFault } = await runCrowd({ url: at, count, seconds, tokenOf, print })
  await world?.close()
  if (firstFault !== undefined) process.stderr.write(`first fault: ${firstFault}\n`)
  print(`bots: ${count - failed} of ${count} well, ${failed} failed · ${line}`)
  return failed === 0 ? 0 : 1
}

/** Uses the world's keys if this machine has them and the world accepts them; else each bot registers like a player. */
async function tokensFor(url: string, count: number): Promise<TokenOf> {
  if ((await askForTicks(url)) === undefined) throw new Error(`no world answers at ${url}`)
  const keys = isThisMachine(url) ? keysOfThisMachine(process.env) : undefined
  if (keys !== undefined) {
    // Tries one account first: a world with other keys would refuse the others too.
    const tokenOf = await accountsByKeys(keys, mapFile, 1)
    if (await isAdmitted(url, await tokenOf(0))) return await accountsByKeys(keys, mapFile, count)
  }
  print("Every bot registers and logs in, because the keys of that world are not here.")
  return accountsByRegistering(url)
}
