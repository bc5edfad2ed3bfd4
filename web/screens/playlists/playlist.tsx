import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import {
  Download,
  FileDown,
  Link2,
  ListMusic,
  ListX,
  MoreHorizontal,
  Pencil,
  Play,
  Share2,
  Shuffle,
  Sparkles,
  Trash2,
} from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { PlaylistDetail } from '../../api/api.ts'
import { problemOf } from '../../api/problem.ts'
import { useArchive, useTrackActions } from '../../app/actions.tsx'
import { useNotify } from '../../app/notices.tsx'
import { playlistQuery } from '../../app/queries.ts'
import { useApi, useServices } from '../../app/services.tsx'
import { Button, Choice, Field, IconButton, TextField } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Hero } from '../../components/hero.tsx'
import { type MenuItem, useMenu } from '../../components/menu.tsx'
import { useTitle } from '../../components/page.tsx'
import { useReorder } from '../../components/reorder.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { TrackRow, trackRowHeight } from '../../components/track-row.tsx'
import { VirtualGrid } from '../../components/virtual-grid.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './playlists.css'

const route = getRouteApi('/inside/playlists/$id')
const SmartEditor = lazy(() => import('./smart-editor.tsx'))
const shape = { minWidth: 0, gap: 0, rowGap: 0, height: () => trackRowHeight }

type Open = 'edit' | 'rules' | 'remove'
type Change = Parameters<ReturnType<typeof useApi>['changePlaylist']>[1]

export function Playlist() {
  const { id } = route.useParams()
  const playlist = useQuery(playlistQuery(useApi(), id))
  return (
    <div className="page">
      <Loaded
        query={playlist}
        bones={
          <>
            <Bones shape="hero" />
            <Bones shape="row" count={8} />
          </>
        }
      >
        {(found) => <PlaylistFound playlist={found} />}
      </Loaded>
    </div>
  )
}

function PlaylistFound({ playlist }: { playlist: PlaylistDetail }) {
  const { say, format } = useWords()
  const actions = useTrackActions()
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  useTitle(playlist.name)
  const tracks = playlist.items.filter((item) => item !== null)
  const empty = tracks.length === 0
  return (
    <>
      <Hero
        cover={{ kind: 'playlist', id: playlist.id, version: playlist.cover }}
        kind={say(playlist.rules === undefined ? 'playlist' : 'smartPlaylist')}
        title={playlist.name}
        facts={[
          playlist.ownerName,
          say('songCount', { count: playlist.trackCount }),
          playlist.durationMs > 0 ? format.duration(playlist.durationMs) : undefined,
          playlist.sharedWith === 'everyone' ? say('sharedWithEveryone') : undefined,
        ]}
        actions={
          <>
            <Button look="primary" icon={Play} disabled={empty} onClick={() => actions.play(tracks)}>
              {say('play')}
            </Button>
            <Button icon={Shuffle} disabled={empty} onClick={() => actions.shuffle(tracks)}>
              {say('shuffle')}
            </Button>
            <PlaylistMenu playlist={playlist} onOpen={setOpen} />
          </>
        }
      />
      {playlist.comment === undefined ? null : <p className="playlist-comment">{playlist.comment}</p>}
      {playlist.items.length === 0 ? (
        <EmptyState
          icon={ListMusic}
          title={say('emptyPlaylistTitle')}
          text={say(playlist.rules === undefined ? 'emptyPlaylistText' : 'emptySmartText')}
        />
      ) : (
        <PlaylistTracks playlist={playlist} />
      )}
      {open === 'edit' ? <EditDialog playlist={playlist} onClose={close} /> : null}
      {open === 'remove' ? <RemoveDialog playlist={playlist} onClose={close} /> : null}
      {open === 'rules' ? (
        <Suspense fallback={null}>
          <SmartEditor playlist={playlist} onClose={close} />
        </Suspense>
      ) : null}
    </>
  )
}

/** Changes the playlist, and shows the server's answer at once. */
function useChange(playlist: PlaylistDetail) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { queryKey } = playlistQuery(api, playlist.id)
  return async (change: Change, meanwhile?: PlaylistDetail) => {
    if (meanwhile !== undefined) queries.setQueryData(queryKey, meanwhile)
    try {
      queries.setQueryData(queryKey, await api.changePlaylist(playlist.id, change))
      await queries.invalidateQueries({ queryKey: ['playlists', 'all'] })
    } catch (error) {
      notify(problemOf(error))
      await queries.invalidateQueries({ queryKey })
    }
  }
}

