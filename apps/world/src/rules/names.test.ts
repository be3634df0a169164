import { expect, it } from "vitest"
import { isReservedName } from "./names.ts"

it.each([
  "server",
  "Server",
  "SYSTEM",
  "admin",
  "Adm1n",
  "adrnin",
  "AdmIn",
  "admjn",
  "5erver",
  "Sy5tem",
  "sys_tem",
  "s-e-r-v-e-r",
  "-Server-",
  "__admin",
  "the_server",
  "admin-bob",
  "Server1",
  "moderator007",
  "M0derator",
  "rnod",
  "adminn",
  "Hawser",
  "TheServer",
  "ssystem",
])("door-7 reserves the name %s", (name) => {
  expect(isReservedName(name)).toBe(true)
})

it.each([
  "Anna",
  "observer",
  "Administra",
  "modest",
  "serve",
  "bot-0001",
  "Ann-1a2b3c",
  "u0123456789abcdef",
  "Sid",
  "nemo",
  "Rooster",
  "Rot",
  "Model",
])("door-7 allows the name %s", (name) => {
  expect(isReservedName(name)).toBe(false)
})
