// A new player: registers, logs in with the password and takes a step, each once and from a separate address. Rejects
// with the reason if the world refuses.
import { request } from "node:http"
import { z } from "zod"
import type { Newcomer, Where } from "./messages.ts"
import { Player, Tally } from "./player.ts"

const login = z.object({ access_token: z.string() })

export interface NewcomerOptions {
  readonly where: Where
  readonly localAddress: string
  readonly username: string
  readonly random: () => number
  readonly withinMs: number
}

interface Posted {
  readonly status: number
  readonly text: string
}

function post(path: string, body: unknown, options: NewcomerOptions): Promise<Posted> {
  const { where, localAddress, withinMs } = options
  const content = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) }
    const signal = AbortSignal.timeout(withinMs)
    const sent = request(
      { ...where, path, method: "POST", localAddress, headers, agent: false, signal },
      (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
        response.on("error", reject)
      },
    )
    sent.on("error", reject)
    sent.end(content)
  })
}

export async function arrive(options: NewcomerOptions): Promise<Newcomer> {
  const { where, localAddress, username, random, withinMs } = options
  const credentials = { username, password: `the password of ${username}` }
  const startedAtMs = performance.now()
  const registered = await post("/auth/register", credentials, options)
  if (registered.status !== 201) throw new Error(`registration: ${registered.status} ${registered.text}`)
  const registeredAtMs = performance.now()
  const answer = await post("/auth/login", credentials, options)
  if (answer.status !== 200) throw new Error(`log-in: ${answer.status} ${answer.text}`)
  const token = login.parse(JSON.parse(answer.text)).access_token
  const tally = new Tally()
  const player = new Player({ name: username, where, localAddress, token, tally, random })
  try {
    await player.enter(withinMs)
    await player.step()
    const enterMs = performance.now() - registeredAtMs
    const [error = tally.resets[0]] = tally.errors
    if (error !== undefined) throw new Error(error)
    return { registerMs: registeredAtMs - startedAtMs, enterMs }
  } finally {
    player.leave()
  }
}