function PlaylistTracks({ playlist }: { playlist: PlaylistDetail }) {
  const { say } = useWords()
  const actions = useTrackActions()
  const change = useChange(playlist)
  const { items } = playlist
  const plain = playlist.editable && playlist.rules === undefined
  const reorder = useReorder({
    count: items.length,
    rowHeight: trackRowHeight,
    onMove(from, to) {
      const moved = items[from]
      if (moved === undefined) return
      const meanwhile = { ...playlist, items: items.toSpliced(from, 1).toSpliced(to, 0, moved) }
      void change({ edits: [{ do: 'move', from, to }] }, meanwhile)
    },
  })
  const remove = (index: number): MenuItem => ({
    label: say('removeFromPlaylist'),
    icon: ListX,
    run: () =>
      void change(
        { edits: [{ do: 'remove', positions: [index] }] },
        { ...playlist, items: items.toSpliced(index, 1), trackCount: playlist.trackCount - 1 },
      ),
  })
  return (
    <div className="playlist-tracks">
      <VirtualGrid
        count={items.length}
        shape={shape}
        label={say('songs')}
        render={(index) => {
          const track = items[index]
          if (track === undefined) return null
          if (track === null) return <p className="gone">{say('trackGone')}</p>
          const playable = items.filter((item) => item !== null)
          return (
            <div data-mark={reorder.markOf(index)}>
              <TrackRow
                track={track}
                cover
                album
                handle={plain ? reorder.handle(index, track.title) : undefined}
                more={plain ? [remove(index)] : []}
                onPlay={() =>
                  actions.play(playable, items.slice(0, index).filter((item) => item !== null).length)
                }
              />
            </div>
          )
        }}
      />
      <p className="visually-hidden" aria-live="polite">
        {reorder.announcement}
      </p>
    </div>
  )
}

function PlaylistMenu({ playlist, onOpen }: { playlist: PlaylistDetail; onOpen(what: Open): void }) {
  const { say } = useWords()
  const { view } = useServices()
  const showMenu = useMenu()
  const change = useChange(playlist)
  const archive = useArchive()
  const label = say('menuNamed', { name: playlist.name })
  const shared = playlist.sharedWith === 'everyone'
  const items: MenuItem[] = [
    {
      label: say('share'),
      icon: Link2,
      run: () => view.set({ sharing: { kind: 'playlist', id: playlist.id, name: playlist.name } }),
    },
    ...(playlist.items.some((item) => item !== null)
      ? [{ label: say('download'), icon: Download, run: () => archive('playlist', playlist.id) }]
      : []),
    {
      label: say('exportPlaylist'),
      icon: FileDown,
      run: () => window.location.assign(`/api/playlists/${playlist.id}/m3u`),
    },
  ]
  if (playlist.editable) {
    items.push(
      {
        label: say(shared ? 'unshare' : 'shareWithEveryone'),
        icon: Share2,
        run: () => void change({ sharedWith: shared ? 'nobody' : 'everyone' }),
      },
      { label: say('edit'), icon: Pencil, run: () => onOpen('edit') },
      ...(playlist.rules === undefined
        ? []
        : [{ label: say('editRules'), icon: Sparkles, run: () => onOpen('rules') }]),
      'line',
      { label: say('removePlaylist'), icon: Trash2, danger: true, run: () => onOpen('remove') },
    )
  }
  return (
    <IconButton
      icon={MoreHorizontal}
      size={22}
      label={label}
      onClick={(event) => showMenu({ items, label, from: event.currentTarget })}
    />
  )
}

function EditDialog({ playlist, onClose }: { playlist: PlaylistDetail; onClose(): void }) {
  const api = useApi()
  const queries = useQueryClient()
  const { say } = useWords()
  const [name, setName] = useState(playlist.name)
  const [comment, setComment] = useState(playlist.comment ?? '')
  const [sharedWith, setSharedWith] = useState<'nobody' | 'everyone'>(
    playlist.sharedWith === 'everyone' ? 'everyone' : 'nobody',
  )
  const save = async () => {
    const change = { name: name.trim(), comment: comment.trim() === '' ? null : comment, sharedWith }
    const changed = await api.changePlaylist(playlist.id, change)
    queries.setQueryData(playlistQuery(api, playlist.id).queryKey, changed)
    await queries.invalidateQueries({ queryKey: ['playlists', 'all'] })
    onClose()
  }
  return (
    <FormDialog title={say('edit')} action={say('save')} onSubmit={save} onClose={onClose}>
      <TextField label={say('name')} value={name} maxLength={300} onChange={setName} />
      <Field label={say('comment')}>
        {(ids) => (
          <textarea
            {...ids}
            className="input"
            rows={3}
            maxLength={4_000}
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
        )}
      </Field>
      <Choice<'nobody' | 'everyone'>
        label={say('sharing')}
        value={sharedWith}
        onChange={setSharedWith}
        options={[
          { value: 'nobody', label: say('onlyMe') },
          { value: 'everyone', label: say('everyone') },
        ]}
      />
    </FormDialog>
  )
}

function RemoveDialog({ playlist, onClose }: { playlist: PlaylistDetail; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const notify = useNotify()
  const remove = async () => {
    try {
      await api.removePlaylist(playlist.id)
      await navigate({ to: '/playlists' })
      await queries.invalidateQueries({ queryKey: ['playlists'] })
    } catch (error) {
      notify(problemOf(error))
    }
  }
  return (
    <Confirm
      title={say('removePlaylistTitle', { name: playlist.name })}
      text={say('removePlaylistText')}
      action={say('removePlaylist')}
      onConfirm={() => void remove()}
      onClose={onClose}
    />
  )
}
