import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/**
 * A real Chromium without a window, in which sound may start by itself. `hocket.test` is this machine by another name:
 * a page there is not trusted as one of 127.0.0.1 is, and has what it has over plain HTTP at home. Dispose of it.
 */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      '--autoplay-policy=no-user-gesture-required',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP hocket.test 127.0.0.1',
      '--mute-audio',
    ],
  })
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync)
  if (found === undefined) {
    throw new Error(
      'This test needs Chromium in PATH. `npm test` as root on Debian installs it; else install it.',
    )
  }
  return found
}
