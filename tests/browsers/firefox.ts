// Debian's Firefox over WebDriver BiDi.
import { existsSync } from "node:fs"
import { launch } from "puppeteer-core"
import type { Page } from "puppeteer-core"
import { once } from "./engine.ts"
import type { Browser, Engine, Tab } from "./engine.ts"

const executablePath = "/usr/bin/firefox-esr"

/** Preferences that stop the browser's own requests. */
const quiet = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.newtabpage.activity-stream.feeds.system.topstories": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.search.update": false,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.push.connection.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.update.enabled": false,
  "media.gmp-manager.updateEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "network.http.speculative-parallel-limit": 0,
  "network.prefetch-next": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.server": "",
}

export const firefox: Engine = {
  name: "firefox",
  cachesSockets: false,
  missing: () =>
    existsSync(executablePath) ? undefined : `needs ${executablePath}: apt-get install firefox-esr`,
  async launch(): Promise<Browser> {
    const browser = await launch({
      browser: "firefox",
      executablePath,
      headless: true,
      extraPrefsFirefox: quiet,
    })
    return {
      async open(url) {
        const page = await browser.newPage()
        await page.goto(url)
        return tabOf(page)
      },
      quit: once(() => browser.close()),
    }
  },
}

function tabOf(page: Page): Tab {
  return {
    evaluate: (expression) => page.evaluate(expression),
    async goto(url) {
      await page.goto(url)
    },
    async reload() {
      await page.reload()
    },
    close: () => page.close(),
    picture: () => page.screenshot(),
  }
}
