import type { Audio } from '../../protocol/facts/catalog.ts'
import type { KnownPlace, KnownTrack, Lookup } from './lookup.ts'

/** The files of a library that were known and are no longer there, until they turn up elsewhere or are given up. */
export interface Vanished {
  readonly size: number
  add(place: KnownPlace): void
  has(path: string): boolean
  delete(path: string): void
  /** Those whose sound has the same length and form. */
  alike(audio: Audio): Array<{ place: KnownPlace; track: KnownTrack }>
  places(): KnownPlace[]
}

export function createVanished(lookup: Lookup): Vanished {
  const all = new Map<string, { place: KnownPlace; track: KnownTrack; form: string }>()
  const byForm = new Map<string, Set<string>>()

  return {
    get size() {
      return all.size
    },
    add(place) {
      const track = lookup.track(place.track)
      if (!track) return
      const form = formOf(track)
      all.set(place.path, { place, track, form })
      const paths = byForm.get(form) ?? new Set()
      byForm.set(form, paths.add(place.path))
    },
    has: (path) => all.has(path),
    delete(path) {
      const form = all.get(path)?.form
      if (form !== undefined) byForm.get(form)?.delete(path)
      all.delete(path)
    },
    alike: (audio) => [...(byForm.get(formOf(audio)) ?? [])].flatMap((path) => all.get(path) ?? []),
    places: () => [...all.values()].map(({ place }) => place),
  }
}

function formOf({
  durationMs,
  codec,
  sampleRate,
  channels,
}: Pick<Audio, 'durationMs' | 'codec' | 'sampleRate' | 'channels'>) {
  return `${durationMs} ${codec} ${sampleRate} ${channels}`
}
