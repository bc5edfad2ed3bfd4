import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import {
  Disc3,
  Download,
  Heart,
  HeartOff,
  Info,
  Link2,
  ListEnd,
  ListMusic,
  ListPlus,
  ListStart,
  Plus,
  Podcast,
  Radio,
  Shuffle,
  Star,
  User,
} from 'lucide-react'
import { useCallback } from 'react'
import type { AlbumSummary, ArtistRef } from '../../src/protocol/api/catalog.ts'
import { archiveAddress, downloadAddress } from '../api/media.ts'
import { problemOf } from '../api/problem.ts'
import type { MenuItem } from '../components/menu.tsx'
import { useWords } from '../i18n/i18n.tsx'
import type { Playable } from '../player/playable.ts'
import { useNotify } from './notices.tsx'
import { playlistsQuery } from './queries.ts'
import { useServices } from './services.tsx'

type Tracks = readonly Playable[] | (() => Promise<readonly Playable[]>)

/** What can be done with tracks, wherever they are shown; each says what it did, or why it could not. */
export function useTrackActions() {
  const { player } = useServices()
  const notify = useNotify()
  const { say } = useWords()

  const withTracks = useCallback(
    async (tracks: Tracks, use: (tracks: readonly Playable[]) => void) => {
      try {
        use(typeof tracks === 'function' ? await tracks() : tracks)
      } catch (error) {
        notify(problemOf(error))
      }
    },
    [notify],
  )

  return {
    play: (tracks: Tracks, start = 0) => withTracks(tracks, (found) => player.playAll(found, start)),
    shuffle: (tracks: Tracks) => withTracks(tracks, player.playShuffled),
    addNext: (tracks: Tracks) =>
      withTracks(tracks, (found) => {
        player.addNext(found)
        notify(say('playsNext', { count: found.length }))
      }),
    addLast: (tracks: Tracks) =>
      withTracks(tracks, (found) => {
        player.addLast(found)
        notify(say('addedToQueue', { count: found.length }))
      }),
  }
}

/** The part of every menu that queues things. */
export function useNextItems() {
  const actions = useTrackActions()
  const { say } = useWords()
  return (tracks: Tracks): MenuItem[] => [
    { label: say('playNext'), icon: ListStart, run: () => actions.addNext(tracks) },
    { label: say('addToQueue'), icon: ListEnd, run: () => actions.addLast(tracks) },
  ]
}

/** The same, with playlists to put them into. */
function useQueueItems() {
  const { api } = useServices()
  const queries = useQueryClient()
  const nextItems = useNextItems()
  const notify = useNotify()
  const { say } = useWords()

  const add = async (tracks: Tracks, to: { id: string; name: string } | undefined, newName: string) => {
    try {
      const ids = (typeof tracks === 'function' ? await tracks() : tracks).map((track) => track.id)
      if (ids.length === 0) return
      const playlist =
        to === undefined
          ? await api.makePlaylist({ name: newName, tracks: ids })
          : await api.changePlaylist(to.id, { edits: [{ do: 'append', tracks: ids }] })
      await queries.invalidateQueries({ queryKey: ['playlists'] })
      notify(say('addedToPlaylist', { count: ids.length, name: playlist.name }))
    } catch (error) {
      notify(problemOf(error))
    }
  }

  return (tracks: Tracks, name: string): MenuItem[] => [
    ...nextItems(tracks),
    {
      label: say('addToPlaylist'),
      icon: ListPlus,
      items: async () => {
        const { items } = await queries.ensureQueryData(playlistsQuery(api))
        const plain = items.filter((playlist) => playlist.editable && playlist.rules === undefined)
        return [
          { label: say('newPlaylist'), icon: Plus, run: () => add(tracks, undefined, name) },
          ...(plain.length === 0 ? [] : ['line' as const]),
          ...plain.map((playlist) => ({
            label: playlist.name,
            icon: ListMusic,
            run: () => add(tracks, playlist, name),
          })),
        ]
      },
    },
  ]
}

