// Answers `/`, the files of the page, and a request for the WebSocket path that is no upgrade. Must not know the other
// routes.
import { z } from "zod"
import type { PageFiles } from "./page-files.ts"
import { contentReply, htmlReply, jsonReply, refusal, withField } from "./reply.ts"
import { json, refused } from "./route.ts"
import type { Route } from "./route.ts"
import { okBody } from "./status-routes.ts"

const pageMissing = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The page is not built</title></head>
<body><h1>The page is not built yet</h1><p>Run <code>npm run build</code>, then reload.</p></body></html>
`

/** `GET /` and `GET /ws`. */
export function pageRoutes(pageFiles: PageFiles): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/",
      summary: "The page for browsers, a sign of life for programs",
      replies: {
        200: {
          description: "The page if `Accept` names text/html, else a sign of life",
          content: { ...json("", okBody).content, "text/html": z.string() },
        },
      },
      async answer({ env: { incoming } }) {
        const isBrowser = incoming.headers.accept?.includes("text/html") === true
        const reply = isBrowser ? await pageReply(pageFiles) : jsonReply(200, { status: "ok" })
        return withField(reply, "Vary", "Accept")
      },
    },
    {
      method: "GET",
      path: "/ws",
      summary: "WebSocket of the sessions",
      replies: {
        101: { description: "The upgrade to a WebSocket with hawser.1 or 2.0", content: {} },
        426: refused("The request is no upgrade"),
      },
      answer: () =>
        refusal(
          426,
          "This path speaks WebSocket; a proxy has to pass the headers Upgrade and Connection on",
          {
            Upgrade: "websocket",
          },
        ),
    },
  ]
}

async function pageReply(pageFiles: PageFiles): Promise<Response> {
  const file = await pageFiles(["index.html"])
  return file === undefined ? htmlReply(pageMissing) : contentReply(file.bytes, file)
}

/** Answers a path without a route: with a file of the page, or with 404. */
export async function fileReply(
  pageFiles: PageFiles,
  method: string,
  segments: readonly string[],
): Promise<Response> {
  const file = await pageFiles(segments)
  if (file === undefined) return refusal(404, "Not Found")
  if (method !== "GET" && method !== "HEAD") {
    return refusal(405, "Method Not Allowed", { Allow: "GET, HEAD" })
  }
  return contentReply(file.bytes, file)
}
