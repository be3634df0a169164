import { firefox } from "./firefox.ts"
import { browserSuite } from "./suite.ts"

browserSuite(firefox)
