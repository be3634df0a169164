// Parses the target of an HTTP request: a path, or an absolute URL (absolute form, RFC 9112 section 3.2.2). Must not know
// header fields.

export interface RequestTarget {
  /** Path without the query. */
  readonly path: string
  /** Host and port of an absolute URL, which override the header Host; undefined for a path. */
  readonly host: string | undefined
}

export function requestTarget(target: string): RequestTarget {
  const [, host, path = ""] = /^(?:[a-z][a-z\d+.-]*:\/\/([^/?#]*))?([^?#]*)/i.exec(target) ?? []
  return { path: host !== undefined && path === "" ? "/" : path, host }
}
