import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { FileUp, ListMusic, Plus, Sparkles } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import type { PlaylistSummary } from '../../../src/protocol/api/listening.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { playlistsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, TextField } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import '../../components/cards.css'
import './playlists.css'

const SmartEditor = lazy(() => import('./smart-editor.tsx'))

export function Playlists() {
  const { say } = useWords()
  const playlists = useQuery(playlistsQuery(useApi()))
  const [making, setMaking] = useState<'plain' | 'smart'>()
  return (
    <Page
      title={say('playlists')}
      tools={
        <>
          <Button look="primary" icon={Plus} onClick={() => setMaking('plain')}>
            {say('newPlaylist')}
          </Button>
          <Button icon={Sparkles} onClick={() => setMaking('smart')}>
            {say('newSmartPlaylist')}
          </Button>
          <ImportButton />
        </>
      }
    >
      <Loaded query={playlists} bones={<Bones shape="card" count={6} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={ListMusic} title={say('noPlaylistsTitle')} text={say('noPlaylistsText')} />
          ) : (
            <ul className="playlists">
              {items.map((playlist) => (
                <li key={playlist.id}>
                  <PlaylistCard playlist={playlist} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {making === 'plain' ? <NameDialog onClose={() => setMaking(undefined)} /> : null}
      {making === 'smart' ? (
        <Suspense fallback={null}>
          <SmartEditor onClose={() => setMaking(undefined)} />
        </Suspense>
      ) : null}
    </Page>
  )
}

function PlaylistCard({ playlist }: { playlist: PlaylistSummary }) {
  const { say } = useWords()
  return (
    <article className="card">
      <div className="card-cover">
        <Cover of={{ kind: 'playlist', id: playlist.id, version: playlist.cover }} size={256} />
        {playlist.rules === undefined ? null : (
          <span className="playlist-smart" title={say('smartPlaylist')}>
            <Sparkles size={15} aria-label={say('smartPlaylist')} />
          </span>
        )}
      </div>
      <Link dir="auto" to="/playlists/$id" params={{ id: playlist.id }} className="card-link">
        {playlist.name}
      </Link>
      <p className="card-sub">
        {say('songCount', { count: playlist.trackCount })}
        {playlist.editable ? null : ` · ${playlist.ownerName}`}
      </p>
    </article>
  )
}

function NameDialog({ onClose }: { onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const make = async () => {
    const made = await api.makePlaylist({ name: name.trim() })
    await queries.invalidateQueries({ queryKey: ['playlists'] })
    await navigate({ to: '/playlists/$id', params: { id: made.id } })
  }
  return (
    <FormDialog title={say('newPlaylist')} action={say('make')} onSubmit={make} onClose={onClose}>
      <TextField label={say('name')} value={name} maxLength={300} onChange={setName} />
    </FormDialog>
  )
}

/** Reads an M3U file of another program, and says which of its lines are not in this library. */
function ImportButton() {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const notify = useNotify()
  const input = useRef<HTMLInputElement>(null)
  const [unmatched, setUnmatched] = useState<{ name: string; lines: readonly string[] }>()
  const read = async (file: File) => {
    try {
      const result = await api.importPlaylist(file.name.replace(/\.m3u8?$/i, ''), await file.text())
      await queries.invalidateQueries({ queryKey: ['playlists'] })
      notify(say('playlistImported', { count: result.playlist.trackCount, name: result.playlist.name }))
      if (result.unmatched.length > 0) {
        setUnmatched({
          name: result.playlist.name,
          lines: result.unmatched.map(({ line, text }) => `${line}: ${text}`),
        })
      }
    } catch (error) {
      notify(problemOf(error))
    }
  }
  return (
    <>
      <Button icon={FileUp} onClick={() => input.current?.click()}>
        {say('importPlaylist')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".m3u,.m3u8,audio/x-mpegurl"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file !== undefined) void read(file)
        }}
      />
      {unmatched === undefined ? null : (
        <Dialog title={unmatched.name} onClose={() => setUnmatched(undefined)}>
          <p className="soft">{say('unmatchedLines', { count: unmatched.lines.length })}</p>
          <ul className="unmatched">
            {unmatched.lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
  )
}
