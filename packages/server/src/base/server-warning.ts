// Warnings about options that are probably wrong, and about handlers that hold up others.

/** Warning about an option of `createServer`, or about a slow handler. */
export interface ServerWarning {
  /**
   * Reason of the warning. `origin_refused`: a page of an origin that `origins` does not allow.
   * `upgrade_refused`: the first refused upgrade of each other reason.
   * `login_refused`: the first log-in that `limits.connectionsPerAddress` refused.
   * `proxy_unexpected`: a request came through a proxy, and `trustProxy` is false.
   * `proxy_expected`: a request came without a proxy, and `trustProxy` is true.
   * `topic_without_rules`: a kind of the contract has no rules at `listen`, `attach` or the first join; call `topicKind`.
   * `session_held_up`: requests of a session waited for more than a second for a handler; once per call and minute.
   */
  readonly kind:
    | "origin_refused"
    | "upgrade_refused"
    | "login_refused"
    | "proxy_unexpected"
    | "proxy_expected"
    | "topic_without_rules"
    | "session_held_up"
  /** Sentence with the event and the option or handler to change. */
  readonly message: string
}
