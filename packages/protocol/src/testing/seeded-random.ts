// Generates the random draws of a test or a simulation. The same seed gives the same draws in every version, because seeds of
// failures are stored. Must not be used for secrets.

/**
 * Returns a repeatable `Math.random`: numbers in [0, 1) with a resolution of 2⁻³². Neighbouring seeds give unrelated sequences.
 * `seed` is a safe integer, negative ones included; otherwise RangeError.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), its state filled by splitmix32; period at least 2³².
 */
export function seededRandom(seed: number): () => number {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed must be a safe integer, not ${seed}`)
  const low = splitmix32(seed | 0)
  const high = splitmix32(Math.floor(seed / 0x1_0000_0000) | 0)
  let a = low()
  let b = low() ^ high()
  let c = high()
  let counter = 1
  const draw = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) draw()
  return draw
}

/** The 32-bit form of Steele, Lea and Flood's SplitMix: maps close seeds to distant states. */
function splitmix32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}
