// Reads the bearer token of a request. Must not know which tokens are valid.
import type { IncomingMessage } from "node:http"

export function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? "")?.[1]
}
