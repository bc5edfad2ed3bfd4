import { Link2Off, Play, Shuffle } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import type { SharedMusic } from '../../../src/protocol/api/listening.ts'
import type { ProblemDocument } from '../../../src/protocol/api/problem.ts'
import { problemOf } from '../../api/problem.ts'
import { usePlayer } from '../../app/sound.tsx'
import { Button } from '../../components/controls.tsx'
import { Hero } from '../../components/hero.tsx'
import { Wordmark } from '../../components/logo.tsx'
import { useTitle } from '../../components/page.tsx'
import { Bones, EmptyState, ProblemState } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { SharedBar } from './shared-bar.tsx'
import { SharedTracks } from './shared-tracks.tsx'
import './shared.css'

/** What someone sees who follows the link of a share. */
export function SharedPage({ read }: { read: () => Promise<SharedMusic> }) {
  const [music, setMusic] = useState<SharedMusic>()
  const [problem, setProblem] = useState<ProblemDocument>()
  const load = useCallback(async () => {
    try {
      setMusic(await read())
      setProblem(undefined)
    } catch (error) {
      setProblem(problemOf(error))
    }
  }, [read])
  useEffect(() => void load(), [load])
  if (music !== undefined) return <Music music={music} />
  return (
    <Frame>
      {problem === undefined ? (
        <Bones shape="hero" />
      ) : (
        <Closed problem={problem} retry={() => void load()} />
      )}
    </Frame>
  )
}

function Frame({ children, foot }: { children: ReactNode; foot?: string | undefined }) {
  const { say } = useWords()
  return (
    <div className="shared">
      <header className="shared-head">
        <Wordmark />
      </header>
      <main>{children}</main>
      <footer className="shared-foot">
        <p>{foot ?? say('hocketIs')}</p>
      </footer>
    </div>
  )
}

/** A link that opens nothing, in words that blame nobody. */
function Closed({ problem, retry }: { problem: ProblemDocument; retry(): void }) {
  const { say } = useWords()
  const ended = problem.code === 'SHARE_ENDED'
  const unknown = problem.code === 'NOT_FOUND' || problem.code === 'BAD_REQUEST'
  const title = say(ended ? 'shareEndedTitle' : 'shareUnknownTitle')
  useTitle(ended || unknown ? title : problem.title)
  if (!ended && !unknown) return <ProblemState problem={problem} retry={retry} />
  return (
    <EmptyState icon={Link2Off} title={title} text={say(ended ? 'shareEndedText' : 'shareUnknownText')} />
  )
}

function Music({ music }: { music: SharedMusic }) {
  const { say, format } = useWords()
  const player = usePlayer()
  useTitle(music.name)
  const { tracks, kind } = music
  const durationMs = tracks.reduce((sum, track) => sum + track.durationMs, 0)
  const words = {
    track: 'sharedSong',
    album: 'sharedAlbum',
    artist: 'sharedArtist',
    playlist: 'sharedPlaylist',
    mixed: 'sharedMusic',
  } as const
  return (
    <>
      <Frame
        foot={
          music.expiresAt === undefined
            ? undefined
            : say('sharedUntil', { date: format.date(music.expiresAt) })
        }
      >
        <Hero
          cover={music.cover}
          kind={say(words[kind])}
          title={kind === 'mixed' ? say('sharedMixed', { name: music.name }) : music.name}
          sub={kind === 'mixed' ? undefined : music.artist}
          facts={[
            music.year === undefined || kind === 'mixed' ? undefined : String(music.year),
            tracks.length > 1 ? say('songCount', { count: tracks.length }) : undefined,
            format.duration(durationMs),
          ]}
          actions={
            <>
              <Button look="primary" icon={Play} onClick={() => player.playAll(tracks)}>
                {say('play')}
              </Button>
              {tracks.length > 1 ? (
                <Button icon={Shuffle} onClick={() => player.playShuffled(tracks)}>
                  {say('shuffle')}
                </Button>
              ) : null}
            </>
          }
        />
        {music.description === undefined ? null : <p className="shared-description">{music.description}</p>}
        <SharedTracks tracks={tracks} album={kind === 'album'} />
      </Frame>
      <SharedBar />
    </>
  )
}
