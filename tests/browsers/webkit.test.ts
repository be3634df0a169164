import { webkit } from "./webkit.ts"
import { browserSuite } from "./suite.ts"

browserSuite(webkit)
