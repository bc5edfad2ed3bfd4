import type { Credit, Tags } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import { derivedId } from '../store/derived-id.ts'

/**
 * A name as it is compared to tell whether two are the same artist, album or genre: letter case, width, spaces and the
 * shapes of quotes and dashes make no difference. Diacritics do: in many languages they make another name.
 */
export function foldName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u2018\u2019\u02bc\u0060\u00b4]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/\s+/g, ' ')
    .trim()
}

/** An artist is who MusicBrainz says, where the file says so; otherwise whoever has the name. */
export function artistId(credit: Pick<Credit, 'name' | 'musicBrainzId'>): Id {
  const musicBrainzId = credit.musicBrainzId?.toLowerCase()
  return derivedId(
    musicBrainzId !== undefined && musicBrainzId !== ''
      ? `artist/musicbrainz/${musicBrainzId}`
      : `artist/name/${foldName(credit.name)}`,
  )
}

/** The id that a file's content gives birth to. `salt` tells apart two tracks that would otherwise share one. */
export function bornTrackId(fingerprint: string, salt = ''): Id {
  return derivedId(`track/${fingerprint}${salt && `/${salt}`}`)
}

/** What the files around a track say about its album, where its own tags leave it open. */
export interface FolderContext {
  readonly library: Id
  /** The album's folder: that of the file, or the one above where the file's own is named for a disc. */
  readonly folder: string
  /** The MusicBrainz release that the folder's files of this album agree on. */
  readonly release?: string | undefined
  /** The album artists that the folder's files of this album agree on, where only some say so. */
  readonly albumArtists?: string | undefined
  /** Who most of the folder's files of this album are by; undefined: various artists. */
  readonly artist?: string | undefined
}

/**
 * The id that an album's tags give birth to: its MusicBrainz release, else its artist, name and version, else (without
 * an album in the tags) its folder. Tracks of one identity are of one album, in whatever folders they lie.
 */
export function albumIdentity(tags: Tags, context: FolderContext): Id {
  const release = (tags.musicBrainz.release ?? context.release)?.toLowerCase()
  if (release !== undefined) return derivedId(`album/musicbrainz/${release}`)
  if (tags.album === undefined) return derivedId(`album/folder/${context.library}/${context.folder}`)
  const artist = albumArtistsOf(tags) ?? context.albumArtists ?? loneArtist(tags, context) ?? variousArtists
  const version = foldName(tags.albumVersion ?? '')
  return derivedId(`album/name/${JSON.stringify([artist, foldName(tags.album), version])}`)
}

const variousArtists = 'various artists'

function albumArtistsOf({ albumArtists }: Tags): string | undefined {
  return albumArtists.length === 0 ? undefined : albumArtists.map(({ name }) => foldName(name)).join('\n')
}

function loneArtist({ compilation }: Tags, { artist }: FolderContext): string | undefined {
  return compilation || artist === undefined ? undefined : foldName(artist)
}

const discFolder =
  /^(?:cd|disc|disk|dis[ck]o|dvd|lp|vinyl|side|seite)[\s._-]*(?:\d{1,2}|[a-d]|one|two|three|four)(?![\p{L}\p{N}])/iu

/** The folder of an album whose file lies at `path`: `Artist/Album` for `Artist/Album/CD 2/01.flac`. */
export function albumFolder(path: string): string {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  const name = folder.slice(folder.lastIndexOf('/') + 1)
  return discFolder.test(name) ? folder.slice(0, Math.max(0, folder.lastIndexOf('/'))) : folder
}

/**
 * The context of each of the files, which must be all of one album folder: releases and artists are weighed among the
 * files with the same album name. An artist who has more than half of them is the album's; else it is by various.
 */
export function folderContexts(library: Id, folder: string, files: readonly Tags[]): FolderContext[] {
  const groups = Map.groupBy(files, (tags) => foldName(tags.album ?? ''))
  const contexts = new Map<string, FolderContext>()
  for (const [name, group] of groups) {
    const release = only(group.flatMap((tags) => tags.musicBrainz.release ?? []))
    const albumArtists = only(group.flatMap((tags) => albumArtistsOf(tags) ?? []))
    const artists = Map.groupBy(group, (tags) => tags.artists[0]?.name ?? '')
    const [artist] = [...artists].find(([, tracks]) => tracks.length * 2 > group.length) ?? []
    contexts.set(name, { library, folder, release, albumArtists, artist })
  }
  return files.map((tags) => contexts.get(foldName(tags.album ?? '')) ?? { library, folder })
}

/** The value that all agree on. */
function only(values: readonly string[]): string | undefined {
  const different = new Set(values)
  return different.size === 1 ? values[0] : undefined
}
