/** Values as feeds write them, which is as their makers please. Undefined: it says nothing that can be made out. */

/** A date of RFC 822 or ISO 8601, in milliseconds since 1970. */
export function dateOf(written: string): number | undefined {
  const trimmed = written.trim()
  // What is shorter is no date, though it can be taken for one.
  if (trimmed.length < shortest) return undefined
  // The day of the week adds nothing, and is often wrong or in another language.
  const undayed = trimmed.replace(/^[^\d,]*,\s*/, '')
  const candidates = [trimmed, undayed, undayed.replace(/\s([A-Za-z/_]+)$/, (_whole, zone) => zoned(zone))]
  for (const candidate of candidates) {
    const at = Date.parse(candidate)
    if (Number.isFinite(at) && at >= 0 && at < latest) return at
  }
  return undefined
}

/** Zones that feeds name though RFC 822 has no such names; of others an hour too many is better than no date. */
function zoned(zone: string): string {
  return ` ${zones.get(zone.toUpperCase()) ?? 'GMT'}`
}

const zones: ReadonlyMap<string, string> = new Map([
  ['BST', '+0100'],
  ['CET', '+0100'],
  ['CEST', '+0200'],
  ['EET', '+0200'],
  ['EEST', '+0300'],
  ['MSK', '+0300'],
  ['IST', '+0530'],
  ['JST', '+0900'],
  ['KST', '+0900'],
  ['AEST', '+1000'],
  ['AEDT', '+1100'],
  ['NZST', '+1200'],
  ['NZDT', '+1300'],
])

const shortest = '2020-9-2'.length
const latest = Date.UTC(9999, 0)

/** `3723`, `62:03`, `1:02:03` and `1:02:03.5`, in milliseconds. */
export function durationOf(written: string): number | undefined {
  const match = /^(?:(\d{1,4}):)?(?:(\d{1,5}):)?(\d{1,7})(?:\.(\d{1,3})\d*)?$/.exec(written.trim())
  if (match === null) return undefined
  const [, first, second, last = '', fraction = ''] = match
  const [hours, minutes] = second === undefined ? ['0', first ?? '0'] : [first ?? '0', second]
  const seconds = Number(hours) * 3_600 + Number(minutes) * 60 + Number(last)
  return seconds * 1_000 + Number(fraction.padEnd(3, '0'))
}

export function numberOf(written: string, most: number): number | undefined {
  const match = /^\d{1,9}$/.exec(written.trim())
  const number = match === null ? Number.NaN : Number(match[0])
  return number <= most ? number : undefined
}

export function explicitOf(written: string): boolean | undefined {
  const word = written.trim().toLowerCase()
  if (['yes', 'true', 'explicit'].includes(word)) return true
  return ['no', 'false', 'clean'].includes(word) ? false : undefined
}

/** The absolute form of an address that is http or https, no longer than addresses are. */
export function addressOf(written: string, base: string): string | undefined {
  const url = URL.parse(written.trim(), base)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  return url.href.length <= mostOfAddress ? url.href : undefined
}

const mostOfAddress = 4_000
