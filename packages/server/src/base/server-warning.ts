// Warnings about options that are probably wrong.

/** Warning about an option of `createServer`. */
export interface ServerWarning {
  /**
   * Reason of the warning. `origin_refused`: a page of an origin that `origins` does not allow.
   * `upgrade_refused`: the first refused upgrade of each other reason.
   * `login_refused`: the first log-in that `limits.connectionsPerAddress` refused.
   * `proxy_unexpected`: a request came through a proxy, and `trustProxy` is false.
   * `proxy_expected`: a request came without a proxy, and `trustProxy` is true.
   * `topic_without_rules`: a kind of the contract has no rules at `listen`, `attach` or the first join; call `topicKind`.
   */
  readonly kind:
    | "origin_refused"
    | "upgrade_refused"
    | "login_refused"
    | "proxy_unexpected"
    | "proxy_expected"
    | "topic_without_rules"
  /** Sentence with the event and the option to change. */
  readonly message: string
}
