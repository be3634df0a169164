// Runs the admission machine of one connection until it has a session or is refused: a switch over effects, without decisions.
// The dialect encodes a refusal.
import { HawserError } from "@hawser/protocol"
import { wireVersion } from "@hawser/protocol/core"
import type { HelloFrame, Reference, UpgradeHeaders, WireError } from "@hawser/protocol/core"
import { checkedUser } from "../../base/authenticate.ts"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import { LazyAbort } from "../../calls/lazy-abort.ts"
import { answerOf, encodeError, wireError } from "../../calls/wire-error.ts"
import type { Base } from "../../base/create-base.ts"
import { initialAdmission, stepAdmission, wakeAtAdmission } from "./admission.machine.ts"
import type {
  AdmissionEffect,
  AdmissionInput,
  AdmissionOptions,
  AdmissionState,
} from "./admission.machine.ts"
import type { OpeningConnection, Verified } from "./open-session.ts"

/** Parts of a server that all log-ins share. */
export interface LoginHost<User extends AuthenticatedUser> extends Base {
  readonly authenticate: Authenticate<User>
}

/** Connection of a `Login`. */
export interface LoginOwner<User extends AuthenticatedUser> extends OpeningConnection<User> {
  /** Binds a session. Throws, or rejects with, a HawserError if the session is refused. */
  admit(verified: Verified<User>): void | Promise<void>
  /** Receives a message. */
  message(bytes: Uint8Array): void
}

export class Login<User extends AuthenticatedUser> {
  readonly #host: LoginHost<User>
  readonly #owner: LoginOwner<User>
  readonly #options: AdmissionOptions
  readonly #aborter = new LazyAbort()
  /** Messages that arrived before WELCOME. The machine bounds them. */
  #held: Uint8Array[] = []
  #admission: AdmissionState
  #cancelWake: (() => void) | undefined
  #verified: Verified<User> | undefined
  /** Error that the log-in is refused with; undefined if the admission machine refuses it. */
  #refusedBy: unknown
  /** Header fields of the upgrade, until the verification ends. */
  #headers: UpgradeHeaders | undefined

  constructor(host: LoginHost<User>, owner: LoginOwner<User>, headers: UpgradeHeaders | undefined) {
    this.#host = host
    this.#owner = owner
    this.#headers = headers
    this.#options = {
      rules: owner.dialect.admission,
      limits: host.limits,
      wireVersion,
      contractName: host.contract.name,
    }
    this.#admission = initialAdmission(this.#options, host.clock.now())
    this.#arm()
  }

  message(bytes: Uint8Array): void {
    const frame = this.#owner.dialect.codec.decode(bytes, 0)
    this.#step({ kind: "frame", frame, bytes: bytes.length }, bytes)
  }

  text(): void {
    this.#step({ kind: "text" })
  }

  /** Cancels the log-in of a connection that closes. */
  end(): void {
    this.#cancelWake?.()
    this.#aborter.abort(new HawserError("connection_lost"))
    this.#held = []
    this.#headers = undefined
  }

  #step(input: AdmissionInput, bytes?: Uint8Array): void {
    const [state, effects] = stepAdmission(this.#options, this.#admission, input)
    this.#admission = state
    for (const effect of effects) this.#perform(effect, bytes)
    if (!this.#owner.isClosing) this.#arm()
  }

  #arm(): void {
    this.#cancelWake?.()
    const atMs = wakeAtAdmission(this.#admission)
    if (atMs === undefined) return
    this.#cancelWake = this.#host.timers.at(atMs, () =>
      this.#step({ kind: "wake", nowMs: this.#host.clock.now() }),
    )
  }

  #perform(effect: AdmissionEffect, bytes: Uint8Array | undefined): void {
    switch (effect.kind) {
      case "verify":
        this.#verify(effect.hello).catch(this.#host.onError)
        return
      case "hold":
        if (bytes !== undefined) this.#held.push(bytes)
        return
      case "claim":
        this.#claim()
        return
      case "release":
        for (const held of this.#held) if (!this.#owner.isClosing) this.#owner.message(held)
        return
      case "refuse":
        this.#refuse(effect.error, effect.reference, effect.text)
    }
  }

  async #verify(hello: HelloFrame): Promise<void> {
    const { authenticate } = this.#host
    const owner = this.#owner
    const aborter = this.#aborter
    const headersNow = (): UpgradeHeaders | undefined => this.#headers
    const context = {
      address: owner.address,
      // Created on first use.
      get signal() {
        return aborter.signal
      },
      // An application that keeps the context does not keep the header fields.
      get headers() {
        return headersNow()
      },
    }
    try {
      const user = checkedUser(await authenticate(hello.token, context))
      this.#headers = undefined
      this.#verified = { user, hello }
      if (!owner.isClosing) this.#step({ kind: "verified", nowMs: this.#host.clock.now() })
    } catch (error) {
      this.#reject(error)
    }
  }

  #claim(): void {
    if (this.#verified === undefined) return
    try {
      const bound = this.#owner.admit(this.#verified)
      if (bound instanceof Promise)
        void bound
          .then(
            () => this.#opened(),
            (error: unknown) => this.#reject(error),
          )
          .catch(this.#host.onError)
      else this.#opened()
    } catch (error) {
      this.#reject(error)
    }
  }

  #opened(): void {
    this.#step({ kind: "opened" })
  }

  #reject(error: unknown): void {
    this.#refusedBy = error
    this.#headers = undefined
    const known = wireError(answerOf(error, this.#host.onError))
    if (!this.#owner.isClosing) this.#step({ kind: "rejected", error: known })
  }

  /** Sends an error frame, then closes. The frame distinguishes an invalid token from a network fault. */
  #refuse(error: WireError, reference: Reference, text: boolean): void {
    const { dialect, connection } = this.#owner
    this.#host.counters.handshakesRefused += 1
    this.#host.health.handshakesRefused.add(text ? "text_message" : error.code)
    const { address } = this.#owner
    this.#host.refusals.add(error, this.#refusedBy, { address, userId: this.#verified?.user.id })
    if (text) {
      this.#owner.close("text_message", error.message)
      return
    }
    const { error: sent, frame } = dialect.refusal(error, reference)
    const refusal = { error: sent, frame, what: "a refused login" }
    const bytes = encodeError(dialect.codec, refusal, this.#host.onError)
    connection.send({ bytes })
    this.#owner.close(sent.code, error.message)
  }
}
