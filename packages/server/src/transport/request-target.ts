// The target of an HTTP request: a path, or a whole address (absolute form, RFC 9112 section 3.2.2). Knows no headers.

export interface RequestTarget {
  /** Without the query. */
  readonly path: string
  /** Host and port of a whole address, which then count instead of the header Host. */
  readonly host: string | undefined
}

export function requestTarget(target: string): RequestTarget {
  const [, host, path = ""] = /^(?:[a-z][a-z\d+.-]*:\/\/([^/?#]*))?([^?#]*)/i.exec(target) ?? []
  return { path: host !== undefined && path === "" ? "/" : path, host }
}
