// `npm run vectors`: writes docs/vectors.json.
import { buildVectors } from "./build.ts"
import { writeVectors } from "./file.ts"

writeVectors(await buildVectors())
