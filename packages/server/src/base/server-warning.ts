// The warnings about settings that look wrong.

export interface ServerWarning {
  /**
   * `origin_refused`: a page of an origin that may not connect. `upgrade_refused`: the first refusal of another reason.
   * `login_refused`: the first log-in of an address with too many connections.
   * `proxy_unexpected`: a request came through a proxy, and `trustProxy` is false. `proxy_expected`: the reverse.
   * `topic_without_rules`: the first join of a topic of a kind that `topicKind` was not called for.
   */
  readonly kind:
    | "origin_refused"
    | "upgrade_refused"
    | "login_refused"
    | "proxy_unexpected"
    | "proxy_expected"
    | "topic_without_rules"
  /** What happened, and which option changes it. */
  readonly message: string
}
