/** Numbers, times and sizes as a language writes them. */
export interface Format {
  number(value: number): string
  date(at: number): string
  dateTime(at: number): string
  /** "3 hours ago" */
  ago(at: number, now?: number): string
  bytes(value: number): string
  percent(part: number, whole: number): string
  /** 3:07 or 1:02:09: the length of a track, the same in every language. */
  clock(ms: number): string
  /** 47 min, 3 h 12 min, 12 days: the length of an album or a playlist. */
  duration(ms: number): string
  list(names: readonly string[]): string
}

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

export function createFormat(locale: string): Format {
  const number = new Intl.NumberFormat(locale)
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const list = new Intl.ListFormat(locale, { type: 'conjunction' })
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      // The short form of bytes knows no plural.
      unitDisplay: name === 'byte' ? 'long' : 'short',
      maximumFractionDigits: 1,
    }).format(value)

  return {
    number: (value) => number.format(value),
    date: (at) => date.format(at),
    dateTime: (at) => dateTime.format(at),
    ago(at, now = Date.now()) {
      const seconds = (at - now) / 1000
      const step = steps.find(([, size]) => Math.abs(seconds) >= size)
      return step === undefined
        ? relative.format(0, 'second')
        : relative.format(Math.round(seconds / step[1]), step[0])
    },
    bytes(value) {
      const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
      const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), sizes.length - 1)
      return unit(value / 1000 ** power, sizes[power] ?? 'byte')
    },
    percent: (part, whole) =>
      new Intl.NumberFormat(locale, { style: 'percent' }).format(whole <= 0 ? 0 : Math.min(part / whole, 1)),
    clock(ms) {
      const seconds = Math.max(0, Math.floor(ms / 1000))
      const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
      return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`
    },
    duration(ms) {
      const minutes = Math.round(ms / 60_000)
      if (ms < 60_000) return unit(Math.round(ms / 1000), 'second')
      if (minutes < 60) return unit(minutes, 'minute')
      if (minutes >= 72 * 60) return unit(Math.round(minutes / 1440), 'day')
      const rest = minutes % 60
      const hours = unit(Math.floor(minutes / 60), 'hour')
      return rest === 0 ? hours : `${hours} ${unit(rest, 'minute')}`
    },
    list: (names) => list.format(names),
  }
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
