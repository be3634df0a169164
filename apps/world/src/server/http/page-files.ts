// Decides which files of the built page are served, and how they are cached. Must not know the routes.
import { readFile, stat } from "node:fs/promises"
import { extname, join } from "node:path"
import type { ContentOptions } from "./reply.ts"

interface PageFile extends ContentOptions {
  readonly bytes: Uint8Array
  /** `immutable` if the name carries a hash of the content. */
  readonly caching: "immutable" | "no-cache"
}

/** Reads a file by the segments of its path; undefined if there is none to serve. */
export type PageFiles = (segments: readonly string[]) => Promise<PageFile | undefined>

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
}

/** Bound of the hashed files in memory. A file beyond it is read from disk for each request. */
const maxKeptBytes = 16 * 1024 * 1024

/** Serves the files under `pageDir`; it need not exist. */
export function createPageFiles(pageDir: string): PageFiles {
  const kept = new Map<string, PageFile>()
  let keptBytes = 0
  return async (segments) => {
    if (!segments.every(isPlainName)) return undefined
    const path = join(pageDir, ...segments)
    const known = kept.get(path)
    if (known !== undefined) return known
    const bytes = await readWhole(path)
    if (bytes === undefined) return undefined
    const contentType = contentTypes[extname(path).toLowerCase()] ?? "application/octet-stream"
    const isImmutable = segments[0] === "assets" && isHashedName(path)
    const file: PageFile = { bytes, contentType, caching: isImmutable ? "immutable" : "no-cache" }
    if (isImmutable && !kept.has(path) && keptBytes + bytes.length <= maxKeptBytes) {
      kept.set(path, file)
      keptBytes += bytes.length
    }
    return file
  }
}

/** Accepts names without a separator that do not begin with a dot: neither `..` nor a hidden file. */
function isPlainName(segment: string): boolean {
  return /^[^./\\:][^/\\:]*$/.test(segment) && !segment.includes("\0")
}

/** Accepts `index-B7cD_9xQ.js`: eight characters of base64url, of which at least one is no small letter. */
function isHashedName(path: string): boolean {
  return /-(?=[\w-]*[A-Z0-9_])[\w-]{8}\.\w+(?:\.map)?$/.test(path)
}

async function readWhole(path: string): Promise<Uint8Array | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path) : undefined
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined
    throw error
  }
}
