import { expect, test } from "vitest"
import { chatChannels } from "../contract.ts"
import { channelsFor, checkChat } from "./chat.ts"

test("offers each role exactly the channels in which its lines are accepted", () => {
  for (const role of ["player", "moderator", "admin"] as const) {
    const accepted = chatChannels.filter((one) => checkChat(one, "hello", { role, inputMaxLength: 500 }).ok)
    expect(channelsFor(role)).toEqual(accepted)
  }
  expect(channelsFor("player")).not.toContain("global")
})
