/** Scripts that the page fetches when it first needs them, where the server may just then be away. */

const triesEveryMs = 3_000

/**
 * A script, or why it cannot be had. While nobody answers it waits: to load the page again, as the router does for what
 * is not there, would end what plays and find nothing. Once somebody answers, another version is there by now.
 */
export async function fetched<Script>(script: Promise<Script>): Promise<Script> {
  try {
    return await script
  } catch (error) {
    while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, triesEveryMs))
    throw error
  }
}

async function answers(): Promise<boolean> {
  const ask = { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(triesEveryMs) } as const
  return await fetch('/', ask).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Begins when the page has nothing to do. Safari does not tell when that is, and begins a little later. */
export function atRest(begin: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(begin, { timeout: triesEveryMs })
  else setTimeout(begin, triesEveryMs)
}
