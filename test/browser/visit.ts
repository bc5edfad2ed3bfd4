import assert from 'node:assert/strict'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { z } from 'zod'
import { waitFor } from '../harness/wait.ts'

export interface Visit extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** What went wrong in the page and nobody would see: refused by the policy, fetched elsewhere, thrown. */
  readonly complaints: readonly string[]
}

export interface Visitor {
  readonly baseUrl: string
  /** Signed in with this session's token, as if they had come through the login page. */
  readonly token?: string
  readonly look?: BrowserContextOptions
  /** Other gateways that the page may go on at. */
  readonly others?: readonly string[]
}

export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
}

/** Opens the player as a person does. At the end the page must have had nothing to complain of. */
export async function visit(
  browser: Browser,
  { baseUrl, token, look = {}, others = [] }: Visitor,
): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: baseUrl,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    ...look,
  })
  // It ends what hangs; a busy machine is given time.
  context.setDefaultTimeout(60_000)
  if (token !== undefined) {
    await context.addCookies([
      { name: 'hocket_session', value: token, url: baseUrl, httpOnly: true, sameSite: 'Lax' },
    ])
  }
  const complaints: string[] = []
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    const own =
      [baseUrl, ...others].some((url) => origin === new URL(url).origin) ||
      protocol === 'blob:' ||
      protocol === 'data:'
    if (!own) complaints.push(`a request to ${request.url()}`)
  })
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text())
  })
  context.on('weberror', ({ error }) => void complaints.push(String(error())))
  await context.addInitScript(keepAudioElements)
  const page = await context.newPage()
  return {
    page,
    context,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close()
      assert.deepEqual(complaints, [])
    },
  }
}

/** Runs in the page before its own scripts: the player's audio elements are not in the document. */
function keepAudioElements() {
  const elements: HTMLAudioElement[] = []
  Reflect.set(window, 'audioElements', elements)
  const RealAudio = window.Audio
  Reflect.set(window, 'Audio', function Audio() {
    const element = new RealAudio()
    elements.push(element)
    return element
  })
}

const sound = z.object({ seconds: z.number(), source: z.string(), volume: z.number() })
export type Sound = z.infer<typeof sound>

/** What the audio element that sounds now has come to; null in silence. */
export async function soundOf(page: Page): Promise<Sound | null> {
  const heard: unknown = await page.evaluate(() => {
    const elements: unknown = Reflect.get(window, 'audioElements')
    if (!Array.isArray(elements)) return null
    const sounding = elements.filter((element) => !element.paused && element.readyState >= 2)
    // Of two, one is brought into step unheard; and a person may want to hear none.
    const one = sounding.find((element) => element.volume > 0.001) ?? sounding[0]
    return one === undefined ? null : { seconds: one.currentTime, source: one.src, volume: one.volume }
  })
  return sound.nullable().parse(heard)
}

/** Waits until sound comes and its time moves on: music is heard. Answers the first and the last that was seen. */
export async function heard(page: Page, fromSeconds = 0): Promise<Sound> {
  const first = await waitFor(
    async () => {
      const now = await soundOf(page)
      return now !== null && now.seconds >= fromSeconds ? now : undefined
    },
    { what: `sound after ${fromSeconds} s` },
  )
  return await waitFor(
    async () => {
      const now = await soundOf(page)
      return now !== null && now.source === first.source && now.seconds > first.seconds + 0.3
        ? now
        : undefined
    },
    { what: 'the audio’s time to advance' },
  )
}

export async function silent(page: Page): Promise<void> {
  await waitFor(async () => (await soundOf(page)) === null, { what: 'silence' })
}

/** Waits until the element says so, by the words that a person reads. */
export async function says(element: Locator, words: RegExp): Promise<void> {
  await waitFor(async () => words.test((await element.textContent()) ?? ''), { what: `“${words.source}”` })
}
