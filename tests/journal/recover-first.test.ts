// A server with a journal accepts no connection before it has read it: the sessions of earlier processes would be lost.
import { createServer, defineContract } from "@hawser/server"
import type { Server } from "@hawser/server"
import { serveWithBun } from "@hawser/server/bun"
import { fileJournal } from "@hawser/server/journal"
import { createServer as createHttpServer } from "node:http"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished, vi } from "vitest"

const contract = defineContract({ name: "first", commands: {}, queries: {}, events: {} })
const error = new TypeError("the server has a journal that it has not read: await server.recover() first")

function create(): Server<typeof contract, { readonly id: string }> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-first-"))
  const server = createServer(contract, {
    authenticate: (token) => ({ id: token }),
    journal: fileJournal(folder),
  })
  onTestFinished(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })
  return server
}

it("refuses attach, accept and other entrances until recover() has resolved", async () => {
  const server = create()
  const httpServer = createHttpServer()
  const open = (): void => server.entrances.open(() => Promise.resolve())
  expect(() => server.attach(httpServer)).toThrow(error)
  expect(open).toThrow(error)
  expect(() => void Reflect.apply(server.accept, undefined, [{}])).toThrow(error)
  await server.recover()
  server.attach(httpServer)
  open()
})

it("is read by serveWithBun before its port opens", async () => {
  const server = create()
  onTestFinished(() => void vi.unstubAllGlobals())
  vi.stubGlobal("Bun", {
    version: "1.4.4",
    serve: () => ({ port: server.recovery === undefined ? 1 : 2, stop: () => Promise.resolve() }),
  })
  expect(await serveWithBun(server)).toMatchObject({ port: 2 })
})
