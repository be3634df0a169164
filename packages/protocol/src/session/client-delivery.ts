// Delivery of one session at a client: adds the count and the acknowledgement of received state.
// Must not know requests, tokens or timers. Rule N9 of docs/protocol.md depends on this file.
import { turnNow } from "../base/clock.ts"
import type { Connection } from "../transport.ts"
import { Delivery } from "./delivery.ts"
import type { OtherEnd } from "./delivery-host.ts"
import { StateReceipt } from "./state-receipt.ts"

/** Delivery of one session at a client. */
export class ClientDelivery extends Delivery {
  /** State received on this connection. Undefined until the first such frame. */
  #receipt: StateReceipt | undefined

  /** Attaches a new connection, as `Delivery.attach`. Each connection counts state from 0. */
  override attach(connection: Connection, otherEnd: OtherEnd): void {
    this.#receipt = undefined
    super.attach(connection, otherEnd)
  }

  /** Counts a received state frame, and schedules its acknowledgement. */
  receiveState(bytes: Uint8Array): void {
    this.#receipt ??= new StateReceipt(this.host.limits)
    this.#receipt.receive(bytes.length, turnNow(this.host.clock))
    this.flushStateAck(this.#receipt.isAckAsked)
  }

  /** Acknowledges received state if it is due; otherwise requests a call at that time from the owner, unless requested. */
  flushStateAck(wasAsked = false): void {
    const receipt = this.#receipt
    if (receipt === undefined) return
    receipt.isAckAsked = wasAsked
    if (receipt.unacknowledged === 0) return
    const delayMs = receipt.dueInMs(turnNow(this.host.clock))
    if (delayMs <= 0) this.flushAck()
    else if (!wasAsked) this.owner.requestStateAck?.(delayMs)
    receipt.isAckAsked ||= delayMs > 0
  }

  /** True if handled messages or received state have grown since the last acknowledgement. */
  protected override get hasNews(): boolean {
    return super.hasNews || (this.#receipt !== undefined && this.#receipt.unacknowledged > 0)
  }

  /** Sends ACK with the count of received state. Returns false if it was not sent. */
  protected override sendAck(): boolean {
    const receipt = this.#receipt
    if (receipt === undefined) return super.sendAck()
    if (!this.control({ kind: "ack", handled: this.handled, stateFrames: receipt.received })) return false
    receipt.acknowledged(turnNow(this.host.clock))
    return true
  }
}
