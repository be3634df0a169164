// Runs inputs of a seed through the checks and prints the command that repeats a failing one.
import { checkInput, emptyStatistics } from "./check-input.ts"
import type { Statistics } from "./check-input.ts"
import corpus from "./corpus.json" with { type: "json" }
import { generate, inputKinds } from "./generate.ts"
import type { InputKind } from "./generate.ts"
import { knownFaults } from "./known-faults.ts"

/** Inputs of one run; their seeds do not overlap with those of the next seed's run. */
const seedStride = 1_000_000_000
/** The reads of one input in this number are counted. */
const countedShare = 64
const shownFailures = 10
const shownHexDigits = 400

export const seedMax = Math.floor(Number.MAX_SAFE_INTEGER / seedStride) - 1

/** One run; of failures with the same text only the first is kept. */
export class FuzzRun {
  readonly seed: number
  readonly statistics: Statistics = emptyStatistics()
  readonly inputCounts: Record<InputKind, number> = { raw: 0, structured: 0 }
  /** Number of inputs that showed each known fault. */
  readonly knownCounts: number[] = knownFaults.map(() => 0)
  readonly #failures = new Map<string, string>()
  #failureCount = 0

  constructor(seed: number) {
    if (!(Number.isSafeInteger(seed) && seed >= 0 && seed <= seedMax))
      throw new RangeError(`a seed is a whole number from 0 to ${seedMax}, not ${seed}`)
    this.seed = seed
  }

  get failures(): readonly string[] {
    return [...this.#failures.values()]
  }

  /** The next inputs of one kind. */
  run(kind: InputKind, count: number): void {
    for (let done = 0; done < count; done += 1) {
      const inputSeed = this.seed * seedStride + this.inputCounts[kind]
      this.inputCounts[kind] += 1
      const bytes = generate(kind, inputSeed)
      this.#check(bytes, inputSeed % countedShare === 0, () => `${kind}:${inputSeed}`)
    }
  }

  /** Checks one input of an earlier run. */
  replay(kind: InputKind, inputSeed: number): void {
    this.inputCounts[kind] += 1
    this.#check(generate(kind, inputSeed), true, () => `${kind}:${inputSeed}`)
  }

  bytes(bytes: Uint8Array, name: string): void {
    this.#check(bytes, true, () => name)
  }

  corpus(): void {
    for (const { name, bytes } of corpusInputs()) this.bytes(bytes, name)
  }

  /** Last line of a run. */
  summary(): string {
    const { acceptedCount, refusedCount, maxHeapFactor, maxReadFactor } = this.statistics
    const figures = [
      ...inputKinds.map((kind) => `${this.inputCounts[kind]} ${kind}`),
      `${acceptedCount} accepted`,
      `${refusedCount} refused`,
      `heap at most ${maxHeapFactor.toFixed(1)} × input`,
      `reads at most ${maxReadFactor.toFixed(1)} × input`,
      `seed ${this.seed}`,
      `${this.knownCounts.reduce((sum, count) => sum + count, 0)} known faults`,
      `${this.#failureCount} failures`,
    ]
    return `fuzz: ${figures.join(", ")}`
  }

  #check(bytes: Uint8Array, isThorough: boolean, nameOf: () => string): void {
    for (const { subject, text } of checkInput(bytes, this.statistics, isThorough)) {
      const known = knownFaults.findIndex(({ pattern }) => pattern.test(text))
      if (known !== -1) {
        this.knownCounts[known] = (this.knownCounts[known] ?? 0) + 1
        continue
      }
      this.#failureCount += 1
      const sort = text.replace(/\d+/g, "").slice(0, 40)
      if (this.#failures.has(sort) || this.#failures.size >= shownFailures) continue
      this.#failures.set(sort, describe(`${subject} ${text}`, bytes, nameOf()))
    }
  }
}

function describe(what: string, bytes: Uint8Array, name: string): string {
  const hex = Buffer.from(bytes).toString("hex")
  const shown = hex.length > shownHexDigits ? `${hex.slice(0, shownHexDigits)}…` : hex
  const isSeeded = inputKinds.some((kind) => name.startsWith(`${kind}:`))
  const replay = isSeeded ? `--replay ${name}` : hex.length > shownHexDigits ? `--corpus` : `--hex ${hex}`
  return `${what}\n  input ${name}, ${bytes.length} bytes: ${shown}\n  again: npm run fuzz -- ${replay}`
}

interface CorpusInput {
  readonly name: string
  readonly bytes: Uint8Array
  /** Ends that must accept it as a message; all others refuse it. */
  readonly takenBy: readonly string[]
}

/** Inputs that harm an unguarded decoder: `prefix`, then `hex` this number of times. */
export function corpusInputs(): readonly CorpusInput[] {
  return corpus.map(({ prefix, hex, times, name, takenBy }) => ({
    name,
    bytes: Uint8Array.from(Buffer.from(prefix + hex.repeat(times), "hex")),
    takenBy,
  }))
}
