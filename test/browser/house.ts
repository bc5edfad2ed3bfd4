import type { Browser } from 'playwright-core'
import { openBrowser } from '../harness/browser.ts'
import type { Client } from '../harness/client.ts'
import { startNode, type TestNode } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'

/** A node whose library is real music, scanned, and a browser to visit it with. Dispose of it. */
export interface House extends AsyncDisposable {
  readonly node: TestNode
  readonly browser: Browser
  /** Its administrator. */
  readonly ada: Client
}

/** The folder of Debian's `wesnoth-1.16-music`. */
export const wesnoth = '/usr/share/games/wesnoth/1.16/data/core/music'

export async function openHouse(): Promise<House> {
  await using stack = new AsyncDisposableStack()
  const node = stack.use(await startNode({ music: [wesnoth] }))
  const browser = stack.adopt(await openBrowser(), (opened) => opened.close())
  const ada = await node.administrator()
  await scanned(ada)
  const owned = stack.move()
  return { node, browser, ada, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
