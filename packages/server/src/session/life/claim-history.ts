// What the connections of one session have claimed: which token is the newest, whether its owner has it, which dial
// was the last, how often the session was taken from a live connection. Knows no sockets.

export class ClaimHistory {
  #generation = 1
  #isConfirmed = false
  #lastDial: number
  /** Undefined before the first. */
  #takeoversAtMs: number[] | undefined

  /** @param dial of the HELLO that opened the session. */
  constructor(dial: number) {
    this.#lastDial = dial
  }

  /** Of the newest token. */
  get generation(): number {
    return this.#generation
  }

  /** True once the client has shown that it received the newest token. */
  get isConfirmed(): boolean {
    return this.#isConfirmed
  }

  /** Of the last HELLO that was given the session. */
  get lastDial(): number {
    return this.#lastDial
  }

  /** Whoever comes with the token before this one never got this one: that one stays good however often it is lost. */
  accept(claim: { readonly generation: number; readonly dial: number }): void {
    this.#generation = claim.generation + 1
    this.#isConfirmed = false
    this.#lastDial = claim.dial
  }

  /** Whoever speaks on the new connection has received its token: the one before it is dead. */
  confirm(): void {
    this.#isConfirmed = true
  }

  /** Counts a takeover of a live connection; true when there were too many. */
  isThrash(
    nowMs: number,
    limits: { readonly takeoversMax: number; readonly takeoverWindowMs: number },
  ): boolean {
    const recent = this.#takeoversAtMs?.filter((atMs) => nowMs - atMs < limits.takeoverWindowMs) ?? []
    this.#takeoversAtMs = recent
    return recent.push(nowMs) > limits.takeoversMax
  }
}
