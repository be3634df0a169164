// The option `profile` of a client, by the name of a wire profile, for tests that run with both.
import type { ClientOptions } from "@hawser/client"
import { profile20 } from "@hawser/client/profile20"
import type { Profile } from "@hawser/protocol/core"

export function clientProfile(profile: Profile): Pick<ClientOptions, "profile"> {
  return profile === "2.0" ? { profile: profile20() } : {}
}
