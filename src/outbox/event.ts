import type { EventTrack } from '../protocol/facts/outbox.ts'
import type { ToldTrack } from './outbox.ts'

/** What is told of a track outside. */
export function eventTrack({ id, tags, audio }: ToldTrack): EventTrack {
  const { recording, track, release, releaseGroup } = tags.musicBrainz
  const credits = tags.artists.length > 0 ? tags.artists : tags.albumArtists
  const albumArtist = tags.albumArtistDisplay ?? inOneLine(tags.albumArtists)
  const [isrc] = tags.isrcs
  return {
    id,
    title: tags.title,
    artist: tags.artistDisplay ?? inOneLine(credits),
    artists: credits.map(({ name, musicBrainzId }) => ({
      name,
      ...(musicBrainzId !== undefined && { musicBrainzId }),
    })),
    ...(tags.album !== undefined && { album: tags.album }),
    ...(albumArtist !== '' && { albumArtist }),
    ...(tags.track !== undefined && { track: tags.track }),
    ...(tags.disc !== undefined && { disc: tags.disc }),
    durationMs: audio.durationMs,
    ...(isrc !== undefined && { isrc }),
    musicBrainz: {
      ...(recording !== undefined && { recording }),
      ...(track !== undefined && { track }),
      ...(release !== undefined && { release }),
      ...(releaseGroup !== undefined && { releaseGroup }),
    },
  }
}

const inOneLine = (credits: readonly { readonly name: string }[]) =>
  credits.map(({ name }) => name).join(', ')