export function useTrackMenu() {
  const { gateways, marks, view } = useServices()
  const navigate = useNavigate()
  const queueItems = useQueueItems()
  const artistItems = useArtistItems()
  const nextItems = useNextItems()
  const { say } = useWords()

  /** Of an episode there are no stars and no details, and playlists hold songs only. */
  const episodeItems = (track: Playable, more: readonly MenuItem[]): MenuItem[] => [
    ...nextItems([track]),
    ...more,
    'line',
    {
      label: say('goToPodcast'),
      icon: Podcast,
      run: () => navigate({ to: '/podcasts/$id', params: { id: track.album.id } }),
    },
    {
      label: say('saveFile'),
      icon: Download,
      run: () => download(gateways.address(downloadAddress(track))),
    },
  ]

  return (track: Playable, more: readonly MenuItem[] = []): MenuItem[] => {
    if (track.kind === 'episode') return episodeItems(track, more)
    if (track.kind === 'station') {
      return [{ label: say('goToRadio'), icon: Radio, run: () => navigate({ to: '/radio' }) }]
    }
    const mark = marks.of('track', track.id) ?? track.mark
    return [
      ...queueItems([track], track.title),
      ...more,
      'line',
      {
        label: say('goToAlbum'),
        icon: Disc3,
        run: () => navigate({ to: '/albums/$id', params: { id: track.album.id } }),
      },
      ...artistItems(track.artists),
      'line',
      mark.starredAt === undefined
        ? { label: say('star'), icon: Heart, run: () => marks.change('track', track, { starred: true }) }
        : {
            label: say('unstar'),
            icon: HeartOff,
            run: () => marks.change('track', track, { starred: false }),
          },
      {
        label: say('rate'),
        icon: Star,
        items: [5, 4, 3, 2, 1].map((rating) => ({
          label: `${'★'.repeat(rating)}${rating === mark.rating ? ' ✓' : ''}`,
          run: () => marks.change('track', track, { rating: rating === mark.rating ? null : rating }),
        })),
      },
      'line',
      {
        label: say('share'),
        icon: Link2,
        run: () => view.set({ sharing: { kind: 'track', id: track.id, name: track.title } }),
      },
      {
        label: say('download'),
        icon: Download,
        run: () => download(gateways.address(downloadAddress(track))),
      },
      { label: say('details'), icon: Info, run: () => view.set({ details: track }) },
    ]
  }
}

export function useAlbumMenu() {
  const { api, marks, view } = useServices()
  const actions = useTrackActions()
  const queueItems = useQueueItems()
  const artistItems = useArtistItems()
  const archive = useArchive()
  const { say } = useWords()

  return (album: AlbumSummary): MenuItem[] => {
    const tracks = async () => (await api.album(album.id)).tracks
    const mark = marks.of('album', album.id) ?? album.mark
    return [
      { label: say('shuffle'), icon: Shuffle, run: () => actions.shuffle(tracks) },
      ...queueItems(tracks, album.name),
      'line',
      ...artistItems(album.artists),
      mark.starredAt === undefined
        ? { label: say('star'), icon: Heart, run: () => marks.change('album', album, { starred: true }) }
        : {
            label: say('unstar'),
            icon: HeartOff,
            run: () => marks.change('album', album, { starred: false }),
          },
      'line',
      {
        label: say('share'),
        icon: Link2,
        run: () => view.set({ sharing: { kind: 'album', id: album.id, name: album.name } }),
      },
      { label: say('download'), icon: Download, run: () => archive('album', album.id) },
    ]
  }
}

function useArtistItems() {
  const navigate = useNavigate()
  const { say } = useWords()
  const open = (artist: ArtistRef) => navigate({ to: '/artists/$id', params: { id: artist.id } })
  return (artists: readonly ArtistRef[]): MenuItem[] => {
    const [first, ...others] = artists
    if (first === undefined) return []
    if (others.length === 0) return [{ label: say('goToArtist'), icon: User, run: () => open(first) }]
    const items = artists.map((artist) => ({ label: artist.name, run: () => open(artist) }))
    return [{ label: say('goToArtist'), icon: User, items }]
  }
}

/** Saves all songs of something as a zip. */
export function useArchive() {
  const { gateways } = useServices()
  return (...what: Parameters<typeof archiveAddress>) => download(gateways.address(archiveAddress(...what)))
}

function download(address: string) {
  const link = document.createElement('a')
  link.href = address
  link.download = ''
  link.click()
}
