import { chromium } from "./chromium.ts"
import { browserSuite } from "./suite.ts"

browserSuite(chromium)
