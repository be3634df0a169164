// Appearance for clients of `2.0`: fourteen words, their hash, and the equipment.
import { createHash } from "node:crypto"

const appearance = {
  body_type: "male",
  skin_tone: "light",
  head_type: "human/male",
  hair_style: "buzzcut",
  hair_color: "black",
  eye_color: "brown",
  facial_hair_style: "none",
  facial_hair_color: "black",
  shirt_style: "shortsleeve",
  shirt_color: "white",
  pants_style: "pants",
  pants_color: "brown",
  shoes_style: "shoes",
  shoes_color: "brown",
}

/** Every player looks like this until appearance can be changed. */
export const visualState = { appearance, equipment: {} }

/** Changes exactly when `visualState` does. Clients cache the state by this hash. */
export const visualHash = createHash("sha256").update(JSON.stringify(visualState)).digest("hex").slice(0, 12)
