// Limits of the work that clients cause before they are logged in.

export interface DoorLimits {
  /**
   * Registrations of one address, per minute; default 6. Beyond: 429 with `Retry-After`. Names that are taken count too,
   * because each answer says whether a name exists.
   */
  readonly registrationsPerMinute: number
  /** Registrations that an address may send at once after a rest; default 20: a class or a party behind one address. */
  readonly registrationBurst: number
  /** Failed log-ins of one address under any names, per minute; default 10. Beyond: 429, also for a right password. */
  readonly failedLoginsPerMinute: number
  /** Failed log-ins that an address may send at once after a rest; default 30. */
  readonly failedLoginBurst: number
  /** Failed log-ins of one address under one name, at once and per minute; default 5. Beyond: 429, for that name alone. */
  readonly failedLoginsPerName: number
  /**
   * Factor of the four limits per address on the loopback interface, which bots, tests and a proxy without
   * `TRUST_PROXY` use; default 30. With `TRUST_PROXY` no request counts as loopback.
   */
  readonly loopbackFactor: number
  /**
   * Passwords that are hashed at once; default: the machine's cores less one, from 1 to 3. A hash takes about 26 ms of
   * a core. One core remains for the players, and one of Node's four threads for files.
   */
  readonly hashThreads: number
  /**
   * Passwords of one address that are queued or being hashed, for registrations and for log-ins each; default 8.
   * Beyond: 429. Addresses take turns, and so do the two kinds of one address.
   */
  readonly hashesPerLine: number
  /**
   * The same for all addresses together; default 64, a wait of 2 s at most on one thread. Beyond: 503, for the address
   * with the most passwords, or else for the new request.
   */
  readonly hashesMaxCount: number
}

export function defaultDoorLimits(coreCount: number): DoorLimits {
  return {
    registrationsPerMinute: 6,
    registrationBurst: 20,
    failedLoginsPerMinute: 10,
    failedLoginBurst: 30,
    failedLoginsPerName: 5,
    loopbackFactor: 30,
    hashThreads: Math.max(1, Math.min(3, coreCount - 1)),
    hashesPerLine: 8,
    hashesMaxCount: 64,
  }
}
